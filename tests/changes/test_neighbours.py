"""What one customer, file or process does never lets another go wrong."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.errors import Busy, JournalProblem
from falcon_bulk.journal.files import journal_path
from falcon_bulk.journal.journal import Journal
from falcon_bulk.journal.lock import hold_locks
from falcon_bulk.journal.shared_cids import check_no_unfinished_run
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunStatus
from tests.journal.conftest import STARTED, alert_plan, preview_of
from tests.support.command import CommandRunner, serve_customers
from tests.support.run_harness import RunHarness

A, B, C = "a" * 32, "b" * 32, "c" * 32


def begin(folder: Path, *cids: str, run_id: str = "run1") -> Journal:
    """Leave a run unfinished, as a process that was killed does, and return its journal."""
    journal = Journal(journal_path(folder, cids[0]))
    draft = journal.draft(alert_plan(run_id, cid=cids[0], cids=cids))
    preview: Preview = preview_of(1)
    draft.finish()
    journal.begin(draft.run_id, preview, STARTED)
    return journal


@pytest.mark.parametrize("cids", [(A, B), (B, A), (B,), (C, B)])
def test_an_unfinished_run_blocks_every_run_that_shares_one_of_its_cids(tmp_path: Path, cids: tuple[str, ...]) -> None:
    begin(tmp_path, A, B).close()
    with pytest.raises(Busy, match="run1") as caught:
        check_no_unfinished_run(tmp_path, cids)
    assert "falcon-bulk resume run1" in caught.value.hint
    check_no_unfinished_run(tmp_path, (C,))


def test_a_damaged_journal_stops_only_runs_of_its_own_cid(tmp_path: Path) -> None:
    journal_path(tmp_path, C).write_bytes(b"no database" * 1000)
    check_no_unfinished_run(tmp_path, (A, B))
    with pytest.raises(JournalProblem, match="cannot be read"):
        check_no_unfinished_run(tmp_path, (A, C))


def test_a_killed_run_is_unfinished_and_one_that_holds_its_lock_is_running(tmp_path: Path) -> None:
    journal = begin(tmp_path, A)
    assert journal.result("run1").status is RunStatus.UNFINISHED
    with hold_locks(tmp_path, (A,), "run1"):
        assert journal.result("run1").status is RunStatus.RUNNING
    journal.close()


def test_a_journal_that_vanishes_takes_no_more_records(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    journal = begin(folder, A)
    shutil.rmtree(folder)
    with pytest.raises(JournalProblem, match="removed or replaced"):
        journal.abandon("run1", STARTED)
    journal.close()


def test_prune_deletes_nothing_beside_a_run(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=300) as shell:
        assert shell(*shell.close_command(shell.untouched_ids(5))).code == 0
        with hold_locks(shell.state, (shell.tenant.cid,), "261124abcdef"):
            done = shell("runs", "prune", "--older-than", "0d")
        assert done.code == 8, done
        assert len(shell.json("runs")["runs"]) == 1


def test_another_customers_damaged_journal_stops_neither_changes_nor_the_list_of_runs(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=300) as shell:
        shell.write_customer("acme", FALCON_CID=None)
        assert shell(*shell.close_command(shell.untouched_ids(5))).code == 0
        journal_path(shell.state, C).write_bytes(b"no database" * 1000)
        assert shell(*shell.close_command(shell.untouched_ids(5))).code == 0
        done = shell("runs", "--format", "json")
        assert done.code == 0, done
        assert len(done.document["runs"]) == 2
        assert "Left out: " in done.err


def test_runs_of_several_customers_without_cids_are_listed_and_a_damaged_journal_is_told_of_once(
    tmp_path: Path,
) -> None:
    with serve_customers(tmp_path, "acme", "globex", "initech", alerts=300) as shell:
        for name in shell.tenants:
            shell.write_customer(name, FALCON_CID=None)
            ids = shell.untouched_ids(3, shell.tenants[name])
            assert shell(*shell.close_command(ids), customer=name).code == 0
        journal_path(shell.state, C).write_bytes(b"no database" * 1000)
        done = shell.bare("runs", "list", "--all-customers", "--format", "json")
        assert done.code == 0, done
        listed = {customer["customer"]: len(customer["result"]["runs"]) for customer in done.document["customers"]}
        assert listed == dict.fromkeys(shell.tenants, 1)
        assert done.err.count("Left out: ") == 1


def close_with_file(shell: CommandRunner, name: str) -> int:
    command = shell.close_command(shell.untouched_ids(5))
    return shell.bare(*command, "--env-file", name).code


def test_an_env_file_with_another_customers_login_is_refused_and_one_of_the_same_customer_is_not(
    tmp_path: Path,
) -> None:
    with serve_customers(tmp_path, alerts=300) as shell:
        text = shell.env_file.read_text()
        shell.write_env("globex.env", text.replace("FALCON_CUSTOMER=acme", "FALCON_CUSTOMER=globex"))
        assert close_with_file(shell, "globex.env") == 4
        assert shell.patches() == []
        shell.write_env("copy.env", text)
        assert close_with_file(shell, "copy.env") == 0
        assert close_with_file(shell, "customers/acme.env") == 0


class BrokenAlerts:
    """A client of alerts whose changes fail in a way that nobody foresaw."""

    def __init__(self, alerts: Any) -> None:
        self._alerts = alerts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._alerts, name)

    def update(self, *_: object, **__: object) -> None:
        raise ZeroDivisionError


def test_an_unexpected_error_is_recorded_as_the_end_of_the_run_which_can_be_resumed(harness: RunHarness) -> None:
    ids = harness.ids(20)
    plan = harness.planned(ids)
    harness.carry_out(plan, alerts=BrokenAlerts(harness.falcon.alerts))
    cause = harness.causes[-1]
    assert cause is not None
    assert "unexpected ZeroDivisionError" in cause.message
    run = harness.journal.result(plan.run_id)
    assert run.status is not RunStatus.RUNNING
    assert run.exit_code
    harness.timing.wait(600)
    assert harness.resume(plan).changed == 20
    assert set(harness.comments(plan, ids)) == {1}
