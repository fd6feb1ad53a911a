"""POST /oauth2/token and /oauth2/revoke. Known from the swagger; error texts from public reports."""

from urllib.parse import parse_qs

import msgspec

from falcon_emulator.http import REGION_HEADER, Answer, ApiError, Call, envelope
from falcon_emulator.tenant import Tenant

FORM = "application/x-www-form-urlencoded"


def token(tenant: Tenant, call: Call) -> Answer:
    """Log in: 201 with a bearer token, limited to one child CID by `member_cid`.

    A tenant of another region is named by X-Cs-Region, without a redirect (falconpy #460).
    """
    form = _form(call)
    if not form.get("client_id") or not form.get("client_secret"):
        raise ApiError(400, "client_id and client_secret are required")
    now = tenant.clock.now()
    issued = tenant.access.issue(form["client_id"], form["client_secret"], form.get("member_cid", ""), now)
    body = {"access_token": issued.value, "expires_in": tenant.switches.token_seconds, "token_type": "bearer"}
    region = tenant.switches.login_region
    return Answer(201, msgspec.json.encode(body), {} if region == "same" else {REGION_HEADER: region})


def revoke(tenant: Tenant, call: Call) -> Answer:
    """Revoke the token in the form, with Basic authentication."""
    tenant.access.revoke(call.headers.get("Authorization", ""), _form(call).get("token", ""))
    return envelope(tenant.switches, None, powered_by="csam")


def _form(call: Call) -> dict[str, str]:
    if not call.headers.get("Content-Type", "").startswith(FORM):
        raise ApiError(400, "invalid request content type")
    try:
        return {name: values[-1] for name, values in parse_qs(call.body.decode(), keep_blank_values=True).items()}
    except UnicodeDecodeError:
        raise ApiError(400, "failed to read and parse request") from None
