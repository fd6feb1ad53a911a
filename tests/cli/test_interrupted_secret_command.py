"""Ctrl-C while a secret's command waits, such as for a password manager to be unlocked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import CommandRunner, serve_customers
from tests.support.waiting import wait_until


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[CommandRunner]:
    """A customer whose secret's command waits, after it wrote its process id to `pid`."""
    with serve_customers(tmp_path, alerts=10) as shell:
        program = tmp_path / "unlock.sh"
        program.write_text("#!/bin/sh\necho $$ > pid.new && mv pid.new pid\nexec sleep 300\n")
        program.chmod(0o755)
        shell.write_customer("acme", FALCON_CLIENT_SECRET=None, FALCON_CLIENT_SECRET_COMMAND=str(program))
        yield shell


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    "argv",
    [("query", "--count"), ("bulk-close", "--severity", "low", "--dry-run"), ("overview",), ("customers", "check")],
)
def test_ctrl_c_ends_the_command_at_once_and_what_it_waits_for(waiting: CommandRunner, argv: tuple[str, ...]) -> None:
    customer = None if argv[0] == "customers" else "acme"
    with waiting.terminal(*argv, customer=customer) as terminal:
        wait_until((waiting.folder / "pid").exists, why="the secret's command was not run")
        pid = int((waiting.folder / "pid").read_text())
        assert is_running(pid)
        terminal.type("\x03")
        done = terminal.finish()
    assert done.code == 130, done
    assert "did not end within" not in done.err
    wait_until(lambda: not is_running(pid), why="the secret's command still runs")
    assert waiting.request_count() == 0
