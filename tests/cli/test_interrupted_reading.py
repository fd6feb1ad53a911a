"""Ctrl-C while alerts are read: 130 and one sentence, for one customer and for a round."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from falcon_bulk.cli.signals import interrupt_on_sigint
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


@pytest.mark.parametrize("is_interrupted", [True, False])
def test_a_lock_that_ctrl_c_breaks_is_an_interruption_and_no_defect(is_interrupted: bool) -> None:
    """The standard library releases a lock in vain where Ctrl-C came while it was being taken."""

    def break_a_lock() -> None:
        with interrupt_on_sigint():
            if is_interrupted:
                with suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
            raise RuntimeError("release unlocked lock")

    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt if is_interrupted else RuntimeError):
            break_a_lock()
    finally:
        signal.signal(signal.SIGINT, former)
