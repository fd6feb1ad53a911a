"""Ctrl-C while alerts are read: 130 and one sentence, for one customer and for a round."""

import time
from collections.abc import Callable

import pytest

from tests.support.command import PATIENCE, CommandRunner
from tests.support.sampling import quick_first

Acme = Callable[..., CommandRunner]


def asked_for_alerts(shell: CommandRunner) -> None:
    """Until the command has asked for alerts; the answer takes its time."""
    deadline = time.monotonic() + PATIENCE
    while not any(request.endpoint == "aggregates" for request in shell.requests()):
        assert time.monotonic() < deadline, "no alerts were asked for"
        time.sleep(0.02)


@pytest.mark.parametrize("whom", quick_first("--customer=acme", "--all-customers"))
def test_ctrl_c_while_alerts_are_read_says_so_in_a_sentence(acme: Acme, whom: str) -> None:
    shell = acme(alerts=20, latency_aggregates=2.0)
    with shell.terminal("query", "--all", whom, customer=None, out_to_pipe=True) as terminal:
        asked_for_alerts(shell)
        terminal.type("\x03")
        done = terminal.finish()
    assert done.code == 130, done
    assert done.out == b""
    assert [line for line in done.err.splitlines() if line.startswith("Error: ")] == ["Error: Interrupted."], done
    assert "Traceback" not in done.err
