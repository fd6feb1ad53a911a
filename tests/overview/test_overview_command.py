"""`overview`: its numbers are the emulator's own, with few requests, and what is wrong at a customer is told."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Fault, Server, Switches, Tenant
from falcon_emulator.control import edit_alerts
from tests.support.command import CommandResult, CommandRunner, serve_customers, without_styling
from tests.support.json_schemas import assert_valid
from tests.support.sampling import quick_first

pytestmark = pytest.mark.slow

NAMES = ("acme", "globex", "initech")
MAX_REQUESTS = 12
FREELY = ("--override", "all", "--yes", "--max", "1000", "--batch-delay", "0")


@pytest.fixture
def three(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, *NAMES, alerts=150) as shell:
        yield shell


def truth(shell: CommandRunner, name: str) -> dict[str, Any]:
    """Return the counts of a customer's alerts as the emulator knows them."""
    tenant = shell.tenants[name]

    def count() -> dict[str, Any]:
        alerts = tenant.store.newest_first
        new = [alert for alert in alerts if alert.state.status == "new"]
        severities = [alert.shared("severity_name") or band(alert.shared("severity")) for alert in new]
        critical, high = severities.count("Critical"), severities.count("High")
        return {
            "new": {"critical": critical, "high": high, "other": len(new) - critical - high},
            "unassigned": sum(not alert.state.assignee for alert in new),
            "in_progress": sum(alert.state.status == "in_progress" for alert in alerts),
            "reopened": sum(alert.state.status == "reopened" for alert in alerts),
            "oldest": min((alert.created for alert in new), default=None),
        }

    return shell.server.call(count)


def band(severity: float | None) -> str:
    return "" if severity is None else "Critical" if severity >= 80 else "High" if severity >= 60 else "Lower"


def shown(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the same counts of a customer in the document."""
    oldest = entry["oldest_new"]
    seconds = None if oldest is None else int(datetime.fromisoformat(oldest).timestamp())
    return {key: entry[key] for key in ("new", "unassigned", "in_progress", "reopened")} | {"oldest": seconds}


def in_seconds(counts: dict[str, Any]) -> dict[str, Any]:
    return counts | {"oldest": None if counts["oldest"] is None else counts["oldest"] // 10**9}


def customers(done: CommandResult, code: int = 0) -> dict[str, dict[str, Any]]:
    assert done.code == code, done
    return {entry["customer"]: entry for entry in assert_valid(done.document)["customers"]}


def overview(shell: CommandRunner, *argv: str, code: int = 0) -> dict[str, dict[str, Any]]:
    return customers(shell.bare("overview", "--all-customers", "--format", "json", *argv), code)


def requests_of(shell: CommandRunner, command: Callable[[], object]) -> dict[str, int]:
    """Return how many requests a command makes of each customer's tenant."""
    before = {name: len(shell.requests(name)) for name in shell.tenants}
    command()
    return {name: len(shell.requests(name)) - before[name] for name in shell.tenants}


def test_the_numbers_are_those_of_the_tenants_after_runs_an_undo_and_work_in_the_console(three: CommandRunner) -> None:
    first, second, third = (three.untouched_ids(30)[start : start + 10] for start in (0, 10, 20))
    closed = three(*three.close_command(first)).document
    three(*three.close_command(second))
    three("undo", closed["run_id"], "--yes", "--max", "10", "--batch-delay", "0")
    three.edit(third[:4], assign="ada")
    three.edit(third[4:7], status="in_progress")
    three.edit(third[7:], status="closed", tags=["ignored"])
    found = overview(three)
    assert {name: shown(found[name]) for name in NAMES} == {name: in_seconds(truth(three, name)) for name in NAMES}
    assert {name: found[name]["closed_7_days"] for name in NAMES} == {"acme": 10, "globex": 0, "initech": 0}
    run = three.json("runs")["runs"][0]
    assert found["acme"]["last_run"] == {key: run[key] for key in ("run_id", "status", "finished")}
    assert found["acme"]["last_run"]["status"] == "success"
    assert found["globex"]["last_run"] is None
    assert {name: found[name]["cid"] for name in NAMES} == {name: three.tenants[name].cid for name in NAMES}


def test_the_total_is_the_sum_of_the_lines_and_each_line_is_that_of_the_customer_alone(three: CommandRunner) -> None:
    document = three.bare("overview", "--all-customers", "--format", "json").document
    total, lines = document["total"], document["customers"]
    for key in ("unassigned", "in_progress", "reopened", "closed_7_days"):
        assert total[key] == sum(line[key] for line in lines)
    for severity in ("critical", "high", "other"):
        assert total["new"][severity] == sum(line["new"][severity] for line in lines)
    assert total["oldest_new"] == min(line["oldest_new"] for line in lines)
    assert (total["customers"], total["counted"], total["problems"], total["unfinished"]) == (3, 3, 0, 0)
    for line in lines:
        alone = three.json("overview", customer=line["customer"])["customers"]
        assert alone == [line]


def test_the_customer_with_the_most_critical_alerts_comes_first(three: CommandRunner) -> None:
    critical = [entry["new"]["critical"] for entry in overview(three).values()]
    assert critical == sorted(critical, reverse=True)
    first = next(iter(overview(three)))
    tenant = three.tenants[first]
    ids = [alert.composite_id for alert in tenant.store.newest_first]
    three.server.call(lambda: edit_alerts(tenant, ids, {"status": "closed"}))
    assert list(overview(three))[-1] == first


@pytest.mark.parametrize(
    "switches",
    quick_first(
        {},
        {"negation": "needs_field"},
        {"combined_mode": "works", "combined_hidden": "omitted"},
        {"combined_mode": "missing_404"},
        {"aggregates_mode": "refuse_500"},
        {"unknown_field": "empty_clause", "time_precision": "ns"},
        quick=2,
    ),
)
def test_at_most_twelve_requests_are_made_whatever_the_tenant_is_like(tmp_path: Path, switches: dict[str, str]) -> None:
    with serve_customers(tmp_path, *NAMES[:2], alerts=120, **switches) as shell:
        found: dict[str, Any] = {}
        made = requests_of(shell, lambda: found.update(overview(shell)))
        assert max(made.values()) <= MAX_REQUESTS
        for name in NAMES[:2]:
            assert shown(found[name]) == in_seconds(truth(shell, name))


def test_a_customer_that_cannot_be_seen_is_a_line_with_its_reason_and_stops_no_other(three: CommandRunner) -> None:
    before = overview(three)
    three.write_customer("globex", FALCON_CLIENT_SECRET="wrong" * 8)
    three.write_customer("initech", FALCON_BASE_URL="http://127.0.0.1:9")
    three.write_customer("hooli", "initech", mode=0o644)
    three.write_customer("umbrella", "acme", FALCON_CID="f" * 32)
    done = three.bare("overview", "--all-customers", "--format", "json")
    found = customers(done, code=6)
    reasons = {
        "globex": "Falcon refuses the login (403)",
        "initech": "Cannot reach Falcon to log in",
        "hooli": "has mode 644: only you may have access.",
        "umbrella": "belongs to the CID",
    }
    for name, reason in reasons.items():
        assert reason in found[name]["problem"]
        assert (found[name]["new"], found[name]["unassigned"], found[name]["oldest_new"]) == (None, None, None)
    assert found["globex"]["cid"] == before["globex"]["cid"], "as FALCON_CID says"
    assert "same credentials as umbrella.env" in found["acme"]["problem"], "told, and counted all the same"
    assert shown(found["acme"]) == shown(before["acme"])
    assert set(list(found)[:4]) == set(reasons), "the first to look at"
    total = done.document["total"]
    assert (total["customers"], total["counted"], total["problems"]) == (5, 1, 5)
    table = three.bare("overview", "--all-customers")
    for name, reason in reasons.items():
        assert any(line.startswith(f"Warning: {name}: ") and reason in line for line in table.text.splitlines())


def test_one_customer_that_cannot_be_reached_is_a_line_too(three: CommandRunner) -> None:
    three.write_customer("globex", FALCON_CLIENT_SECRET="wrong" * 8)
    done = three("overview", "--format", "json", customer="globex")
    assert "refuses the login" in customers(done, code=6)["globex"]["problem"]
    assert "1 customer: not counted" in three("overview", customer="globex").text
    assert three("overview", customer="nobody").code == 4, "no customer, no line"


def test_an_unfinished_run_is_named_and_its_resume_is_the_next_command(three: CommandRunner) -> None:
    three.order("status", status=403, endpoint="patch", times=None, skip=1)
    ids = three.untouched_ids(4)
    begun = three(*three.close_command(ids, "--batch-size", "1", "--batch-delay", "0", "--workers", "1")).document
    assert begun["changed"] == 1
    done = three.bare("overview", "--all-customers")
    assert done.code == 0, done
    assert f"Warning: acme: the run {begun['run_id']} is unfinished" in done.text
    assert f"Resume it:  falcon-bulk resume {begun['run_id']} --customer acme" in done.err
    entry = overview(three)["acme"]
    assert (entry["unfinished"], entry["closed_7_days"]) == (begun["run_id"], 1)
    assert entry["last_run"]["status"] == "unfinished"
    three.server.call(three.tenant.faults.clear)
    assert three("resume").code == 0
    assert overview(three)["acme"]["unfinished"] is None


def test_the_table_fits_eighty_columns_with_all_that_waits(three: CommandRunner) -> None:
    with three.terminal("overview", "--all-customers", columns=80, customer=None) as terminal:
        done = terminal.finish()
    lines = without_styling(done.out).splitlines()
    assert max(map(len, lines)) <= 80
    header = next(line for line in lines if line.startswith("customer"))
    assert header.split() == [
        *("customer", "critical", "high", "other", "unassigned", "progress", "reopened", "oldest", *["in", "7", "d"])
    ]
    assert "Not shown at this width: last run, rules due, rules suspended." in lines
    assert any(line.startswith("total ") for line in lines)


def test_every_format_has_the_numbers_of_the_json(three: CommandRunner) -> None:
    found = overview(three)
    rows = list(csv.DictReader(io.StringIO(three.bare("overview", "--all-customers", "--format", "csv").text)))
    assert [row["customer"] for row in rows] == list(found)
    for row in rows:
        entry = found[row["customer"]]
        assert (int(row["new_critical"]), int(row["new_high"])) == (entry["new"]["critical"], entry["new"]["high"])
        assert (int(row["unassigned"]), row["oldest_new"]) == (entry["unassigned"], entry["oldest_new"])
    for fmt, cell in (("markdown", "| {} |"), ("html", "<td>{}")):
        text = three.bare("overview", "--all-customers", "--format", fmt).text
        for name, entry in found.items():
            assert cell.format(name) in text
            assert str(entry["unassigned"]) in text


def test_the_journal_is_found_by_the_cid_that_the_login_shows_and_no_other_is_opened(three: CommandRunner) -> None:
    for name in NAMES:
        three.write_customer(name, FALCON_CID=None)
    run = three(*three.close_command(three.untouched_ids(3))).document["run_id"]
    (three.state / f"{three.tenants['globex'].cid}.sqlite3").write_bytes(b"no database")
    found = overview(three, code=6)
    assert (found["acme"]["closed_7_days"], found["acme"]["last_run"]["run_id"]) == (3, run)
    assert {name: bool(found[name]["problem"]) for name in NAMES} == {"acme": False, "globex": True, "initech": False}
    assert "The journal" in found["globex"]["problem"]
    assert (found["globex"]["closed_7_days"], found["globex"]["new"] is None) == (None, False)


def test_a_folder_gets_one_file_for_all_customers(three: CommandRunner) -> None:
    done = three.bare("overview", "--all-customers", "-o", "reports/", "--output-format", "html")
    assert done.code == 0, done
    (written,) = (three.folder / "reports").iterdir()
    assert written.name == f"{datetime.now(UTC):%y%m%d}_overview.html"
    assert all(name in written.read_text() for name in NAMES)


def test_a_tenant_without_alerts_has_zeros_and_no_oldest(tmp_path: Path) -> None:
    with Server(Tenant(alerts=0, switches=Switches())) as server:
        entry = customers(CommandRunner(tmp_path, server)("overview", "--format", "json"))["acme"]
    assert (entry["new"], entry["oldest_new"]) == ({"critical": 0, "high": 0, "other": 0}, None)
    assert (entry["unassigned"], entry["problem"]) == (0, None)


def test_a_tenant_that_fails_on_one_count_is_a_problem_and_no_wrong_number(three: CommandRunner) -> None:
    fault = Fault(kind="status", status=400, text="bad", endpoint="queries", skip=4, times=None)
    three.server.call(lambda: three.tenant.faults.add(fault))
    entry = overview(three, code=6)["acme"]
    assert entry["problem"]
    assert (entry["new"], entry["in_progress"]) == (None, None)
