"""What is streamed needs no more memory the more of it there is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import COMMAND, PATIENCE, CommandRunner
from tests.support.large_journal import record_large_run
from tests.support.peak_memory import run_measured

pytestmark = pytest.mark.slow
FEW, MANY = 40_000, 200_000
ROOM = 64 * 1024 * 1024
"""Bytes in which buffers may grow; the documents of the many are ten times as much."""


def peak(shell: CommandRunner, *argv: str) -> int:
    """The most memory that the command held at a time, in bytes."""
    _, memory = run_measured(
        [*COMMAND, *argv, "--customer", "acme"],
        timeout=4 * PATIENCE,
        folder=shell.folder,
        environment=shell.environment(),
        stdout=subprocess.DEVNULL,
    )
    return memory


def test_what_the_test_run_holds_counts_for_no_program() -> None:
    held = bytearray(400_000_000)
    held[::4096] = b"x" * len(held[::4096])
    _, memory = run_measured([sys.executable, "-c", ""], timeout=PATIENCE)
    assert memory < len(held) / 4


def test_two_hundred_thousand_alerts_need_hardly_more_memory_than_forty_thousand(tmp_path: Path) -> None:
    peaks: dict[str, list[int]] = {"jsonl": [], "csv": []}
    for number in (FEW, MANY):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Server(Tenant(alerts=number, seed=2)) as server:
            shell = CommandRunner(folder, server)
            for fmt, seen in peaks.items():
                seen.append(peak(shell, "query", "--all", "--format", fmt))
    for fmt, (few, many) in peaks.items():
        assert many < few + ROOM, (fmt, few, many)


@pytest.mark.parametrize("fmt", ["table", "json"])
def test_the_alerts_of_several_customers_need_hardly_more_memory_the_more_they_are(tmp_path: Path, fmt: str) -> None:
    peaks = []
    for number in (5_000, 20_000):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Server([Tenant(alerts=number, customer=name) for name in ("acme", "globex")]) as server:
            peaks.append(peak(CommandRunner(folder, server), "query", "--all", "--customer", "globex", "--format", fmt))
    assert peaks[1] < peaks[0] + ROOM, peaks


def test_the_newest_of_many_ids_need_hardly_more_memory_than_those_of_few(tmp_path: Path) -> None:
    peaks = []
    for number in (5_000, 20_000):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Server(Tenant(alerts=number)) as server:
            shell = CommandRunner(folder, server)
            ids = shell.write_env("ids.txt", "\n".join(shell.tenant.store.by_id))
            peaks.append(peak(shell, "query", "--ids-file", str(ids)))
    assert peaks[1] < peaks[0] + ROOM, peaks


@pytest.fixture(scope="module")
def small_and_large_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[CommandRunner, str]]]:
    """A run of few alerts and one of many, each in a journal of its own that is only read."""
    with Server(Tenant(alerts=1)) as server:
        shells = [CommandRunner(tmp_path_factory.mktemp("run"), server) for _ in range(2)]
        yield [
            (shell, record_large_run(shell.state, shell.tenant.cid, number))
            for shell, number in zip(shells, (100, MANY), strict=True)
        ]


@pytest.mark.parametrize("fmt", ["table", "markdown", "csv", "json", "html"])
def test_a_run_of_two_hundred_thousand_alerts_is_shown_in_hardly_more_memory_than_a_small_one(
    small_and_large_run: list[tuple[CommandRunner, str]], fmt: str
) -> None:
    peaks = [peak(shell, "runs", "show", run_id, "--format", fmt) for shell, run_id in small_and_large_run]
    assert peaks[1] < peaks[0] + ROOM / 4, peaks
