"""Flight Control: the children that a parent's login sees, by the endpoints of gofalcon's mssp client."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from falcon_bulk.config.setting_readers import CID
from falcon_bulk.errors import Unreachable
from falcon_bulk.falcon.response_classifier import FIND_CHILDREN, GET_CHILDREN
from falcon_bulk.falcon.responses import ApiResponse
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.alert import text
from falcon_bulk.model.customer import Child

PAGE = 100
"""Children in a request."""
_CHECKSUM = re.compile(r"-[0-9a-f]{2}\Z")


class ChildLink(msgspec.Struct, frozen=True):
    """The used part of gofalcon's `domain.ChildLink`."""

    child_cid: Any = None
    name: Any = None
    status: Any = None


class FlightControl:
    """The children of one parent. service: FalconPy's FlightControl object."""

    def __init__(self, transport: Transport, service: Any) -> None:
        self._call = transport.call
        self._service = service

    def children(self) -> list[Child]:
        """Return all children, sorted by name and CID. Raises MissingScope, Unreachable, and what reading raises."""
        ids = self._ids()
        links = {cid: Child(cid=cid) for cid in ids}
        for start in range(0, len(ids), PAGE):
            answer = self._call(GET_CHILDREN, self._service.get_children_v2, ids=ids[start : start + PAGE])
            for link in _decoded(answer, ChildLink):
                cid = _checked_cid(link.child_cid)
                if cid in links:
                    links[cid] = Child(cid=cid, name=text(link.name), status=text(link.status))
        return sorted(links.values(), key=lambda child: (child.name.casefold(), child.cid))

    def _ids(self) -> list[str]:
        ids: dict[str, None] = {}
        offset = total = 0
        while True:
            answer: ApiResponse = self._call(
                FIND_CHILDREN,
                self._service.query_children,
                limit=PAGE,
                offset=offset,
                sort="last_modified_timestamp|asc",
            )
            page = [_checked_cid(value) for value in _decoded(answer, str)]
            total = max(total, answer.total)
            ids.update(dict.fromkeys(page))
            offset += len(page)
            if not page or len(ids) >= total:
                break
        if len(ids) < total:
            raise Unreachable(
                f"Falcon counts {total:,} children and lists {len(ids):,}.", "Run the command again in a minute."
            )
        return list(ids)


def _decoded(answer: ApiResponse, kind: Any) -> Iterator[Any]:
    for resource in answer.resources or ():
        try:
            yield msgspec.json.decode(resource, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Unreachable("Falcon lists a child that cannot be read.", "Run the command again.") from None


def _checked_cid(value: object) -> str:
    """Return a CID as env files have it: in lower case, without its checksum."""
    cid = _CHECKSUM.sub("", text(value).strip().lower())
    if not CID.fullmatch(cid):
        raise Unreachable("Falcon lists a child whose CID is none.", "Run the command again.")
    return cid
