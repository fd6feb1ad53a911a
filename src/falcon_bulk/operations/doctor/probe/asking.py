"""Ask a tenant for the answers that decide the questions of `doctor --probe`, and remember what is odd about them.

Only reads are sent. An answer in part and a server error are asked for again, so that they decide nothing by chance.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

import msgspec

from falcon_bulk.falcon.observer import AlertObserver, Observation
from falcon_bulk.falcon.rate_limit import backoff
from falcon_bulk.falcon.response_classifier import is_expired_search
from falcon_bulk.falcon.responses import Aggregate, decode_aggregate
from falcon_bulk.model.alert_decoder import decode_document
from falcon_bulk.model.clock import Clock
from falcon_bulk.model.doctor import CANNOT_TELL, Finding
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.hashes import as_sha256
from falcon_bulk.operations.doctor.probe.checked_values import is_plain_id, is_plain_word

TRIES = 3
NEWEST_FIRST = "created_timestamp|desc"
SIZES = (1_000, 500, 250, 100, 50, 10)
"""Sizes of pages that are tried, until one is answered."""
SAMPLE = 200
"""Documents that are enough to look at."""
MORE_READS = 6
TOO_LARGE = (413, 504)
NOWHERE = "falcon-bulk-probe"
"""A value that no alert has."""
_ANCHORS = ("status", "product", "severity_name", "type")


class Anchor(NamedTuple):
    """A clause that is known to find alerts, with their number. impossible: one on the same field that finds none."""

    clause: str
    alerts: int
    impossible: str


class Sized(NamedTuple):
    """The largest request that was answered (size 0: none), and the statuses that refused larger ones."""

    size: int
    answer: Observation
    refusals: tuple[int, ...]


class Asking:
    """The requests of a probe.

    seconds: how long the answers of each endpoint took. parts: questions that were answered in part at first;
    unmended_parts: those that stayed so; part_codes: the codes of their errors.
    """

    def __init__(self, observer: AlertObserver, clock: Clock) -> None:
        self.observer = observer
        self.clock = clock
        self.requests = 0
        self.seconds: dict[str, list[float]] = {}
        self.answers: list[Observation] = []
        self.parts = 0
        self.unmended_parts = 0
        self.part_codes: set[int] = set()
        self._counts: dict[tuple[str, bool], int | None] = {}

    def ids(self, fql: str = "", *, tries: int = TRIES, **options: Any) -> Observation:
        """Ask queries v2."""
        return self._ask("queries", lambda: self.observer.ids(fql, **options), tries)

    def page(self, fql: str = "", *, tries: int = TRIES, **options: Any) -> Observation:
        """Ask combined v1."""
        return self._ask("combined", lambda: self.observer.page(fql, **options), tries)

    def by_id(self, ids: Sequence[str], *, tries: int = TRIES) -> Observation:
        """Ask entities v2."""
        return self._ask("entities", lambda: self.observer.by_id(ids), tries, ids)

    def aggregate(self, spec: Mapping[str, Any], *, tries: int = TRIES) -> Observation:
        """Ask aggregates v2 for one aggregate."""
        return self._ask("aggregates", lambda: self.observer.aggregate(spec), tries)

    def number(self, fql: str, *, hidden: bool = True) -> int | None:
        """Return how many alerts Falcon says match; None if it does not say."""
        key = (fql, hidden)
        if key not in self._counts:
            answer = self.ids(fql, hidden=hidden)
            self._counts[key] = answer.body.total if answer.ok and not _is_refused(answer) else None
        return self._counts[key]

    def buckets(self, answer: Observation) -> Aggregate:
        """Return the aggregate of an answer, without buckets if it has none that can be read."""
        for raw in answer.documents:
            try:
                return decode_aggregate(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                break
        return Aggregate()

    @cached_property
    def newest_page(self) -> Sized:
        """The newest alerts, as many as a page of combined v1 is answered with."""
        return self.largest(lambda size: self.page(limit=size, sort=NEWEST_FIRST, tries=2))

    @cached_property
    def newest_ids(self) -> tuple[Sized, list[str]]:
        """The ids of the newest alerts, up to 1,000, and the largest page of them that is answered."""
        first = self.largest(lambda size: self.ids(limit=size, sort=NEWEST_FIRST, tries=2))
        found: list[str] = []
        for offset in count(0, first.size) if first.size else ():
            answer = self.ids(limit=first.size, offset=offset, sort=NEWEST_FIRST) if offset else first.answer
            ids = [
                composite_id
                for document in answer.documents
                if (composite_id := _text(document)) and is_plain_id(composite_id)
            ]
            found += ids
            if not ids or len(found) >= SIZES[0] or offset + first.size >= answer.body.total:
                break
        return first, list(dict.fromkeys(found))[: SIZES[0]]

    @cached_property
    def newest_by_id(self) -> Sized:
        """The newest alerts by id (entities v2), as many as are answered in one request."""
        _, ids = self.newest_ids
        return self.largest(lambda size: self.by_id(ids[:size], tries=2), most=len(ids))

    @cached_property
    def sample(self) -> list[dict[str, Any]]:
        """The newest alerts' documents: a page and, where it holds few or none, some more by id."""
        items = self._documents(self.newest_page.answer)
        _, ids = self.newest_ids
        size = self.newest_by_id.size
        for start in range(len(items), len(ids), size)[:MORE_READS] if size else ():
            if len(items) >= SAMPLE:
                break
            items += self._documents(self.by_id(ids[start : start + size]))
        return items

    @cached_property
    def total(self) -> int | None:
        """How many alerts there are."""
        return self.number("")

    @cached_property
    def anchor(self) -> Anchor | None:
        """A clause that finds alerts; None if no filter that is tried does."""
        for field in _ANCHORS:
            values = Counter(value for item in self.sample if is_plain_word(value := item.get(field)))
            if not values:
                continue
            ((value, _),) = values.most_common(1)
            clause = f"{field}:'{value}'"
            if number := self.number(clause):
                return Anchor(clause, number, f"{field}:'{NOWHERE}'")
        return None

    @property
    def impossible(self) -> str:
        """A filter that finds no alert, on the anchor's field if there is one."""
        return self.anchor.impossible if self.anchor else f"status:'{NOWHERE}'"

    @cached_property
    def xdr_hash(self) -> str:
        """A SHA256 in `entities.sha256` of one of the newest alerts that have any; '' if none was found."""
        items = [*self.sample, *self.some_of("product:'xdr'")] if not _hash_in(self.sample) else self.sample
        return _hash_in(items)

    def some_of(self, fql: str, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest alerts of a filter, at most `limit`."""
        limit = min(limit, self.newest_page.size or self.newest_by_id.size or limit)
        answer = self.page(fql, limit=limit, sort=NEWEST_FIRST)
        if answer.ok:
            return self._documents(answer)
        found = self.ids(fql, limit=limit, sort=NEWEST_FIRST)
        ids = [composite_id for document in found.documents if (composite_id := _text(document))]
        return self._documents(self.by_id(ids)) if ids else []

    def largest(self, request: Callable[[int], Observation], *, most: int = SIZES[0]) -> Sized:
        """Ask for fewer and fewer until a request is not refused as too large or too slow."""
        refusals: list[int] = []
        sizes = [most, *(size for size in SIZES if size < most)] if most else [SIZES[-1]]
        for size in sizes:
            answer = request(size)
            if answer.status not in TOO_LARGE:
                return Sized(size if answer.ok else 0, answer, tuple(refusals))
            refusals.append(answer.status)
        return Sized(0, answer, tuple(refusals))

    def _documents(self, answer: Observation) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for raw in answer.documents if answer.ok else ():
            try:
                found.append(decode_document(raw))
            except (msgspec.MsgspecError, RecursionError):
                continue
        return found

    def _ask(
        self, endpoint: str, request: Callable[[], Observation], tries: int, ids: Sequence[str] = ()
    ) -> Observation:
        was_in_part = False
        for attempt in range(1, tries + 1):
            answer = request()
            self.requests += 1
            self.answers.append(answer)
            if answer.ok:
                self.seconds.setdefault(endpoint, []).append(answer.seconds)
            in_part = _is_in_part(answer, ids)
            if in_part:
                was_in_part = True
                self.part_codes.update(problem.status for problem in answer.body.problems)
            if not in_part and answer.status < 500:
                break
            if attempt < tries and not in_part:
                self.clock.wait(backoff(attempt, self.clock.chance()))
        self.parts += was_in_part
        self.unmended_parts += in_part
        return answer


def cannot_tell(question: str, why: str, effect: str = "The tool holds up under either answer.") -> Finding:
    """Return the finding of a question that stays open."""
    return Finding(question=question, answer=CANNOT_TELL, what=why, effect=effect)


def _is_in_part(answer: Observation, ids: Sequence[str]) -> bool:
    """Return whether a 2xx has errors that are neither about an id asked for nor about an expired `after`."""
    return answer.in_part and not all(
        problem.is_about(ids) or is_expired_search(problem.text) for problem in answer.body.problems
    )


def _is_refused(answer: Observation) -> bool:
    """Return whether a 200 is a refusal in truth: errors, and no total."""
    return answer.in_part and not answer.documents and not answer.body.total


def _hash_in(items: Sequence[dict[str, Any]]) -> str:
    for item in items:
        found = value_at(item, ["entities", "sha256"])
        for digest in map(as_sha256, found if isinstance(found, list) else ()):
            if digest:
                return digest
    return ""


def _text(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
