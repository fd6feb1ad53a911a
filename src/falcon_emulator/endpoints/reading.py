"""The endpoints that read alerts: queries v2, entities v2 and combined v1."""

import msgspec

from falcon_emulator import paging
from falcon_emulator.access import DENIED, Token
from falcon_emulator.alert_records import Alert
from falcon_emulator.documents import render
from falcon_emulator.fql import FqlError, fields_of
from falcon_emulator.http import Answer, ApiError, Call, envelope, error
from falcon_emulator.ordering import parse_sort
from falcon_emulator.search import Query
from falcon_emulator.seeded_random import seeded
from falcon_emulator.tenant import Tenant

WINDOW = 10_000
MAX_COMBINED = 1000
DEFAULT_LIMIT = 100
MISSING = ApiError(404, "404: Page Not Found")


class Ids(msgspec.Struct):
    """The ids in a body; older API versions call them `ids`."""

    composite_ids: list[str] | None = None
    ids: list[str] | None = None


class Combined(msgspec.Struct):
    """The body of combined.

    Fields it does not have, such as include_hidden, are ignored (falcon-mcp #482).
    """

    after: str | None = None
    filter: str | None = None
    limit: int | None = None
    sort: str | None = None


def queries(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return the ids of matching alerts, by offset, within the first 10,000."""
    limit, offset = call.int_parameter("limit", DEFAULT_LIMIT), call.int_parameter("offset", 0)
    if limit > tenant.switches.queries_max_limit:
        raise ApiError(400, f"limit must be between 0 and {tenant.switches.queries_max_limit}")
    _check_page(tenant, limit)
    if offset + limit > WINDOW:
        if tenant.switches.window_error == 500:
            raise ApiError(500, "Internal Server Error")
        raise ApiError(
            400,
            f"offset {offset} and limit {limit} are invalid; offset + limit must be less than or equal to {WINDOW}",
        )
    query = Query(
        call.query.get("filter", ""),
        call.query.get("sort", ""),
        call.query.get("q", ""),
        call.bool_parameter("include_hidden", True),
        token.cids,
    )
    found = find(tenant, query)
    pagination = {"offset": offset, "limit": limit, "total": len(found)}
    ids = [alert.composite_id for alert in found[offset : offset + limit]]
    return envelope(tenant.switches, ids, pagination=pagination)


def entities(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return documents by id, in no particular order (falcon-mcp #463), without index lag."""
    asked = composite_ids(call.json(), tenant.switches.entities_max_ids)
    _check_page(tenant, len(asked))
    include_hidden = call.bool_parameter("include_hidden", True)
    found, unknown = find_by_id(tenant, token, asked)
    shown = [alert for alert in found if include_hidden or alert.state.show_in_ui is not False]
    seeded(call.number).shuffle(shown)
    errors = (
        [error(404, "alert not found", id=composite_id) for composite_id in unknown]
        if tenant.switches.unknown_entity == "errors"
        else []
    )
    return envelope(tenant.switches, [render(alert, alert.state) for alert in shown], errors)


def combined(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return a page of documents from the search index; `after` in the body selects the next page."""
    if tenant.switches.combined_mode != "works":
        raise MISSING if tenant.switches.combined_mode == "missing_404" else ApiError(403, DENIED)
    try:
        body = msgspec.json.decode(call.body, type=Combined)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(400, "failed to read and parse request") from None
    limit = DEFAULT_LIMIT if body.limit is None else body.limit
    if not 0 <= limit <= MAX_COMBINED:
        raise ApiError(400, f"limit must be between 0 and {MAX_COMBINED}")
    _check_page(tenant, limit)
    hidden = tenant.switches.combined_hidden == "included"
    query = Query(body.filter or "", body.sort or "", include_hidden=hidden, cids=token.cids)
    found = find(tenant, query)
    tie = paging.digest(query.filter, query.sort)
    now = tenant.clock.now()
    cursor = paging.decode(body.after, tie, tenant.switches, now) if body.after else None
    sorting = parse_sort(query.sort, tenant.switches)
    start = sorting.position_after(found, *cursor.after) if cursor else 0
    page = [] if _is_emptied(tenant, body.after) else found[start : start + limit]
    pagination: dict[str, object] = {"limit": limit, "total": len(found)}
    endless = tenant.switches.empty_page == "last"
    if page and (endless or start + limit < len(found)):
        fetched = len(page) + (cursor.total_fetched if cursor else 0)
        last = (sorting.key(page[-1]), page[-1].composite_id)
        pagination["after"] = paging.encode(paging.Cursor(last, fetched, len(found), tie, now))
    elif body.after and tenant.switches.empty_page != "never" and not page:
        pagination["after"] = body.after
    elif tenant.switches.last_after == "empty":
        pagination["after"] = ""
    return envelope(tenant.switches, [render(alert, alert.indexed) for alert in page], pagination=pagination)


def _check_page(tenant: Tenant, size: int) -> None:
    """Raise ApiError 504 for a page that is larger than the switch allows."""
    if 0 < tenant.switches.slow_page < size:
        raise ApiError(504, "Gateway Timeout")


def _is_emptied(tenant: Tenant, after: str | None) -> bool:
    """Return whether the page of `after` is left out now, although it has alerts."""
    if not after or tenant.switches.empty_page not in ("once", "always"):
        return False
    known = after in tenant.emptied
    tenant.emptied.add(after)
    return tenant.switches.empty_page == "always" or not known


def find(tenant: Tenant, query: Query) -> list[Alert]:
    """Search for alerts. Raises ApiError 400 for an invalid filter, 500 for one with a field that fails."""
    try:
        failing = set(tenant.switches.failing_fields.split())
        if failing and query.filter.strip() and failing & fields_of(query.filter):
            raise ApiError(500, "Internal Server Error")
        return tenant.search.find(query, tenant.clock.now())
    except FqlError as refused:
        raise ApiError(400, str(refused)) from None


def composite_ids(body: object, most: int) -> list[str]:
    """Return the distinct ids in a body.

    Raises ApiError 413 for more than `most` ids, 400 for none.
    """
    try:
        named = msgspec.convert(body, Ids)
    except msgspec.ValidationError:
        raise ApiError(400, "failed to read and parse request") from None
    if named.ids is not None and named.composite_ids is None:
        raise ApiError(400, "invalid element in the request")
    if not named.composite_ids:
        raise ApiError(400, "composite_ids must not be empty")
    if len(named.composite_ids) > most:
        raise ApiError(413, "request too large")
    return list(dict.fromkeys(named.composite_ids))


def find_by_id(tenant: Tenant, token: Token, ids: list[str]) -> tuple[list[Alert], list[str]]:
    """Return the alerts of `ids` that the token may see, and the ids of the others."""
    found, unknown = [], []
    for composite_id in ids:
        alert = tenant.store.by_id.get(composite_id)
        if alert is None or (token.cids is not None and alert.cid not in token.cids):
            unknown.append(composite_id)
        else:
            found.append(alert)
    return found, unknown
