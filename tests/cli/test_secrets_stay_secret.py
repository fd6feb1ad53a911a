"""A sentinel in place of the secret is looked for in everything a command shows or leaves behind."""

from typing import Any

import pytest

from falcon_emulator import Fault
from tests.support.command import CommandRunner
from tests.support.secret_sentinel import assert_not_leaked, guard, quoted

LOUD = ("--debug", "--verbose", "--log-file", "http.log")
CHANGE = ("bulk-close", "--product", "epp", "--yes", "--max", "1000", "--override", "all", "--batch-delay", "0")


@pytest.fixture
def guarded(acme: Any) -> CommandRunner:
    """A tenant whose API client has the sentinel for its secret."""
    shell: CommandRunner = acme(alerts=80)
    guard(shell)
    return shell


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", endpoint="combined", status=401, times=None),
        Fault(kind="status", endpoint="token", status=403, text="nothing for this client", times=None),
        Fault(kind="redirect", endpoint="token", location="https://evil.example/oauth2/token", times=None),
        Fault(kind="html", endpoint="combined", status=200, times=None),
        Fault(kind="status", endpoint="patch", status=401, times=None),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.endpoint}",
)
@pytest.mark.slow
def test_when_falcon_refuses(guarded: CommandRunner, fault: Fault) -> None:
    guarded.server.call(lambda: guarded.tenant.faults.add(fault))
    runs = [guarded("query", "--all", *LOUD), guarded(*CHANGE, *LOUD)]
    assert any(done.code for done in runs)
    assert_not_leaked(guarded, *runs)


def test_when_the_secret_was_put_where_the_url_belongs(guarded: CommandRunner) -> None:
    text = guarded.env_file.read_text().replace(guarded.server.url, quoted())
    done = guarded.bare("query", "--env-file", str(guarded.write_env("swapped.env", text)), *LOUD)
    assert done.code == 4
    assert_not_leaked(guarded, done)
