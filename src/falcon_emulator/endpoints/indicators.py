"""The IOC endpoints: /iocs/queries/indicators/v1 and /iocs/entities/indicators/v1."""

from typing import Any

import msgspec

from falcon_emulator import paging
from falcon_emulator.access import Token
from falcon_emulator.http import Answer, ApiError, Call, envelope, error
from falcon_emulator.indicator_search import matching, order_of, visible
from falcon_emulator.indicators import Draft, Indicator
from falcon_emulator.tenant import Tenant

WINDOW = 10_000
DEFAULT_LIMIT = 100
MAX_LIMIT = 500
MAX_BATCH = 2000
POWERED_BY = "ioc-management"

Problem = dict[str, Any]


class Creation(msgspec.Struct):
    """The body of a creation."""

    indicators: list[Draft]
    comment: str = ""


class Update(msgspec.Struct):
    """The body of an update."""

    indicators: list[dict[str, Any]]
    comment: str = ""


def queries(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return matching ids, by offset up to 10,000 (beyond it a 500, gofalcon #101) or by `after`, never both."""
    limit, offset = call.int_parameter("limit", DEFAULT_LIMIT), call.int_parameter("offset", 0)
    text, after = call.query.get("filter", ""), call.query.get("after", "")
    if not 1 <= limit <= MAX_LIMIT or ("offset" in call.query and after):
        raise ApiError(400, f"limit must be between 1 and {MAX_LIMIT}; offset and after exclude each other")
    if offset > WINDOW:
        raise ApiError(500, "Internal Server Error")
    sort = call.query.get("sort", "")
    order = order_of(sort, tenant, token)
    found = order.sorted(matching(tenant, token, text, visible(tenant, token, _from_parent(call))))
    tie = paging.digest(text, sort)
    now = tenant.clock.now()
    start = offset
    if after:
        start = order.position_after(found, *paging.decode(after, tie, tenant.switches, now).after)
    page = found[start : start + limit]
    pagination: dict[str, Any] = {"limit": limit, "offset": offset, "total": len(found)}
    if page and start + limit < len(found):
        last = (order.key(page[-1]), page[-1].id)
        pagination["after"] = paging.encode(paging.Cursor(last, start + len(page), len(found), tie, now))
    ids = [indicator.id for indicator in page]
    return envelope(tenant.switches, ids, powered_by=POWERED_BY, pagination=pagination)


def entities(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return documents by id, also of the parent's indicators; unknown ids are left out."""
    seen = {indicator.id: indicator for indicator in [*visible(tenant, token, False), *visible(tenant, token, True)]}
    return _documents(
        tenant, token, [seen[indicator_id] for indicator_id in call.lists.get("ids", []) if indicator_id in seen]
    )


def create(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Create indicators: 201, or 400 and no creation if one has a problem or an unignored warning.

    With the switch bad_indicator=only_itself the others are created; the 201 lists them and the problems.
    """
    drafts = _decoded(call, Creation).indicators
    _check_size(drafts)
    now = tenant.clock.now()
    problems = _problems(drafts, now)
    if not call.bool_parameter("ignore_warnings", False):
        problems += _warnings(tenant, drafts, token)
    if problems and tenant.switches.bad_indicator == "refuses_all":
        return _rejected(tenant, problems)
    bad = {problem["row"] for problem in problems}
    good = [draft for row, draft in enumerate(drafts, start=1) if row not in bad]
    stored = [tenant.indicators.put(token.cid, draft, tenant.client_id, now) for draft in good]
    made = [indicator.document(now, token.cid) for indicator in stored]
    return envelope(tenant.switches, [*made, *problems], status=201, powered_by=POWERED_BY)


def update(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Change fields of indicators by id, all or none; type and value stay."""
    changes = _decoded(call, Update).indicators
    _check_size(changes)
    now = tenant.clock.now()
    mine = {indicator.id: indicator for indicator in tenant.indicators.of(token.cid)}
    drafts = []
    for change in changes:
        existing = mine.get(str(change.get("id")))
        if existing is None:
            raise ApiError(404, f"indicator not found: {change.get('id')}")
        fixed = {"type": existing.draft.type, "value": existing.draft.value}
        try:
            drafts.append(msgspec.convert(msgspec.to_builtins(existing.draft) | change | fixed, Draft))
        except msgspec.ValidationError:
            raise ApiError(400, "failed to read and parse request") from None
    if problems := _problems(drafts, now):
        return _rejected(tenant, problems)
    return _documents(
        tenant, token, [tenant.indicators.put(token.cid, draft, tenant.client_id, now) for draft in drafts]
    )


def delete(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Delete the CID's own indicators by `filter`, else by `ids`, all or none; resources are the ids.

    `filter` beats `ids`.
    """
    text = call.query.get("filter", "")
    candidates = [indicator for indicator in visible(tenant, token, _from_parent(call)) if indicator.cid == token.cid]
    ids = (
        [indicator.id for indicator in matching(tenant, token, text, candidates)] if text else call.lists.get("ids", [])
    )
    if not ids and not text:
        raise ApiError(400, "ids must not be empty")
    mine = {indicator.id for indicator in candidates}
    if unknown := [indicator_id for indicator_id in ids if indicator_id not in mine]:
        raise ApiError(404, f"indicator not found: {unknown[0]}")
    for indicator_id in dict.fromkeys(ids):
        tenant.indicators.remove(indicator_id)
    return envelope(tenant.switches, ids, powered_by=POWERED_BY)


def _from_parent(call: Call) -> bool | None:
    return call.bool_parameter("from_parent", False) if "from_parent" in call.query else None


def _decoded(call: Call, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(call.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(400, "failed to read and parse request") from None


def _check_size(batch: list[Any]) -> None:
    if not 1 <= len(batch) <= MAX_BATCH:
        raise ApiError(400, f"between 1 and {MAX_BATCH} indicators are expected")


def _problems(drafts: list[Draft], now: int) -> list[Problem]:
    rows = enumerate(drafts, start=1)
    return [_problem(row, draft, "error", text) for row, draft in rows for text in draft.problems(now)]


def _warnings(tenant: Tenant, drafts: list[Draft], token: Token) -> list[Problem]:
    """Return a warning for each draft that exists already, or twice in the request."""
    problems, seen = [], set()
    for row, draft in enumerate(drafts, start=1):
        key = (draft.type, draft.value.lower())
        if key in seen or tenant.indicators.same(token.cid, draft):
            text = f"Warning: Duplicate type: '{draft.type}' and value: '{draft.value}'"
            problems.append(_problem(row, draft, "warning", text))
        seen.add(key)
    return problems


def _problem(row: int, draft: Draft, kind: str, text: str) -> Problem:
    return {"row": row, "type": draft.type, "value": draft.value, "message_type": kind, "message": text}


def _rejected(tenant: Tenant, problems: list[Problem]) -> Answer:
    if tenant.switches.indicator_problems == "errors":
        errors = [error(400, str(problem["message"]), row=problem["row"]) for problem in problems]
        return envelope(tenant.switches, None, errors, status=400, powered_by=POWERED_BY)
    errors = [error(400, "indicators were rejected; see resources")]
    return envelope(tenant.switches, problems, errors, status=400, powered_by=POWERED_BY)


def _documents(tenant: Tenant, token: Token, indicators: list[Indicator]) -> Answer:
    now = tenant.clock.now()
    documents = [indicator.document(now, token.cid) for indicator in indicators]
    return envelope(tenant.switches, documents, powered_by=POWERED_BY)
