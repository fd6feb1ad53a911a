"""Standard streams that are closed, a full device, and a report that cannot be written."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import COMMAND, CommandRunner
from tests.support.sampling import quick_first

CLOSE = ("bulk-close", "--since", "5000d", "--override", "all", "--yes", "--max", "1000", "--batch-delay", "0")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=60)) as server:
        yield CommandRunner(tmp_path, server)


def redirected(shell: CommandRunner, where: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command line with its streams redirected as a POSIX shell does it."""
    line = shlex.join([*COMMAND, *argv, "--customer", "acme"])
    return subprocess.run(
        ["sh", "-c", f"{line} {where}"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=shell.folder,
        env=shell.environment(),
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("closed", quick_first("<&- >&- 2>&-", ">&-", "2>&-", "<&-"))
def test_a_run_whose_streams_are_closed_from_the_start_is_carried_out_and_recorded(
    shell: CommandRunner, closed: str
) -> None:
    done = redirected(shell, closed, *CLOSE)
    assert done.returncode == 0, done
    (recorded,) = shell.json("runs", "list")["runs"]
    assert recorded["status"] == "success"
    assert recorded["changed"] == len(shell.changes()) > 0


@pytest.mark.parametrize(
    "line",
    quick_first(
        "--help",
        "query --customer acme --format jsonl",
        "summary --help",
        "completion bash",
        "emulator switches",
        quick=2,
    ),
)
def test_a_reader_that_went_away_is_no_error(shell: CommandRunner, line: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = subprocess.run(
            [*COMMAND, *line.split()],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            cwd=shell.folder,
            env=shell.environment(),
            timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)
    assert done.returncode == 0, done
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")  # noqa: PTH110
@pytest.mark.parametrize("form", quick_first("table", "json"))
def test_a_full_device_is_told_in_words(shell: CommandRunner, form: str) -> None:
    done = redirected(shell, ">/dev/full", "query", "--format", form)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Unexpected" not in done.stderr


@pytest.mark.parametrize(
    "argv", [("summary", "--by", "name", "-o", "out.html"), (*CLOSE[:3], "--dry-run", "--plan", "out.plan")]
)
def test_a_file_for_which_there_is_no_room_is_named(shell: CommandRunner, argv: tuple[str, ...]) -> None:
    line = shlex.join([*COMMAND, *argv, "--customer", "acme"])
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 4; exec {line}"],
        capture_output=True,
        text=True,
        cwd=shell.folder,
        env=shell.environment({"PYTHONDONTWRITEBYTECODE": "1", "FALCON_BULK_STATE_DIR": str(shell.folder / "state")}),
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done
    assert f"Error: Reading or writing failed: {argv[-1]}: File too large." in done.stderr
    assert not list(shell.folder.glob("out.*"))


@pytest.mark.parametrize("place", quick_first("nowhere/report.json", "customers/acme.env/report.md", ""))
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_changed(
    shell: CommandRunner, place: str
) -> None:
    done = shell(*CLOSE, "-o", place)
    assert done.code == 2
    assert done.requests == []
    assert not list(shell.folder.rglob(".falcon-bulk-*"))
