"""Route calls to endpoints, after checking tokens, scopes and rate limits."""

import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import NamedTuple

from falcon_emulator import damaged_answers
from falcon_emulator.access import Token
from falcon_emulator.endpoints import aggregates, changing, flight_control, indicators, oauth, reading
from falcon_emulator.faults import Fault
from falcon_emulator.http import TRACE_HEADER, Answer, ApiError, Call, refusal, region_header
from falcon_emulator.tenant import Tenant

DECOMMISSIONED = "API endpoint has been decommissioned as per TA: see the release notes"


FLIGHT_CONTROL = "flight-control:read"
RETIRED = ("GET", "/alerts/queries/alerts/v1")  # 400 since 2025 (elastic/integrations #15963); its text is not known
DEPRECATED_ON = "2027-06-30"


class Route(NamedTuple):
    """An endpoint: its name in switches, faults and the request log, its required scope, and its handler."""

    endpoint: str
    scope: str
    handler: Callable[[Tenant, Call, Token], Answer]


ROUTES = {
    ("GET", "/alerts/queries/alerts/v2"): Route("queries", "alerts:read", reading.queries),
    ("POST", "/alerts/entities/alerts/v2"): Route("entities", "alerts:read", reading.entities),
    ("POST", "/alerts/combined/alerts/v1"): Route("combined", "alerts:read", reading.combined),
    ("POST", "/alerts/aggregates/alerts/v2"): Route("aggregates", "alerts:read", aggregates.aggregates),
    ("PATCH", "/alerts/entities/alerts/v3"): Route("patch", "alerts:write", changing.patch),
    ("GET", "/iocs/queries/indicators/v1"): Route("indicators", "ioc:read", indicators.queries),
    ("GET", "/iocs/entities/indicators/v1"): Route("indicators", "ioc:read", indicators.entities),
    ("POST", "/iocs/entities/indicators/v1"): Route("indicators", "ioc:write", indicators.create),
    ("PATCH", "/iocs/entities/indicators/v1"): Route("indicators", "ioc:write", indicators.update),
    ("GET", "/mssp/queries/children/v1"): Route("children", FLIGHT_CONTROL, flight_control.queries),
    ("POST", "/mssp/entities/children/GET/v2"): Route("children", FLIGHT_CONTROL, flight_control.entities),
    ("DELETE", "/iocs/entities/indicators/v1"): Route("indicators", "ioc:write", indicators.delete),
}
_LOGIN = {
    ("POST", "/oauth2/token"): ("token", oauth.token),
    ("POST", "/oauth2/revoke"): ("revoke", oauth.revoke),
}


def endpoint(call: Call) -> str:
    """Return the name of a call's endpoint, or "unknown"."""
    key = (call.method, call.path)
    return ROUTES[key].endpoint if key in ROUTES else _LOGIN[key][0] if key in _LOGIN else "unknown"


def handle(tenant: Tenant, call: Call, fault: Fault | None = None) -> Answer:
    """Carry out a call and return the answer that Falcon would give."""
    tenant.store.process_due(tenant.clock.now())
    login = (call.method, call.path) in _LOGIN
    headers = region_header(tenant.switches) | {TRACE_HEADER: str(uuid.uuid4())}
    try:
        if call.target_length > tenant.switches.url_limit:
            raise ApiError(414, "Request-URI Too Large")
        answer = _login(tenant, call, headers) if login else _api(tenant, call, headers, fault)
    except ApiError as reason:
        answer = refusal(reason, tenant.switches, "csam" if login else "detectsapi")
    if tenant.switches.clock_ahead:
        headers["Date"] = formatdate(time.time() + tenant.switches.clock_ahead, usegmt=True)
    answer.headers = headers | answer.headers
    return answer


def _login(tenant: Tenant, call: Call, headers: dict[str, str]) -> Answer:
    headers |= tenant.rate.count("login", call.remote, tenant.switches.token_limit, tenant.clock.now())
    return _LOGIN[call.method, call.path][1](tenant, call)


def _api(tenant: Tenant, call: Call, headers: dict[str, str], fault: Fault | None) -> Answer:
    now = tenant.clock.now()
    try:
        token = tenant.access.bearer(call, now)
    except ApiError:
        headers |= tenant.rate.count("bad token", call.remote, tenant.switches.bad_token_limit, now)
        raise
    headers |= tenant.rate.count("cid", token.cid, tenant.switches.rate_limit, now)
    route = ROUTES.get((call.method, call.path))
    if (call.method, call.path) == RETIRED:
        raise ApiError(400, "failed to read and parse request")
    if route is None:
        raise ApiError(404, DECOMMISSIONED if call.path.startswith("/detects/") else "404: Page Not Found")
    tenant.access.require(route.scope)
    if tenant.switches.deprecation and call.path.startswith("/alerts/"):
        headers |= {"X-Api-Deprecation": tenant.switches.deprecation, "X-Api-Deprecation-Date": DEPRECATED_ON}
    if route.endpoint == "patch":
        return changing.patch(tenant, call, token, fault)
    answer = route.handler(tenant, call, token)
    return answer if route.scope.endswith(":write") else damaged_answers.cut_by_switch(tenant, route.endpoint, answer)
