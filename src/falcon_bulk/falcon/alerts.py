"""The Alerts API: count, read and change alerts. Limits are known from FalconPy's swagger and live reports."""

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
"""Maximum alerts in an answer of combined v1, and maximum ids in a request of entities v2 and PATCH v3."""

MAX_VALUES = 1_000
"""Maximum values in a terms aggregate (falcon-mcp allows 1 to 1000)."""

OLDEST_FIRST = "created_timestamp|asc"


@dataclass(frozen=True)
class Page:
    """One page of alert documents as received. total: of all pages. after: token of the next page; '' on the last."""

    documents: list[msgspec.Raw]
    total: int
    after: str


@dataclass(frozen=True)
class UpdateResponse:
    """The answer to a PATCH. affected: how many alerts it reports as written; None if it does not say."""

    affected: int | None
    problems: tuple[ApiError, ...]
    trace_id: str


class AggregateQuery(NamedTuple):
    """A request to count the alerts of a filter by the values of a field.

    interval: for a field that holds a time, the length of a bucket: `hour` or `day`.
    """

    field: str
    fql: str
    interval: str = ""

    def spec(self, name: str) -> dict[str, Any]:
        """Return the query for aggregates v2, which takes only the pipe form of `sort`."""
        spec = {"name": name, "field": self.field, "filter": self.fql}
        if self.interval:
            return {**spec, "type": "date_histogram", "interval": self.interval}
        return {**spec, "type": "terms", "size": MAX_VALUES, "sort": "_count|desc"}


class AggregateCounts(NamedTuple):
    """Alerts per value (a datetime for a time). others: alerts whose values are not among the first 1,000."""

    values: list[tuple[Any, int]]
    others: int


class Alerts:
    """The alerts of one tenant. service: FalconPy's Alerts object; only current operations are used."""

    def __init__(self, transport: Transport, service: Any) -> None:
        self._call = transport.call
        self._service = service

    def count(self, fql: str) -> int:
        """Return how many alerts match, including hidden ones (queries v2)."""
        return self._query(fql, limit=1).total

    def ids(self, fql: str, *, offset: int = 0, limit: int = PAGE, sort: str = OLDEST_FIRST) -> tuple[list[str], int]:
        """Return composite ids in the order of `sort`, and the total. offset + limit must not exceed 10,000."""
        answer = self._query(fql, limit=limit, offset=offset, sort=sort)
        return [msgspec.json.decode(raw, type=str) for raw in answer.resources or ()], answer.total

    def page(self, fql: str, *, after: str = "", sort: str = OLDEST_FIRST, limit: int = PAGE) -> Page:
        """Return one page of documents (combined v1). after: the token from a page with the same filter and sort."""
        body: dict[str, Any] = {"sort": sort, "limit": limit}
        if fql:
            body["filter"] = fql
        if after:
            body["after"] = after
        answer: ApiResponse = self._call(SEARCH_ALERTS, self._service.get_alerts_combined, body=body)
        return Page(answer.resources or [], answer.total, answer.after)

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        """Return the documents of at most 1,000 ids in arbitrary order (entities v2); unknown ids are missing.

        Raises Unreachable if alerts are missing and the answer has a transient error; Rejected after too many
        rejections.
        """
        return [document for part in bisect_rejected([ids], self._documents) for document in part]

    def _documents(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        """Return the documents, asking a second time for ids that are missing without an error about them."""
        answer = self._entities(ids)
        documents = answer.resources or []
        if len(documents) < len(ids):
            reported = {problem.id for problem in answer.problems if isinstance(problem.id, str)}
            reported |= {composite_id_of(document) for document in documents}
            if missing := [composite_id for composite_id in ids if composite_id not in reported]:
                documents += self._entities(missing).resources or []
        return documents

    def _entities(self, ids: Sequence[str]) -> ApiResponse:
        answer: ApiResponse = self._call(
            GET_ALERTS, self._service.get_alerts_v2, body={"composite_ids": list(ids)}, include_hidden=True
        )
        transient = [problem for problem in answer.problems if problem.transient]
        if transient and len(answer.resources or ()) < len(ids):
            raise Unreachable(f"Falcon could not read all alerts: {transient[0].text}.", trace_id=answer.trace_id)
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

    def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]:
        """Return the hours in which alerts were created, with their number (aggregates v2, date_histogram)."""
        spec = {"type": "date_histogram", "field": "created_timestamp", "interval": "hour", "name": "hours"}
        return [
            (start, bucket.count)
            for bucket in self._aggregate(spec, fql)
            if (start := parse_bucket_time(bucket.key_as_string) or parse_bucket_time(bucket.label)) and bucket.count
        ]

    def count_by_range(self, fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]:
        """Return the number of alerts created between each edge and the next (aggregates v2, date_range)."""
        texts = [rfc3339(edge) for edge in edges]
        ranges = [{"from": start, "to": end} for start, end in pairwise(texts)]
        spec = {"type": "date_range", "field": "created_timestamp", "name": "ranges", "date_ranges": ranges}
        found = {parse_bucket_time(bucket.string_from): bucket.count for bucket in self._aggregate(spec, fql)}
        return [(edge, found.get(edge, 0)) for edge in edges[:-1]]

    def count_by_value(self, queries: Sequence[AggregateQuery]) -> list[AggregateCounts]:
        """Return the counts of each query, in one request (aggregates v2).

        A query has no counts if its field cannot be aggregated or the answer leaves it out.
        """
        found = self._aggregates([query.spec(str(number)) for number, query in enumerate(queries)])
        by_name = {aggregate.name: aggregate for aggregate in found}
        return [
            _counts(by_name.get(str(number), Aggregate()), is_time=bool(query.interval))
            for number, query in enumerate(queries)
        ]

    def _aggregate(self, spec: dict[str, Any], fql: str) -> list[Bucket]:
        """Return the buckets of one aggregate."""
        found = self._aggregates([{**spec, "filter": fql}])
        return [bucket for aggregate in found for bucket in aggregate.buckets or ()]

    def _aggregates(self, specs: list[dict[str, Any]]) -> list[Aggregate]:
        """Return the aggregates, in arbitrary order. Falcon rejects one with an opaque 500, so it is not retried.

        Raises Unreachable also for counts that cannot be decoded.
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


def _counts(found: Aggregate, *, is_time: bool) -> AggregateCounts:
    others = found.sum_other_doc_count
    values = [
        (
            (parse_bucket_time(bucket.key_as_string) or parse_bucket_time(bucket.label)) if is_time else bucket.label,
            bucket.count,
        )
        for bucket in found.buckets or ()
        if bucket.count
    ]
    return AggregateCounts(values, others if isinstance(others, int) else 0)


def parse_bucket_time(value: object) -> datetime | None:
    """Return the start of a bucket, given as RFC 3339 or milliseconds since the epoch; None for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
