"""`allow-hash` when Falcon or this machine fails midway: nothing is made twice, and what is reported is there."""

import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.allow_list import EVERYWHERE, FIRST, SECOND, THIRD, YES, AllowList, lookups, the_run, writes
from tests.support.command import COMMAND, PATIENCE
from tests.support.sampling import quick_first

Serve = Callable[..., AllowList]


@pytest.mark.parametrize(
    ("kind", "more", "sent"),
    quick_first(
        ("drop", {"applied": True}, 1),
        ("status", {"status": 503, "applied": True}, 1),
        ("empty", {"applied": True}, 1),
        ("html", {"applied": True, "status": 502}, 1),
        ("truncate", {}, 1),
        ("status", {"status": 500}, 2),
        ("drop", {}, 2),
        ("rate_limit", {}, 2),
    ),
)
def test_a_lost_answer_is_reconciled_by_reading_before_anything_is_sent_again(
    acme: Serve, kind: str, more: dict[str, Any], sent: int
) -> None:
    shell = acme()
    shell.order_indicator_fault(kind, skip=lookups(2), **more)
    done = shell.allow(FIRST, SECOND)
    document = the_run(done)
    assert (document["status"], document["created"], document["verified"]) == ("success", 2, 2)
    assert writes(done) == ["POST"] * sent
    assert {indicator["description"] for indicator in shell.indicators().values()} == {
        document["indicator"]["description"]
    }


@pytest.mark.slow
def test_answers_that_are_always_lost_leave_a_run_that_resume_reconciles(acme: Serve) -> None:
    shell = acme()
    shell.order_indicator_fault("status", skip=lookups(1), status=503, times=None)
    document = the_run(shell.allow(FIRST), 6)
    assert (document["status"], document["unknown"]) == ("partial", 1)
    shell.server.call(shell.tenant.faults.clear)
    blocked = shell.allow(SECOND)
    assert (blocked.code, writes(blocked)) == (8, [])
    assert document["run_id"] in blocked.err
    resumed = the_run(shell("resume", "--format", "json"))
    assert (resumed["run_id"], resumed["status"], resumed["created"]) == (document["run_id"], "success", 1)
    assert FIRST in shell.indicators()


@pytest.mark.parametrize("habit", quick_first("refuses_all", "only_itself"))
def test_an_indicator_that_somebody_made_meanwhile_is_left_alone_and_the_others_are_made(
    acme: Serve, habit: str
) -> None:
    shell = acme(bad_indicator=habit)
    with shell.terminal(
        "allow-hash", "--hash", f"{FIRST},{SECOND}", *EVERYWHERE, "--format", "json", out_to_pipe=True
    ) as terminal:
        terminal.wait_for("to CREATE 2 allow-list indicators:")
        shell.plant(SECOND, action="prevent", severity="high")
        terminal.type("acme 2\n")
        done = terminal.finish()
    document = the_run(done, 6)
    assert (document["created"], document["drifted"]) == (1, 1)
    assert "prevent" in document["hashes"][1]["reason"]
    assert shell.indicators()[SECOND]["action"] == "prevent"
    assert shell.indicators()[FIRST]["action"] == "allow"
    assert shell("resume").code == 0, "nothing of it is left to do"


@pytest.mark.parametrize(
    ("scopes", "missing"),
    quick_first(
        ("alerts:read alerts:write ioc:read", "IOC Management: Write"),
        ("alerts:read ioc:write", "IOC Management: Read"),
    ),
)
def test_a_missing_scope_is_named_and_leaves_nothing_to_resume(acme: Serve, scopes: str, missing: str) -> None:
    shell = acme(scopes=scopes)
    done = shell("allow-hash", "--hash", FIRST, *EVERYWHERE, *YES)
    assert done.code == 4, done
    assert missing in done.err
    assert shell.indicators() == {}
    shell.tenant.switches.scopes = "alerts:read ioc:read ioc:write"
    assert the_run(shell.allow(FIRST))["created"] == 1


@pytest.mark.slow
def test_a_refusal_of_the_request_itself_fails_its_hashes_and_says_why(acme: Serve) -> None:
    shell = acme()
    shell.order_indicator_fault("status", skip=lookups(1), status=400, text="host group not found", times=1)
    document = the_run(shell.allow(FIRST), 6)
    assert (document["status"], document["failed"]) == ("failed", 1)
    assert "host group not found" in document["errors"][0]["message"]
    assert the_run(shell.allow(FIRST))["created"] == 1, "a failed run blocks nothing"


@pytest.mark.slow
def test_nothing_is_sent_where_the_journal_cannot_be_written(acme: Serve) -> None:
    shell = acme()
    journal = shell.folder / "state" / f"{shell.tenant.cid}.sqlite3"
    journal.mkdir(parents=True)
    done = shell.allow(FIRST)
    assert (done.code, writes(done)) == (1, [])


@pytest.mark.slow
def test_a_run_that_is_killed_after_its_effect_is_reconciled_by_resume(acme: Serve) -> None:
    shell = acme()
    shell.order_indicator_fault("delay", skip=lookups(3), seconds=600, applied=True)
    argv = ("allow-hash", "--customer", "acme", "--hash", f"{FIRST},{SECOND},{THIRD}", *EVERYWHERE, *YES)
    with subprocess.Popen(
        [*COMMAND, *argv],
        cwd=shell.folder,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while len(shell.indicators()) < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    (row,) = shell.json("runs")["runs"]
    assert (row["command"], row["status"], row["planned"]) == ("allow-hash", "unfinished", 3)
    assert shell.allow(FIRST).code == 8
    resumed = shell("resume", "--format", "json")
    document = the_run(resumed)
    assert (document["run_id"], document["created"], document["verified"]) == (row["run_id"], 3, 3)
    assert writes(resumed) == []


@pytest.mark.slow
def test_an_unfinished_run_can_be_abandoned(acme: Serve) -> None:
    shell = acme()
    shell.order_indicator_fault("status", skip=lookups(1), status=503, times=None)
    run_id = the_run(shell.allow(FIRST), 6)["run_id"]
    shell.server.call(shell.tenant.faults.clear)
    abandoned = shell("runs", "abandon", run_id, "--format", "json")
    assert (abandoned.code, abandoned.document["unknown"]) == (0, 1)
    assert the_run(shell.allow(FIRST))["created"] == 1
