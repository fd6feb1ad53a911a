"""No secret and no token in what an error says, nor in the errors behind it."""

from collections.abc import Callable, Iterator

import pytest
import requests
import urllib3

from falcon_bulk.errors import FalconBulkError
from falcon_bulk.model.plan import Action
from tests.support.fake_clock import FakeClock
from tests.support.scripted_falcon import (
    LOGIN_PATH,
    PATCH,
    QUERY,
    SECRET,
    TOKEN,
    Reply,
    ScriptedFalcon,
    broken,
    logged_in,
    refused,
)

EVENTS: dict[str, Reply] = {
    **{str(status): refused(status) for status in (400, 401, 403, 404, 413, 429, 500, 503)},
    "redirect": Reply(308, "", {"Location": "https://evil.example/oauth2/token"}),
    "HTML": Reply(200, "<html>"),
    "half": Reply(200, f'{{"access_token": "{TOKEN}'),
    "reset": broken(requests.ConnectionError(urllib3.exceptions.ProtocolError(f"{SECRET} {TOKEN}"))),
    "bad URL": broken(requests.exceptions.InvalidURL(f"https://{SECRET}@x {TOKEN}")),
    "TLS": broken(requests.exceptions.SSLError(f"certificate verify failed {SECRET} {TOKEN}")),
}
CALLS = {
    LOGIN_PATH: lambda timing: _use(timing, lambda tenant: None),
    QUERY: lambda timing: _use(timing, lambda tenant: tenant.alerts.count("")),
    PATCH: lambda timing: _use(timing, lambda tenant: tenant.alerts.update(["a"], (Action("update_status", "new"),))),
}


def _use(timing: FakeClock, call: Callable[..., object]) -> None:
    with logged_in(timing) as tenant:
        call(tenant)


def behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that led to it and would be shown."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("path", CALLS)
def test_no_error_shows_the_secret_or_the_token(path: str, event: str, falcon: ScriptedFalcon) -> None:
    falcon.answer(path, EVENTS[event])
    with pytest.raises(FalconBulkError) as caught:
        CALLS[path](FakeClock())
    for error in behind(caught.value):
        shown = f"{error!r} {error} {getattr(error, 'hint', '')}"
        assert SECRET not in shown
        assert TOKEN not in shown


def test_neither_the_tenant_nor_its_settings_show_the_secret(falcon: ScriptedFalcon) -> None:
    with logged_in(FakeClock()) as tenant:
        assert SECRET not in repr(tenant) + repr(vars(tenant))


def test_falconpy_never_holds_the_token(falcon: ScriptedFalcon) -> None:
    with logged_in(FakeClock()) as tenant:
        tenant.alerts.count("")
        assert TOKEN not in str(tenant._auth.token_value)
