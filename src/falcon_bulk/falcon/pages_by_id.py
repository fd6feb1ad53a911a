"""Pages of documents without combined v1: ids from queries v2, documents from entities v2.

queries v2 shows the first 10,000 results only, so in the order of created_timestamp the next window starts at the time
of the last alert; its alerts of that time come a second time.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from falcon_bulk.errors import Rejected
from falcon_bulk.falcon.fql import is_instant
from falcon_bulk.falcon.page import OLDEST_FIRST, Page
from falcon_bulk.model.alert import text
from falcon_bulk.model.alert_decoder import composite_id_of, decode_alert

WINDOW = 10_000
_PREFIX = "ids:"


class _Position(msgspec.Struct, frozen=True):
    """What the token of a page holds. since: the start of the window, '' for all time."""

    since: str = ""
    offset: int = 0


_decode_position = msgspec.json.Decoder(_Position).decode


class IdSearch(Protocol):
    """`Alerts.ids`."""

    def __call__(self, fql: str, *, offset: int, limit: int, sort: str) -> tuple[list[str], int]: ...


class DocumentsById(Protocol):
    """`Alerts.by_id`."""

    def __call__(self, ids: Sequence[str]) -> list[msgspec.Raw]: ...


class PagesById:
    """Reads pages as combined v1 does, hidden alerts included."""

    def __init__(self, ids: IdSearch, by_id: DocumentsById) -> None:
        self._ids = ids
        self._by_id = by_id

    @staticmethod
    def is_own(after: str) -> bool:
        """Return whether a token is of a page of this class: a chain that combined v1 began goes on there."""
        return not after or after.startswith(_PREFIX)

    def page(self, fql: str, *, after: str, sort: str, limit: int) -> Page:
        """Return one page. after: the token from a page with the same filter and sort.

        Raises Rejected beyond 10,000 alerts of one time, or in another order than oldest first.
        """
        position = _decode_position(after.removeprefix(_PREFIX)) if after else _Position()
        if position.offset + limit > WINDOW:
            limit = WINDOW - position.offset
        window = f"({fql})+" if fql else ""
        window = f"{window}created_timestamp:>='{position.since}'" if position.since else fql
        ids, total = self._ids(window, offset=position.offset, limit=limit, sort=sort)
        found = {composite_id_of(document): document for document in (self._by_id(ids) if ids else ())}
        documents = [found[composite_id] for composite_id in ids if composite_id in found]
        offset = position.offset + len(ids)
        if len(ids) < limit or offset >= total:
            return Page(documents, total, "")
        if offset >= WINDOW:
            position = _Position(self._next_window(documents, position, sort))
        else:
            position = _Position(position.since, offset)
        return Page(documents, total, _PREFIX + msgspec.json.encode(position).decode())

    def _next_window(self, documents: Sequence[msgspec.Raw], position: _Position, sort: str) -> str:
        last = text(decode_alert(documents[-1]).created_timestamp) if documents else ""
        if sort != OLDEST_FIRST or not is_instant(last) or last <= position.since:
            raise Rejected(
                "Falcon does not have the search that shows more than 10,000 alerts in this order.",
                "Leave out --sort, or select fewer alerts with --since and --until.",
                status=404,
            )
        return last
