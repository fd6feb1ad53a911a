"""A line stands while something is waited for, goes before anything else is shown, and Ctrl-C is answered at once."""

import io
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from falcon_bulk.cli.progress import DELAY, ProgressLine
from tests.support.command import CommandRunner, Terminal, serve_customers
from tests.support.sampling import quick_first
from tests.support.screen import screen_lines
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

LONG = 45.0
Acme = Callable[..., CommandRunner]


@pytest.fixture
def three(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, "acme", "globex", "initech", alerts=200) as shell:
        yield shell


def press_until_it_ends(terminal: Terminal) -> None:
    """Press Ctrl-C again and again; the same signal within a second counts as one."""
    deadline = time.monotonic() + 20.0
    while terminal.process.poll() is None:
        assert time.monotonic() < deadline, "it goes on"
        terminal.type("\x03")
        time.sleep(0.1)


def test_a_slow_login_shows_a_line_before_it_is_answered(acme: Acme) -> None:
    shell = acme(alerts=20, latency_token=LONG)
    with shell.terminal("query") as terminal:
        terminal.wait_for("logging in…")
        assert not any(request.endpoint != "token" and request.status for request in shell.requests())
        terminal.type("\x03")
        assert terminal.finish().code == 130


@pytest.mark.parametrize(
    ("argv", "switch"),
    quick_first(
        ("query", "latency_queries"),
        ("hash-summary", "latency_combined"),
        ("summary", "latency_aggregates"),
        ("bulk-close --severity low --dry-run", "latency_combined"),
    ),
)
def test_a_line_stands_before_the_first_answer(acme: Acme, argv: str, switch: str) -> None:
    shell = acme(alerts=20, **{switch: LONG})
    with shell.terminal(*argv.split()) as terminal:
        terminal.wait_for("reading")
        press_until_it_ends(terminal)
        done = terminal.finish()
    assert done.code == 130
    assert not any("reading" in line for line in screen_lines(done.out)), done


@pytest.mark.parametrize("command", quick_first("hash-summary", "query", "summary"))
def test_nothing_of_the_line_is_left_before_a_table(three: CommandRunner, command: str) -> None:
    for tenant in three.tenants.values():
        tenant.switches.latency_token = 1.5
    with three.terminal(command, "--all-customers", customer=None) as terminal:
        done = terminal.finish()
    assert done.code == 0, done
    assert b"3 customers: logging in" in done.out
    screen = screen_lines(done.out)
    assert screen[0] != ""
    assert not any("logging in" in line or "reading" in line for line in screen)
    assert not any(line.startswith(" ") and not line.strip() for line in screen)


def test_a_message_in_between_stands_on_a_line_of_its_own(acme: Acme) -> None:
    shell = acme(alerts=40, latency_patch=LONG)
    with shell.terminal(*shell.close_command(shell.untouched_ids(4)), "-v") as terminal:
        terminal.wait_for("changing")
        terminal.type("\x03")
        terminal.wait_for("Stopping after the batches in flight; press again to stop now.")
        press_until_it_ends(terminal)
        done = terminal.finish()
    assert done.code == 130
    screen = screen_lines(done.out)
    assert "Stopping after the batches in flight; press again to stop now." in screen
    assert "Stopped at once: `falcon-bulk resume` finishes what was in flight." in screen
    assert not any(line.startswith("changing") for line in screen)


def test_ctrl_c_is_answered_while_requests_of_several_customers_are_in_flight(three: CommandRunner) -> None:
    for tenant in three.tenants.values():
        tenant.switches.latency_queries = LONG
    with three.terminal("query", "--all-customers", customer=None) as terminal:
        terminal.wait_for("reading")
        terminal.type("\x03")
        terminal.wait_for("Stopping; press again to stop now.")
        press_until_it_ends(terminal)
        done = terminal.finish()
    assert done.code == 130
    assert "Stopped at once: no change was under way." in screen_lines(done.out)


def test_a_signal_that_comes_twice_at_once_is_one(acme: Acme) -> None:
    """As `timeout` sends it: what was begun is still cleaned up."""
    shell = acme(alerts=20, latency_queries=LONG)
    with shell.running("query", "-o", "alerts.csv") as running:
        wait_until(lambda: any(request.endpoint == "queries" for request in shell.requests()), why="nothing was read")
        running.signal(signal.SIGINT)
        running.signal(signal.SIGINT)
        done = running.finish()
    assert done.code == 130
    assert "Error: Interrupted." in done.err
    assert not list(shell.folder.glob("*alerts*"))


def test_a_change_that_is_stopped_before_it_began_says_that_nothing_is_changed(acme: Acme) -> None:
    shell = acme(alerts=20, latency_combined=LONG)
    with shell.terminal("bulk-close", "--severity", "low", "--yes", "--max", "50") as terminal:
        terminal.wait_for("reading")
        terminal.type("\x03")
        terminal.wait_for("Stopping before anything is changed; press again to stop now.")
        press_until_it_ends(terminal)
        assert terminal.finish().code == 130


def test_no_progress_and_quiet_draw_nothing(acme: Acme) -> None:
    shell = acme(alerts=20, latency_token=1.5)
    for option in ("--no-progress", "--quiet"):
        with shell.terminal("query", option) as terminal:
            assert b"logging in" not in terminal.finish().out


# The line itself


def drawn(line: ProgressLine, stream: io.StringIO, text: str) -> str:
    wait_until(lambda: text in stream.getvalue(), why=f"{text!r} was not drawn: {stream.getvalue()!r}")
    return screen_lines(stream.getvalue().encode())[-1]


def test_quick_work_shows_no_line() -> None:
    stream = io.StringIO()
    with ProgressLine(stream, shown=True).task("reading") as task:
        task(1, 2)
    assert stream.getvalue() == ""


def test_the_customers_of_a_command_share_one_line() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, shown=True)
    with line.task("reading", customer="acme") as acme, line.task("reading", customer="globex") as globex:
        assert "2 customers: reading… " in drawn(line, stream, "2 customers")
        acme(10, 100)
        globex(20, 100)
        assert "30/200" in drawn(line, stream, "30/200")
    assert screen_lines(stream.getvalue().encode()) == [""]


def test_the_innermost_of_one_customers_tasks_is_shown() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, shown=True)
    with line.task("counting", "customers") as outer:
        outer(1, 3)
        with line.task("logging in", customer="acme"):
            assert "1/3" in drawn(line, stream, "1/3")


def test_a_name_cannot_move_the_cursor() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, shown=True)
    with line.task("reading", customer="a\x1b[2J\n") as task:
        task.note("\x1b[31m")
        task(1, 2)
        drawn(line, stream, "1/2")
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x1b[31m" not in stream.getvalue()
    assert "\n" not in stream.getvalue()


def test_a_hidden_line_is_not_drawn() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, shown=True)
    with line.task("reading"):
        drawn(line, stream, "reading")
        with line.hidden():
            before = stream.getvalue()
            assert before.endswith("\r\x1b[K")
            threading.Event().wait(3 * DELAY)
            assert stream.getvalue() == before
