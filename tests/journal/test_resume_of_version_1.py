"""A run that the first version of the program left unfinished is resumed by the present one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.journal.version_1_journal import CID, UNFINISHED, Tables, write_journal_of_version_1
from tests.support.command import CommandRunner, serve_customers

MARKER = f"falcon-bulk {UNFINISHED}"


def write_unfinished_run(runner: CommandRunner, ids: Sequence[str]) -> dict[str, list[str]]:
    """Write the journal as if its alerts were these of the running tenant; return them by the state recorded.

    What the journal has as changed was changed, and so were half of the unknown ones.
    """
    alerts = {alert["composite_id"]: alert for alert in runner.alerts()}
    by_state: dict[str, list[str]] = {"changed": [], "unknown": [], "not_sent": []}

    def move(tables: Tables) -> None:
        for run in tables["runs"]:
            plan = json.loads(run["plan"]) | {"cloud": runner.urls["acme"]}
            run["plan"] = json.dumps(plan).replace(CID, runner.tenant.cid)
        unfinished = (row for row in tables["alerts"] if row["run_id"] == UNFINISHED)
        for row, composite_id in zip(unfinished, ids, strict=True):
            row["composite_id"] = composite_id
            row["before"] = json.dumps(before := _state(alerts[composite_id]))
            row["after"] = row["after"] and json.dumps(["closed", *before[1:7], 1, ""])
            by_state[row["state"]].append(composite_id)

    runner.state.mkdir(mode=0o700)
    write_journal_of_version_1(runner.state, move, cid=runner.tenant.cid)
    runner.edit(by_state["changed"] + by_state["unknown"][:4], status="closed", comment=f"Lab noise (by ann, {MARKER})")
    return by_state


def test_resume_finishes_it_and_no_alert_gets_two_comments(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=400) as acme:
        ids = [alert["composite_id"] for alert in acme.alerts() if _is_untouched(alert)][:24]
        by_state = write_unfinished_run(acme, ids)
        assert acme.comment_counts(ids, MARKER) == [0, 1]

        blocked = acme(*acme.close_command(ids[:1]))
        assert blocked.code == 8, blocked
        assert f"falcon-bulk resume {UNFINISHED}" in blocked.err

        done = acme("resume", UNFINISHED, "--batch-delay", "0", "--format", "json")
        assert done.code == 0, done
        result = done.document
        assert (result["run_id"], result["status"], result["planned"]) == (UNFINISHED, "success", 24)
        assert (result["changed"], result["unknown"], result["not_sent"], result["failed"]) == (24, 0, 0, 0)
        assert acme.comment_counts(ids, MARKER) == [1]
        assert acme.comment_counts(ids, "") == [1], "and no other comment"
        assert acme.closed_count(ids) == 24
        sent = [change.composite_id for change in acme.changes() if change.request]
        assert sorted(sent) == sorted(by_state["unknown"][4:] + by_state["not_sent"])

        undone = acme("undo", UNFINISHED, "--yes", "--expect", "24", "--batch-delay", "0", "--format", "json")
        assert (undone.code, undone.document["changed"]) == (0, 24), undone
        assert acme.closed_count(ids) == 0


def _is_untouched(alert: dict[str, Any]) -> bool:
    touched = alert["comments"] or alert["assigned_to_uid"] or alert["assigned_to_name"] or alert["case"]
    return alert["status"] == "new" and not touched


def _state(alert: dict[str, Any]) -> list[Any]:
    """Return an untouched alert as version 1 recorded it in `before`."""
    return ["new", "", "", "", sorted(alert["tags"] or ()), alert["show_in_ui"], "", 0, alert["updated_timestamp"]]
