"""A run whose terminal, log disk, report folder or standard output is gone goes on to its recorded end."""

import json
import os
import pty
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import CommandRunner, RunningCommand, serve_customers
from tests.support.mail_server import Mailbox
from tests.support.sampling import quick_first

ALERTS = 60
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, alerts=400, latency_patch=0.1) as shell:
        yield shell


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


def change(acme: CommandRunner, mailbox: Mailbox, *more: str, delay: float = 0.05) -> list[str]:
    """The command line of a change in many batches, so many seconds apart, with a file and a notification."""
    batches = ("--batch-size", "5", "--batch-delay", str(delay), "--workers", "1")
    output = ("-o", "reports/run.json", f"--notify={mailbox.url}")
    (acme.folder / "reports").mkdir(exist_ok=True)
    return acme.close_command(acme.untouched_ids(ALERTS), *batches, *output, *more)


@contextmanager
def full_device() -> Iterator[int]:
    """A descriptor that nothing can be written to for want of space."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_whole(acme: CommandRunner, mailbox: Mailbox, *, status: str = "success") -> None:
    """Check that the run has its recorded end, its file and its one mail."""
    recorded = acme.newest_run()
    assert recorded.status == status
    written = json.loads((acme.folder / "reports" / "run.json").read_text())
    assert (written["run_id"], written["changed"]) == (recorded.run_id, recorded.changed)
    is_told_of_the_result(mailbox)


def is_told_of_the_result(mailbox: Mailbox) -> None:
    """Check that the one mail is about the result, and not about an error without one."""
    (message,) = mailbox.messages
    assert "alerts changed" in message["Subject"]


def close_terminal(running: RunningCommand, acme: CommandRunner, master: int) -> None:
    """Close the other side of a command's terminal after its first change."""
    acme.wait_for_patches(1, running)
    os.close(master)


@pytest.mark.parametrize("more", quick_first("-v", "--debug"))
def test_a_terminal_that_is_gone_stops_no_run(acme: CommandRunner, mailbox: Mailbox, more: str) -> None:
    master, slave = pty.openpty()
    with acme.running(*change(acme, mailbox, more), stdout=slave, stderr=slave) as running:
        os.close(slave)
        close_terminal(running, acme, master)
        assert running.finish().code == 0
    is_whole(acme, mailbox)
    assert acme.newest_run().changed == ALERTS


def test_a_hang_up_ends_the_run_in_order_with_its_file_and_its_mail(acme: CommandRunner, mailbox: Mailbox) -> None:
    master, slave = pty.openpty()
    slowly = change(acme, mailbox, delay=2)  # it is still at work when the signal comes
    with acme.running(*slowly, stdout=slave, stderr=slave) as running:
        os.close(slave)
        close_terminal(running, acme, master)
        running.signal(signal.SIGHUP)
        assert running.finish().code == 143
    is_whole(acme, mailbox, status="interrupted")


def test_a_hang_up_that_nohup_has_ignored_stops_no_run(acme: CommandRunner, mailbox: Mailbox) -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the command inherits it, as from nohup
    try:
        with acme.running(*change(acme, mailbox)) as running:
            acme.wait_for_patches(1, running)
            running.signal(signal.SIGHUP)
            assert running.finish().code == 0
    finally:
        signal.signal(signal.SIGHUP, former)
    is_whole(acme, mailbox)


@needs_dev_full
@pytest.mark.parametrize("more", quick_first("--debug", "-v"))
def test_a_full_log_disk_stops_no_run(acme: CommandRunner, mailbox: Mailbox, more: str) -> None:
    with full_device() as full, acme.running(*change(acme, mailbox, more), stderr=full) as running:
        done = running.finish()
    assert done.code == 0
    assert done.document["changed"] == ALERTS
    is_whole(acme, mailbox)


@needs_dev_full
def test_a_result_that_cannot_be_printed_is_written_and_sent(acme: CommandRunner, mailbox: Mailbox) -> None:
    with full_device() as full, acme.running(*change(acme, mailbox), stdout=full) as running:
        done = running.finish()
    assert done.code == 1
    assert "No space left on device" in done.err
    assert "falcon-bulk undo" in done.err
    is_whole(acme, mailbox)


def test_a_report_folder_that_vanishes_costs_the_file_alone(acme: CommandRunner, mailbox: Mailbox) -> None:
    slowly = change(acme, mailbox, delay=0.3)  # it is still at work when the folder goes
    with acme.running(*slowly) as running:
        acme.wait_for_patches(1, running)
        shutil.rmtree(acme.folder / "reports")
        done = running.finish()
    assert done.code == 1
    assert done.document["changed"] == ALERTS
    assert "Reading or writing failed" in done.err
    assert "reports" in done.err
    assert acme.newest_run().status == "success"
    is_told_of_the_result(mailbox)


@needs_dev_full
def test_an_error_that_cannot_be_shown_keeps_its_exit_code(acme: CommandRunner) -> None:
    with full_device() as full, acme.running("query", "--hash", "nonsense", stderr=full) as running:
        assert running.finish().code == 2


def test_one_customers_file_that_cannot_be_written_hides_no_result(tmp_path: Path) -> None:
    with serve_customers(tmp_path, "acme", "globex", alerts=60) as shell:
        (tmp_path / "reports").mkdir()
        done = shell.bare("hash-summary", "--all-customers", "--format", "json", "-o", "reports/")
        assert done.code == 0, done
        (written,) = (tmp_path / "reports").glob("acme*")
        written.unlink()
        written.mkdir()
        done = shell.bare("hash-summary", "--all-customers", "--format", "json", "-o", "reports/")
    assert done.code != 0, done
    assert "acme: Error: The file could not be written" in done.err
    assert all(part["result"] for part in done.document["customers"])
