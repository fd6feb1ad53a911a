"""The Alerts API: count, read and change alerts. Limits are known from FalconPy's swagger and live reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import msgspec

from falcon_bulk.errors import FailingFilter, FalconAnswer, Rejected, SearchExpired, Unreachable
from falcon_bulk.falcon.aggregates import AggregateCounts, AggregateQuery, counts_of, parse_bucket_time
from falcon_bulk.falcon.bisect import bisect_rejected
from falcon_bulk.falcon.fql import HIDDEN
from falcon_bulk.falcon.page import OLDEST_FIRST, Page
from falcon_bulk.falcon.pages_by_id import PagesById
from falcon_bulk.falcon.request_size import MIN_SIZE, RequestSize
from falcon_bulk.falcon.response_classifier import (
    AGGREGATE_ALERTS,
    GET_ALERTS,
    SEARCH_ALERTS,
    UPDATE_ALERTS,
    RequestType,
    partial_answer,
)
from falcon_bulk.falcon.responses import Aggregate, ApiError, ApiResponse, Bucket, decode_aggregate
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.alert_decoder import composite_id_of
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.plan import ActionSet

PAGE = 1_000
"""Maximum alerts in an answer of combined v1, and maximum ids in a request of entities v2 and PATCH v3."""

MAX_URL_FILTER = 6_000
"""Maximum characters of an encoded filter in a URL; many gateways take no URL of over 8 KB."""

_LARGE = {request_type: replace(request_type, shrinkable=True) for request_type in (SEARCH_ALERTS, GET_ALERTS)}


@dataclass(frozen=True)
class UpdateResponse:
    """The answer to a PATCH. affected: how many alerts it reports as written; None if it does not say."""

    affected: int | None
    problems: tuple[ApiError, ...]
    trace_id: str


class Alerts:
    """The alerts of one tenant. service: FalconPy's Alerts object; only current operations are used.

    A filter that Falcon fails on (500) while it answers a search without one raises FailingFilter.
    """

    def __init__(self, transport: Transport, service: Any) -> None:
        self._call = transport.call
        self._service = service
        self._size = RequestSize(PAGE)
        self._has_combined = False
        self._pages_by_id: PagesById | None = None
        self._pages_show_hidden: bool | None = None

    def count(self, fql: str) -> int:
        """Return how many alerts match, including hidden ones: by queries v2, or combined v1 for a long filter."""
        if fits_in_url(fql):
            return self._query(fql, limit=1).total
        self._check_pages_show_hidden()
        return self.page(fql, limit=1).total

    def ids(self, fql: str, *, offset: int = 0, limit: int = PAGE, sort: str = OLDEST_FIRST) -> tuple[list[str], int]:
        """Return composite ids in the order of `sort`, and the total. offset + limit must not exceed 10,000."""
        ids: list[str] = []

        def request(size: int) -> tuple[int, ApiResponse]:
            return size, self._query(fql, limit=size, offset=offset + len(ids), sort=sort)

        while True:
            size, answer = self._size.fit(limit - len(ids), request)
            found = [msgspec.json.decode(raw, type=str) for raw in answer.resources or ()]
            ids += found
            if len(found) < size or len(ids) >= limit:
                return ids, answer.total

    def page(self, fql: str, *, after: str = "", sort: str = OLDEST_FIRST, limit: int = PAGE) -> Page:
        """Return one page of documents (combined v1), which may have fewer than `limit`.

        after: the token from a page with the same filter and sort. Where combined v1 is not there (404), queries v2
        and entities v2 stand in for it. Raises SearchExpired if `after` has expired.
        """
        if self._pages_by_id is not None and self._pages_by_id.is_own(after):
            return self._pages_by_id.page(fql, after=after, sort=sort, limit=limit)
        try:
            answer = self._size.fit(limit, lambda size: self._combined(fql, after, sort, size))
        except Rejected as error:
            if error.status != 404 or (self._has_combined and not after):
                raise
            if after:
                raise SearchExpired(error.message, error.hint, status=404, trace_id=error.trace_id) from None
            self._pages_by_id = PagesById(self.ids, self.by_id)
            return self._pages_by_id.page(fql, after="", sort=sort, limit=limit)
        self._has_combined = True
        return Page(answer.resources or [], answer.total, answer.after)

    def _combined(self, fql: str, after: str, sort: str, limit: int) -> ApiResponse:
        body: dict[str, Any] = {"sort": sort, "limit": limit}
        if fql:
            body["filter"] = fql
        if after:
            body["after"] = after
        request_type = _sized(SEARCH_ALERTS, limit)
        return self._search(fql, lambda: self._call(request_type, self._service.get_alerts_combined, body=body))

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        """Return the documents of at most 1,000 ids in arbitrary order (entities v2); unknown ids are missing.

        Raises Unreachable if the answers hold only part of the data; Rejected after too many rejections.
        """
        documents: list[msgspec.Raw] = []
        left = list(ids)

        def read(size: int) -> int:
            for part in bisect_rejected([left[:size]], self._documents):
                documents.extend(part)
            return size

        while left:
            del left[: self._size.fit(len(left), read)]
        return documents

    def _documents(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        """Return the documents, asking a second time for ids that are missing without an error about them."""
        answer = self._entities(ids)
        documents = answer.resources or []
        if len(documents) < len(ids):
            read = {composite_id_of(document) for document in documents}
            unexplained = [
                composite_id
                for composite_id in ids
                if composite_id not in read and not any(problem.is_about([composite_id]) for problem in answer.problems)
            ]
            if unexplained:
                documents += self._entities(unexplained).resources or []
        return documents

    def _entities(self, ids: Sequence[str]) -> ApiResponse:
        request_type = _sized(GET_ALERTS, len(ids))
        answer: ApiResponse = self._call(
            request_type, self._service.get_alerts_v2, body={"composite_ids": list(ids)}, include_hidden=True
        )
        for problem in answer.problems:
            if not problem.is_about(ids):
                raise partial_answer(problem, answer.trace_id)
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
            counts_of(by_name.get(str(number), Aggregate()), is_time=bool(query.interval))
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
            return [decode_aggregate(raw) for raw in answer.resources or ()]
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Unreachable("Falcon answers with counts that cannot be read.", trace_id=answer.trace_id) from None

    def _query(self, fql: str, *, limit: int, offset: int = 0, sort: str = OLDEST_FIRST) -> ApiResponse:
        keywords: dict[str, Any] = {"limit": limit, "offset": offset, "include_hidden": True, "sort": sort}
        if fql:
            keywords["filter"] = fql
        request_type = _sized(SEARCH_ALERTS, limit)
        return self._search(fql, lambda: self._call(request_type, self._service.query_alerts_v2, **keywords))

    def _search(self, fql: str, request: Callable[[], ApiResponse]) -> ApiResponse:
        """Return the answer. Raises FailingFilter if Falcon fails (500) and answers a search without the filter."""
        try:
            return request()
        except Unreachable as error:
            if error.status != 500 or not fql or not self._answers_without_filter():
                raise
            raise FailingFilter(
                f"Falcon fails on this filter (500), and answers others: {fql}",
                "Try its parts with `falcon-bulk query --count --filter` to find the one that Falcon fails on.",
                status=error.status,
                trace_id=error.trace_id,
            ) from None

    def _answers_without_filter(self) -> bool:
        try:
            self._query("", limit=1)
        except FalconAnswer:
            return False
        return True

    def _check_pages_show_hidden(self) -> None:
        """Raise Rejected if combined v1 leaves hidden alerts out, so that it cannot count for queries v2."""
        if self._pages_show_hidden is None:
            self._pages_show_hidden = not self.count(HIDDEN) or self.page(HIDDEN, limit=1).total > 0
        if not self._pages_show_hidden:
            raise Rejected(
                "The filter is too long for a URL, and the search that takes longer ones leaves out hidden alerts.",
                "Divide the selection: fewer values in --filter, or several shorter filters.",
            )


def fits_in_url(fql: str) -> bool:
    """Return whether queries v2, a GET, can carry the filter; combined v1, a POST, carries longer ones."""
    return len(fql) <= MAX_URL_FILTER // 3 or len(quote(fql, safe="")) <= MAX_URL_FILTER


def _sized(request_type: RequestType, size: int) -> RequestType:
    """Return the request type for this many alerts: of a large request a second 504 is final."""
    return _LARGE[request_type] if size > MIN_SIZE else request_type
