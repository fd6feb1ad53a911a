"""Search a tenant's indicators: which ones a token sees, matching a filter, in order.

An MSSP parent's indicators act on its children too. A child sees them with `from_parent`; what it sees without is not
known, so there is a switch. Fields that can be sorted by are those of falcon-mcp's guide.
"""

from operator import attrgetter

from falcon_emulator.access import Token
from falcon_emulator.fql import FqlError, parse
from falcon_emulator.http import ApiError
from falcon_emulator.indicators import Indicator, field
from falcon_emulator.matching import Terms, predicate
from falcon_emulator.ordering import Order, split_sort
from falcon_emulator.tenant import Tenant

SORTABLE = (
    "action",
    "applied_globally",
    "created_on",
    "expiration",
    "modified_on",
    "severity_number",
    "source",
    "type",
    "value",
)


def visible(tenant: Tenant, token: Token, from_parent: bool | None) -> list[Indicator]:
    """Return the indicators of the token's CID, or with `from_parent` those of its parent; None is the default."""
    own = tenant.indicators.of(token.cid)
    parents = tenant.indicators.of(tenant.cid) if token.cid != tenant.cid else []
    if from_parent is None:
        return own + parents if tenant.switches.parent_indicators == "shown" else own
    return parents if from_parent else own


def matching(tenant: Tenant, token: Token, text: str, indicators: list[Indicator]) -> list[Indicator]:
    """Return the indicators that match the filter `text`. Raises ApiError 400 for an invalid one."""
    if not text:
        return indicators
    now = tenant.clock.now()
    try:
        node = parse(text, tenant.switches.bare_mix)
        terms = Terms(tenant.switches, now, lambda name: field(name, now, token.cid))
        return list(filter(predicate(node, terms), indicators))
    except FqlError as refused:
        raise ApiError(400, str(refused)) from None


def order_of(sort: str, tenant: Tenant, token: Token) -> Order:
    """Return the order of `field.asc` or `field|desc`; by id where the field cannot be sorted by."""
    name, direction = split_sort(sort)
    known = direction and name in SORTABLE
    found = field(name if known else "id", tenant.clock.now(), token.cid)
    assert found is not None, "indicators have an id and every field they sort by"
    return Order(found, descending=bool(known) and direction == "desc", identity=attrgetter("id"))
