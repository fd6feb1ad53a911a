"""A result longer than the screen goes through the pager: only on a terminal, and only where nothing is asked."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from falcon_bulk.cli.pager import pager_command
from tests.support.command import CommandRunner, without_styling

pytestmark = pytest.mark.slow

LONG = ("hash-summary", "--top", "60")
MARKING = f"{sys.executable} -c \"import sys; print('PAGED'); sys.stdout.write(sys.stdin.read())\""
"""A pager that says that it is one."""


def shown(shell: CommandRunner, *argv: str, pager: str | None = MARKING, lines: int = 30, **env: str) -> str:
    with shell.terminal(*argv, lines=lines, env=({} if pager is None else {"PAGER": pager}) | env) as terminal:
        return without_styling(terminal.finish().out)


def test_a_result_longer_than_the_screen_goes_through_the_pager(readable: CommandRunner) -> None:
    text = shown(readable, *LONG)
    assert text.count("PAGED") == 1
    assert text.index("PAGED") < text.index("acme:")
    assert text.index("acme:") < text.index("Next:")


def test_a_result_that_fits_does_not(readable: CommandRunner) -> None:
    assert "PAGED" not in shown(readable, "query", "--limit", "5")
    assert "PAGED" not in shown(readable, *LONG, lines=1_000)


def test_lines_that_the_terminal_breaks_count_as_several(readable: CommandRunner) -> None:
    argv = ("query", "--limit", "12", "--format", "jsonl", "--product", "epp")
    assert "PAGED" in shown(readable, *argv)


@pytest.mark.parametrize("fmt", ["markdown", "csv", "json"])
def test_so_does_every_other_format(readable: CommandRunner, fmt: str) -> None:
    assert "PAGED" in shown(readable, *LONG, "--format", fmt)


@pytest.mark.parametrize("pager", ["", "cat", " "])
def test_no_pager_means_none(readable: CommandRunner, pager: str) -> None:
    assert "acme:" in shown(readable, *LONG, pager=pager)
    assert "PAGED" not in shown(readable, *LONG, "--no-pager")


def test_the_own_variable_comes_before_the_common_one(readable: CommandRunner) -> None:
    assert "PAGED" in shown(readable, *LONG, pager="cat", FALCON_BULK_PAGER=MARKING)
    assert "PAGED" not in shown(readable, *LONG, FALCON_BULK_PAGER="cat")


def test_a_pipe_is_not_paged(readable: CommandRunner) -> None:
    with readable.terminal(*LONG, lines=30, env={"PAGER": MARKING}, out_to_pipe=True) as terminal:
        done = terminal.finish()
    assert b"PAGED" not in done.out
    assert done.out.startswith(b"acme:")
    assert "PAGED" not in readable(*LONG, env={"PAGER": MARKING}).text


def test_neither_a_preview_nor_the_result_of_a_change_is_paged(acme: Callable[..., CommandRunner]) -> None:
    shell = acme(alerts=300)
    argv = ("bulk-close", "--severity", "low", "--comment", "Approved tool")
    assert "PAGED" not in shown(shell, *argv, "--dry-run", "--details", lines=10)
    with shell.terminal(*argv, "--details", lines=10, env={"PAGER": MARKING}) as terminal:
        terminal.answer("CLOSE", "no")
        assert b"PAGED" not in terminal.finish().out


def test_a_pager_that_cannot_be_started_is_named_and_the_result_is_shown(readable: CommandRunner) -> None:
    text = shown(readable, *LONG, pager="no-such-pager -x")
    assert "the pager no-such-pager cannot be started" in text
    assert "acme:" in text


def test_leaving_the_pager_early_is_no_error(readable: CommandRunner) -> None:
    with readable.terminal(*LONG, "--format", "json", env={"PAGER": "head -n 3"}) as terminal:
        done = terminal.finish()
    assert done.code == 0
    assert b"falcon-bulk/hash-summary/1" in done.out
    assert b"Next:" in done.out


def test_a_ctrl_c_in_the_pager_is_the_pagers(readable: CommandRunner, tmp_path: Path) -> None:
    script = tmp_path / "pager.py"
    script.write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('PAGER INTERRUPTED', flush=True), sys.exit(0)))\n"
        "print('READY', flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    with readable.terminal(*LONG, env={"PAGER": f"{sys.executable} {script}"}) as terminal:
        terminal.wait_for("READY")
        terminal.type("\x03")
        done = terminal.finish()
    assert b"PAGER INTERRUPTED" in done.out
    assert done.code == 0


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({"PAGER": "less -S"}, ("less", "-S")),
        ({"PAGER": "less", "FALCON_BULK_PAGER": ""}, ()),
        ({"PAGER": "'open"}, ()),
        ({"PAGER": "cat"}, ()),
    ],
)
def test_the_pager_is_a_command_line(environ: dict[str, str], command: tuple[str, ...]) -> None:
    assert pager_command(environ) == command


def test_the_pager_gets_no_credentials(readable: CommandRunner) -> None:
    pager = f"{sys.executable} -c \"import os; print('HAS', [name for name in os.environ if 'FALCON_CLIENT' in name])\""
    secrets = {"FALCON_CLIENT_ID": "a" * 32, "FALCON_CLIENT_SECRET": "b" * 40}
    assert "HAS []" in shown(readable, *LONG, pager=pager, **secrets)
