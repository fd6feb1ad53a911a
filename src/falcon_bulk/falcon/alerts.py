"""The Alerts API: counting, reading and changing alerts. Limits as FalconPy's swagger and live reports have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.bisect import bisect_rejected
from falcon_bulk.falcon.response_classifier import AGGREGATE_ALERTS, GET_ALERTS, SEARCH_ALERTS, UPDATE_ALERTS
from falcon_bulk.falcon.responses import Aggregate, ApiError, ApiResponse, Bucket
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.alert import composite_id_of
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.plan import ActionSet

PAGE = 1_000
"""Most alerts in one answer of combined v1, and most ids in one request of entities v2 and PATCH v3."""

MAX_VALUES = 1_000
"""Most values in one terms aggregate that live use shows to be taken (falcon-mcp allows 1 to 1000)."""

OLDEST_FIRST = "created_timestamp|asc"


@dataclass(frozen=True)
class Page:
    """One page of alert documents, as the bytes that came; `after` is '' on the last one."""

    documents: list[msgspec.Raw]
    total: int
    after: str


@dataclass(frozen=True)
class UpdateResponse:
    """What a PATCH answered: how many alerts it says it wrote (None: it does not say), and its errors."""

    affected: int | None
    problems: tuple[ApiError, ...]
    trace_id: str


class AggregateQuery(NamedTuple):
    """An aggregate to ask for: how many alerts of a filter have each value of a field.

    interval: for a time, how long is what is counted together: `hour` or `day`.
    """

    field: str
    fql: str
    interval: str = ""

    def spec(self, name: str) -> dict[str, Any]:
        """As aggregates v2 takes it. Of `sort` it takes the pipe form only; it does not know all that is documented."""
        spec = {"name": name, "field": self.field, "filter": self.fql}
        if self.interval:
            return {**spec, "type": "date_histogram", "interval": self.interval}
        return {**spec, "type": "terms", "size": MAX_VALUES, "sort": "_count|desc"}


class AggregateCounts(NamedTuple):
    """Each value, a time as a moment, with its alerts; `others` have values that are not among the first 1,000."""

    values: list[tuple[Any, int]]
    others: int


class Alerts:
    """The alerts of one tenant. `service` is FalconPy's Alerts class; only its v2/v3 operations are used."""

    def __init__(self, transport: Transport, service: Any) -> None:
        self._call = transport.call
        self._service = service

    def count(self, fql: str) -> int:
        """How many alerts match, hidden ones included (queries v2)."""
        return self._query(fql, limit=1).total

    def ids(self, fql: str, *, offset: int = 0, limit: int = PAGE, sort: str = OLDEST_FIRST) -> tuple[list[str], int]:
        """Composite ids in the order of `sort`, and the total. offset + limit must stay within 10,000."""
        answer = self._query(fql, limit=limit, offset=offset, sort=sort)
        return [msgspec.json.decode(raw, type=str) for raw in answer.resources or ()], answer.total

    def page(self, fql: str, *, after: str = "", sort: str = OLDEST_FIRST, limit: int = PAGE) -> Page:
        """One page of documents (combined v1). `after` belongs to one filter and sort, and goes in the body."""
        body: dict[str, Any] = {"sort": sort, "limit": limit}
        if fql:
            body["filter"] = fql
        if after:
            body["after"] = after
        answer: ApiResponse = self._call(SEARCH_ALERTS, self._service.get_alerts_combined, body=body)
        return Page(answer.resources or [], answer.total, answer.after)

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        """The documents of at most 1,000 ids in arbitrary order (entities v2); unknown ids are missing.

        Raises Unreachable if alerts are missing and the answer carries an error that passes, Rejected if too much is
        refused.
        """
        return [document for part in bisect_rejected([ids], self._documents) for document in part]

    def _documents(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        """What is missing and not said to be unknown is asked for once more: missing means unknown to whoever asks."""
        answer = self._entities(ids)
        documents = answer.resources or []
        if len(documents) < len(ids):
            told = {problem.id for problem in answer.problems if isinstance(problem.id, str)}
            told |= {composite_id_of(document) for document in documents}
            if missing := [one for one in ids if one not in told]:
                documents += self._entities(missing).resources or []
        return documents

    def _entities(self, ids: Sequence[str]) -> ApiResponse:
        answer: ApiResponse = self._call(
            GET_ALERTS, self._service.get_alerts_v2, body={"composite_ids": list(ids)}, include_hidden=True
        )
        broken = [problem for problem in answer.problems if problem.transient]
        if broken and len(answer.resources or ()) < len(ids):
            raise Unreachable(f"Falcon could not read all alerts: {broken[0].text}.", trace_id=answer.trace_id)
        return answer

    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse:
        """Apply the actions to at most 1,000 alerts (PATCH v3, hidden alerts too).

        Raises AnswerLost if it is not known whether it was applied; Rejected for a 4xx.
        """
        actions = [{"name": action.name, "value": action.value} for action in action_set]
        answer: ApiResponse = self._call(
            UPDATE_ALERTS,
            self._service.update_alerts_v3,
            body={"composite_ids": list(ids), "action_parameters": actions},
            include_hidden=True,
        )
        return UpdateResponse(answer.affected, tuple(answer.problems), answer.trace_id)

    def by_hour(self, fql: str) -> list[tuple[datetime, int]]:
        """How many alerts were created in each hour that has some (aggregates v2, date_histogram)."""
        spec = {"type": "date_histogram", "field": "created_timestamp", "interval": "hour", "name": "hours"}
        return [
            (start, bucket.count)
            for bucket in self._aggregate(spec, fql)
            if (start := parse_bucket_time(bucket.key_as_string) or parse_bucket_time(bucket.label)) and bucket.count
        ]

    def by_range(self, fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]:
        """How many alerts were created between each two neighbouring edges (aggregates v2, date_range)."""
        texts = [rfc3339(edge) for edge in edges]
        ranges = [{"from": start, "to": end} for start, end in pairwise(texts)]
        spec = {"type": "date_range", "field": "created_timestamp", "name": "ranges", "date_ranges": ranges}
        found = {parse_bucket_time(bucket.string_from): bucket.count for bucket in self._aggregate(spec, fql)}
        return [(edge, found.get(edge, 0)) for edge in edges[:-1]]

    def by_value(self, asked: Sequence[AggregateQuery]) -> list[AggregateCounts]:
        """How many alerts have each value, for each of what is asked (aggregates v2, one request for all).

        Nothing is counted for a field that cannot be aggregated, and for what the answer leaves out.
        """
        found = self._aggregates([one.spec(str(number)) for number, one in enumerate(asked)])
        named = {aggregate.name: aggregate for aggregate in found}
        return [_counted(named.get(str(number), Aggregate()), bool(one.interval)) for number, one in enumerate(asked)]

    def _aggregate(self, spec: dict[str, Any], fql: str) -> list[Bucket]:
        """The buckets of one aggregate."""
        found = self._aggregates([{**spec, "filter": fql}])
        return [bucket for aggregate in found for bucket in aggregate.buckets or ()]

    def _aggregates(self, specs: list[dict[str, Any]]) -> list[Aggregate]:
        """The results, in an order of their own. A refusal is an opaque 500 and not worth another try.

        Raises Unreachable also for counts that are none.
        """
        answer: ApiResponse = self._call(
            AGGREGATE_ALERTS, self._service.get_aggregate_alerts_v2, body=specs, include_hidden=True
        )
        try:
            return [msgspec.json.decode(raw, type=Aggregate) for raw in answer.resources or ()]
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Unreachable("Falcon answers with counts that cannot be read.", trace_id=answer.trace_id) from None

    def _query(self, fql: str, *, limit: int, offset: int = 0, sort: str = OLDEST_FIRST) -> ApiResponse:
        keywords: dict[str, Any] = {"limit": limit, "offset": offset, "include_hidden": True, "sort": sort}
        if fql:
            keywords["filter"] = fql
        answer: ApiResponse = self._call(SEARCH_ALERTS, self._service.query_alerts_v2, **keywords)
        return answer


def _counted(found: Aggregate, timed: bool) -> AggregateCounts:
    others = found.sum_other_doc_count
    values = [
        (
            (parse_bucket_time(bucket.key_as_string) or parse_bucket_time(bucket.label)) if timed else bucket.label,
            bucket.count,
        )
        for bucket in found.buckets or ()
        if bucket.count
    ]
    return AggregateCounts(values, others if isinstance(others, int) else 0)


def parse_bucket_time(value: object) -> datetime | None:
    """The time at which a bucket begins: RFC 3339, or milliseconds since the epoch; None for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
