"""POST /alerts/aggregates/alerts/v2."""

import msgspec

from falcon_emulator.access import DENIED, Token
from falcon_emulator.aggregate_specs import INVALID, Spec, check
from falcon_emulator.aggregation import Aggregation
from falcon_emulator.endpoints.reading import find
from falcon_emulator.http import Answer, ApiError, Call, envelope
from falcon_emulator.search import Query
from falcon_emulator.seeded_random import seeded
from falcon_emulator.tenant import Tenant

REFUSALS = {"refuse_500": ApiError(500, "Internal Server Error"), "refuse_403": ApiError(403, DENIED)}


def aggregates(tenant: Tenant, call: Call, token: Token) -> Answer:
    """Return one result per specification, in a different order (falcon-mcp PR #483)."""
    mode = tenant.switches.aggregates_mode
    if mode in REFUSALS:
        raise REFUSALS[mode]
    try:
        specs = msgspec.json.decode(call.body, type=list[Spec])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(400, INVALID) from None
    aggregation = Aggregation(tenant.switches, tenant.clock.now())
    for spec in specs:
        check(spec, tenant.switches)
    include_hidden = call.bool_parameter("include_hidden", True)
    results = []
    for spec in specs:
        query = Query(spec.filter, q=spec.q, include_hidden=include_hidden, cids=token.cids)
        found = [] if mode == "empty" else find(tenant, query)
        results.append(aggregation.result(spec, found))
    seeded(call.number).shuffle(results)
    return envelope(tenant.switches, results)
