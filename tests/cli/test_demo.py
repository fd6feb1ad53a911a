"""The guided tour, in a pipe and on a terminal."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.command import COMMAND, CommandRunner, without_styling
from tests.support.raw_server import closed_port


def steps(text: str) -> list[str]:
    return re.findall(r"^\d\. (\w+)", text, re.MULTILINE)


@pytest.mark.slow
def test_in_a_pipe_the_tour_runs_to_its_end_without_a_question(readable: CommandRunner) -> None:
    with closed_port() as port:  # a proxy that it has no use for
        done = readable.bare("demo", env={"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": "acme.example"})
    assert done.code == 0, done
    text = done.text
    assert steps(text) == ["Look", "Doubt", "Hold", "The", "Close", "Prove", "Undo", "The"]
    assert 'Type "acme 88" to CLOSE 88 alerts as false_positive:' in text
    both = text + done.err
    assert "Warning: 2 of 120 alerts are unlike the others: in \\Users\\Public\\Music, under powershell.exe." in both
    assert """--filter "user_name:'j.doe'" --set-status""" in text
    assert "Press Enter" not in both
    assert len(both.splitlines()) <= 120
    assert "Traceback" not in both


@pytest.mark.slow
def test_on_a_terminal_it_pauses_and_the_person_confirms(readable: CommandRunner) -> None:
    with readable.terminal("demo", columns=80, lines=24, customer=None) as terminal:
        for _ in range(5):
            terminal.answer("Press Enter to go on", "")
        terminal.answer('Type "acme 88" to CLOSE 88 alerts as false_positive:', "acme 88")
        for _ in range(3):
            terminal.answer("Press Enter to go on", "")
        done = terminal.finish()
    assert done.code == 0, done
    shown = without_styling(done.out)
    assert "88 of 88 alerts changed and verified" in shown
    assert steps(shown.replace("\r", ""))[-2:] == ["Undo", "The"]


@pytest.mark.slow
def test_a_declined_change_ends_the_tour_without_an_error(readable: CommandRunner) -> None:
    with readable.terminal("demo", customer=None) as terminal:
        for _ in range(5):
            terminal.answer("Press Enter to go on", "")
        terminal.answer('Type "acme 88" to CLOSE', "no")
        done = terminal.finish()
    assert done.code == 0, done
    assert "Not confirmed: nothing was changed. That is the end of the tour." in without_styling(done.out)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_keep_leaves_the_tenant_running_until_a_signal(readable: CommandRunner, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "demo", "--keep"],
        cwd=readable.folder,
        env=readable.environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            folder = Path(next(line for line in running.stdout if line.startswith("  cd ")).split()[1])
            ready = next(line for line in running.stdout if "falcon-bulk query" in line)
            assert "--customer acme" in ready
            again = subprocess.run(
                [*COMMAND, "query", "--customer", "acme", "--count"],
                cwd=folder,
                env=os.environ | {"FALCON_BULK_STATE_DIR": "state"},
                capture_output=True,
                text=True,
            )
            assert again.returncode == 0, again.stderr
            assert int(again.stdout) > 1_000
            running.send_signal(number)
            assert running.wait(60) == 0
        finally:
            running.kill()
    assert not folder.exists()
