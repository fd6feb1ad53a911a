"""Flight Control: a parent's children, by GET /mssp/queries/children/v1 and POST /mssp/entities/children/GET/v2.

Parameters from FalconPy's endpoint table, the shape of a child from gofalcon's domain_child_link.go. Assumptions: the
largest limit, the words of `status`, and that a child's own token is refused.
"""

import hashlib
from typing import Any

import msgspec

from falcon_emulator.access import DENIED, Token
from falcon_emulator.catalog import HOSTILE
from falcon_emulator.fields import Field
from falcon_emulator.fql import FqlError, parse
from falcon_emulator.http import Answer, ApiError, Call, envelope
from falcon_emulator.matching import Terms, predicate
from falcon_emulator.tenant import Tenant

POWERED_BY = "mssp-api"
DEFAULT_LIMIT = 10
MAX_LIMIT = 1000
SORTS = ("last_modified_timestamp|desc", "last_modified_timestamp|asc")
NAMES = ("Globex, Inc.", "Initech GmbH & Co. KG", "globex inc", "Acme (Test)")


class Ids(msgspec.Struct):
    """The body of a look-up by id."""

    ids: list[str]


def queries(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return the CIDs of children, 10 a page unless `limit` says otherwise, filtered by `cid` alone."""
    _require_parent(tenant, token)
    limit, offset = call.int_parameter("limit", DEFAULT_LIMIT), call.int_parameter("offset", 0)
    sort = call.query.get("sort", SORTS[0])
    if not 1 <= limit <= MAX_LIMIT or sort not in SORTS:
        raise ApiError(400, f"limit must be between 1 and {MAX_LIMIT}, and sort one of {', '.join(SORTS)}")
    found = _matching(tenant, call.query.get("filter", ""))
    ordered = found[::-1] if sort == SORTS[0] else found
    pagination = {"offset": offset, "limit": limit, "total": len(found)}
    return envelope(tenant.switches, ordered[offset : offset + limit], powered_by=POWERED_BY, pagination=pagination)


def entities(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return the children of `ids`; unknown ones are left out."""
    _require_parent(tenant, token)
    try:
        ids = msgspec.json.decode(call.body, type=Ids).ids
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(400, "failed to read and parse request") from None
    if not ids:
        raise ApiError(400, "ids must not be empty")
    known = [cid for cid in dict.fromkeys(ids) if cid in tenant.children]
    return envelope(tenant.switches, [_child(tenant, cid) for cid in known], powered_by=POWERED_BY)


def _require_parent(tenant: Tenant, token: Token) -> None:
    if token.cid != tenant.cid:
        raise ApiError(403, DENIED)


def _matching(tenant: Tenant, text: str) -> list[str]:
    if not text:
        return list(tenant.children)
    cid = Field("cid", "keyword", lambda child: child)
    terms = Terms(tenant.switches, tenant.clock.now(), lambda name: cid if name == "cid" else None)
    try:
        return list(filter(predicate(parse(text, tenant.switches.bare_mix), terms), tenant.children))
    except FqlError as refused:
        raise ApiError(400, str(refused)) from None


def _child(tenant: Tenant, cid: str) -> dict[str, Any]:
    number = tenant.children.index(cid)
    digest = hashlib.sha256(cid.encode()).hexdigest()
    names = HOSTILE if tenant.switches.child_names == "hostile" else NAMES
    more = f" {number + 1}" if number >= len(names) else ""
    return {
        "checksum": digest[:2].upper(),
        "child_cid": cid,
        "child_gcid": digest[2:34],
        "child_of": tenant.cid,
        "domains": [f"child{number + 1}.example.com"],
        "name": names[number % len(names)] + more,
        "status": "active",
    }
