"""`report`: every number is the emulator's own, and what is not whole is an error and no page."""

import json
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Fault, Server, Tenant
from falcon_emulator.documents import render
from tests.support.command import CommandResult, CommandRunner, serve_customers, without_styling
from tests.support.json_schemas import assert_valid
from tests.support.sampling import quick_first

pytestmark = pytest.mark.slow

NAMES = ("acme", "globex", "initech")
SINCE = f"{datetime.now(UTC) - timedelta(days=40):%Y-%m-%d}"
UNTIL = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
PERIOD = ("--since", SINCE, "--until", UNTIL)
FREELY = ("--yes", "--max", "9000", "--batch-delay", "0")
OUTCOMES = ("false_positive", "true_positive", "ignored")


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, alerts=2500) as shell:
        yield shell


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    """Three customers that tests only read."""
    with serve_customers(tmp_path_factory.mktemp("three"), *NAMES, alerts=200) as shell:
        yield shell


def documents(shell: CommandRunner, name: str = "acme", since: str = SINCE, until: str = UNTIL) -> list[dict[str, Any]]:
    """Return the documents of a customer's alerts that were created in the period, as the emulator has them."""
    tenant = shell.tenants[name]
    every = shell.server.call(lambda: [render(alert, alert.state) for alert in tenant.store.newest_first])
    found = [json.loads(document) for document in every]
    return [document for document in found if since <= document["created_timestamp"][:19] < until]


def outcome(document: dict[str, Any]) -> str:
    if document["status"] != "closed":
        return "open"
    return document["resolution"] if document.get("resolution") in OUTCOMES else "none"


def counted(found: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes = Counter(map(outcome, found))
    closed_as = {name: outcomes[name] for name in (*OUTCOMES, "none")}
    return {"alerts": len(found), "open": outcomes["open"], "closed_as": closed_as}


def report(
    shell: CommandRunner, *argv: str, customer: str = "acme", period: tuple[str, ...] = PERIOD
) -> dict[str, Any]:
    return assert_valid(shell.json("report", *period, *argv, customer=customer))


def work_for_a_month(shell: CommandRunner) -> dict[str, Any]:
    """Close, undo, and edit in the console; return what was done."""
    ids = [document["composite_id"] for document in documents(shell) if document["status"] == "new"]
    free = set(shell.untouched_ids(150)) & set(ids)
    first, second, third = sorted(free)[:12], sorted(free)[12:20], sorted(free)[20:35]
    closing = shell(*shell.close_command(first, "--resolution", "false_positive")).document
    shell(*shell.close_command(second, "--resolution", "ignored", "--operator", "Ada Lovelace"))
    undo = shell("undo", closing["run_id"], "--yes", "--max", "12", "--batch-delay", "0", "--format", "json").document
    shell.edit(third[:5], status="closed", tags=["true_positive"])
    shell.edit(third[5:10], status="closed", tags=["false_positive"], assign="ada")
    shell.edit(third[10:], status="in_progress")
    selection = ("--status", "new,in_progress", "--severity", "low")
    last = shell("bulk-close", *selection, *FREELY, "--format", "json").document
    assert last["changed"]
    assert last["held"]
    return {"closed": {*first, *second}, "undone": undo["changed"], "held": last["held"], "last": last["run_id"]}


def test_every_number_is_the_tenants_own_after_runs_an_undo_and_work_in_the_console(acme: CommandRunner) -> None:
    work_for_a_month(acme)
    found = documents(acme)
    document = report(acme, "--top", "100")
    totals = counted(found)
    assert document["created"] == len(found) > 100
    assert document["by_status"] == dict(Counter(one["status"] for one in found))
    assert document["by_product"] == dict(Counter(one["product"] for one in found))
    assert document["by_day"] == dict(Counter(one["created_timestamp"][:10] for one in found))
    named = Counter(one.get("severity_name", "") for one in found if "severity_name" in one or "severity" not in one)
    assert all(document["by_severity"][name] >= number for name, number in named.items())
    assert sum(document["by_severity"].values()) == len(found)
    assert document["by_resolution"] == totals["closed_as"]
    assert document["open"]["alerts"] == totals["open"]
    assert document["open"]["oldest"] == min(one["created_timestamp"] for one in found if outcome(one) == "open")
    rate = document["false_positive_rate"]
    false, true = totals["closed_as"]["false_positive"], totals["closed_as"]["true_positive"]
    assert (rate["false_positive"], rate["true_positive"]) == (false, true)
    assert rate["rate"] == pytest.approx(false / (false + true), abs=0.0001)
    seconds = sorted(filter(None, (one.get("seconds_to_resolved") for one in found if outcome(one) != "open")))
    times = document["resolution_seconds"]
    assert times["alerts"] == len(seconds) > 0
    assert times["median"] == statistics.median(seconds)
    assert times["p90"] == min(
        value for value in seconds if sum(second <= value for second in seconds) >= 0.9 * len(seconds)
    )
    ours = document["ours"]
    assert (ours["closed"], ours["undone"]) == (0, 0), "the runs began after the period"


def test_what_runs_did_is_counted_by_when_they_did_it(acme: CommandRunner) -> None:
    done = work_for_a_month(acme)
    document = report(acme, period=("--since", "2d"))
    ours = document["ours"]
    last = {alert["composite_id"] for alert in acme.json("runs", "show", done["last"])["alerts"]}
    assert (ours["runs"], ours["closed"], ours["undone"]) == (4, len(done["closed"] | last), done["undone"])
    assert ours["journals"] == [acme.tenant.cid]
    assert document["held"] == {reason: number for reason, number in done["held"].items() if number}
    listed = acme.json("runs")["runs"]
    assert [run["run_id"] for run in document["runs"]] == [run["run_id"] for run in reversed(listed)]
    assert {run["run_id"]: run["changed"] for run in document["runs"]} == {
        run["run_id"]: run["changed"] for run in listed
    }


def test_what_a_run_held_counts_also_if_it_held_every_alert(acme: CommandRunner) -> None:
    """The run is recorded, and there is nothing in it to resume or undo, and nothing that stops its plan."""
    ids = acme.untouched_ids(4)
    acme.edit(ids, status="in_progress")
    (acme.folder / "ids.txt").write_text("\n".join(ids))
    closing = ("bulk-close", "--ids-file", "ids.txt", "--yes", "--max", "9", "--format", "json")
    held = acme(*closing).document
    assert (held["status"], held["planned"], sum(held["held"].values())) == ("nothing_to_do", 0, len(ids))
    (row,) = acme.json("runs")["runs"]
    assert (row["run_id"], row["status"], row["planned"]) == (held["run_id"], "nothing_to_do", 0)
    shown = acme("runs", "show", held["run_id"], "--format", "json")
    assert shown.document["held"] == held["held"]
    assert "undo" not in shown.err
    assert report(acme, period=("--since", "2d"))["held"] == held["held"]
    acme(*closing)
    assert report(acme, period=("--since", "2d"))["held"] == held["held"], "an alert counts once"
    assert acme("resume", held["run_id"]).code == 7
    assert acme("undo", "latest", "--dry-run").code == 7
    undone = acme("undo", held["run_id"], "--yes", "--max", "9", "--format", "json")
    assert (undone.code, undone.document["selected"]) == (0, 0)
    assert acme(*closing, "--override", "all").document["changed"] == len(ids)


def test_the_most_frequent_values_are_shown_with_what_became_of_them(acme: CommandRunner) -> None:
    work_for_a_month(acme)
    found = documents(acme)
    document = report(acme, "--top", "100")
    by_name: dict[str, list[dict[str, Any]]] = {}
    by_hash: dict[str, list[dict[str, Any]]] = {}
    hashes = {alert["composite_id"]: alert["hashes"] for alert in acme.alerts()}
    for one in found:
        if name := one.get("name") or one.get("display_name"):
            by_name.setdefault(name, []).append(one)
        for sha256 in hashes[one["composite_id"]]:
            by_hash.setdefault(sha256, []).append(one)
    for key, listed, groups in (("value", document["names"], by_name), ("sha256", document["hashes"], by_hash)):
        assert len(listed) == min(100, len(groups))
        assert [one["alerts"] for one in listed] == sorted(map(len, groups.values()), reverse=True)[:100]
        for one in listed:
            assert {part: one[part] for part in ("alerts", "open", "closed_as")} == counted(groups[one[key]])
    for one in document["recurring"]:
        group = (
            by_hash[one["sha256"]]
            if one["sha256"]
            else [each for each in by_name[one["name"]] if not hashes[each["composite_id"]]]
        )
        assert one["alerts"] == len(group) >= 5
        assert one["days"] == len({each["created_timestamp"][:10] for each in group}) >= 3
    assert document["recurring"]


@pytest.mark.parametrize(
    ("argv", "message"),
    quick_first(
        (("--month", "2026-13"), "'2026-13' is not a month."),
        (("--month", "2099-01"), "The period is in the future"),
        ((), "report needs a period."),
        (("--month", "november"), "'november' is not a month."),
        (("--month", "2026-1"), "is not a month"),
        (("--month", "0000-01"), "is not a month"),
        (("--month", "2026-10", "--since", "7d"), "--month goes with neither --since nor --until."),
        (("--since", "2026-11-02", "--until", "2026-11-01"), "The period is empty"),
        (("--since", "2099-01-01"), "The period is in the future: it begins at 2099-01-01T00:00:00Z."),
        (("--until", "2026-11-01"), "report needs a period."),
        (("--since", "someday"), "is not a time for --since"),
        quick=3,
    ),
)
def test_a_wrong_period_is_refused_before_anybody_is_contacted(
    three: CommandRunner, argv: tuple[str, ...], message: str
) -> None:
    before = len(three.requests())
    done = three("report", *argv, "-o", "refused.html")
    assert done.code == 2, done
    assert message in done.err
    assert len(three.requests()) == before
    assert not (three.folder / "refused.html").exists()


@pytest.mark.parametrize(
    ("fault", "code"),
    quick_first(
        ({"kind": "wrong_total", "endpoint": "queries", "count": 7}, 5),
        ({"kind": "status", "endpoint": "combined", "status": 503, "skip": 1}, 5),
        ({"kind": "partial_page", "endpoint": "combined", "count": 3, "status": 500}, 5),
        ({"kind": "status", "endpoint": "token", "status": 403}, 4),
        quick=1,
    ),
)
def test_a_period_that_is_not_read_as_a_whole_is_an_error_and_leaves_the_former_page(
    acme: CommandRunner, fault: dict[str, Any], code: int
) -> None:
    assert acme("report", *PERIOD, "-o", "page.html").code == 0
    former = (acme.folder / "page.html").read_bytes()
    acme.server.call(lambda: acme.tenant.faults.add(Fault(**{"times": None} | fault)))
    done = acme("report", *PERIOD, "-o", "page.html", "--format", "json")
    assert done.code == code, done
    assert done.document["schema"] == "falcon-bulk/error/1"
    assert (acme.folder / "page.html").read_bytes() == former


def test_a_tenant_that_cannot_be_reached_gets_no_page_and_stops_no_other(tmp_path: Path) -> None:
    with serve_customers(tmp_path, *NAMES, alerts=60) as shell:
        shell.write_customer("globex", FALCON_CLIENT_SECRET="wrong" * 8)
        done = shell.bare("report", "--all-customers", *PERIOD, "-o", "reports/", "--format", "json")
        assert done.code == 6, done
        entries = {entry["customer"]: entry for entry in assert_valid(done.document)["customers"]}
        assert (entries["globex"]["result"], entries["globex"]["error"]["code"]) == (None, "login_refused")
        written = sorted(path.name for path in (shell.folder / "reports").iterdir())
        day = f"{datetime.now(UTC):%y%m%d}"
        assert written == [f"{name}_{day}_report-{SINCE}-{UNTIL}.html" for name in ("acme", "initech")]


def test_the_sums_of_all_reports_are_the_table_across_customers(three: CommandRunner) -> None:
    alone = [report(three, customer=name) for name in NAMES]
    lines = three.bare("report", "--all-customers", *PERIOD, "--format", "markdown").text.splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    titles, total = table[0], table[-1]
    assert total[0] == "total"
    shown = {title: int(cell.replace(",", "")) for title, cell in zip(titles[2:], total[2:], strict=True)}
    assert shown == {
        "created": sum(one["created"] for one in alone),
        "open": sum(one["open"]["alerts"] for one in alone),
        "closed": sum(sum(one["by_resolution"].values()) for one in alone),
        "false positive": sum(one["by_resolution"]["false_positive"] for one in alone),
        "true positive": sum(one["by_resolution"]["true_positive"] for one in alone),
        "ignored": sum(one["by_resolution"]["ignored"] for one in alone),
        "no resolution": sum(one["by_resolution"]["none"] for one in alone),
        "runs": 0,
        "closed by us": 0,
        "undone": 0,
    }
    parts = three.bare("report", "--all-customers", *PERIOD, "--format", "json").document["customers"]
    assert [without_time(part["result"]) for part in parts] == [without_time(one) for one in alone]


def without_time(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "as_of"}


def test_a_report_names_no_other_customer_and_no_person_unless_it_is_asked_to(acme: CommandRunner) -> None:
    acme.write_env("customers/acme.env", acme.env_texts["acme"] + "FALCON_OPERATOR=Grace Hopper\n")
    work_for_a_month(acme)
    acme.write_customer("globex", "acme", FALCON_CID="f" * 32)
    period = ("--since", "40d")
    for fmt in ("html", "markdown", "json", "table"):
        text = acme("report", *period, "--format", fmt).text
        assert not re.search("Grace Hopper|Ada Lovelace|globex", text.replace("globex-migration", ""))
        named = acme("report", *period, "--format", fmt, "--operators").text
        assert "Ada Lovelace" in named
    assert "Grace Hopper" in acme("report", *period, "--format", "html", "--operators").text


def test_two_months_made_on_one_day_are_two_files_and_a_page_is_the_usual_one(three: CommandRunner) -> None:
    months = [f"{datetime.now(UTC).replace(day=1) - timedelta(days=days):%Y-%m}" for days in (1, 32)]
    for month in months:
        assert three("report", "--month", month, "-o", "months/").code == 0
    day = f"{datetime.now(UTC):%y%m%d}"
    written = {path.name for path in (three.folder / "months").iterdir()}
    assert written == {f"acme_{day}_report-{month}.html" for month in months}


def test_a_month_has_the_alerts_from_its_first_to_its_last_moment(three: CommandRunner) -> None:
    first = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    month = f"{first:%Y-%m}"
    found = [
        document
        for document in documents(three, since="2000", until="2100")
        if document["created_timestamp"].startswith(month)
    ]
    document = report(three, period=("--month", month))
    assert document["created"] == len(found) > 0
    assert document["period"]["since"] == f"{month}-01T00:00:00Z"
    assert document["period"]["until"][8:] == "01T00:00:00Z"
    assert without_time(report(three, period=("--month", "last"))) == without_time(document)


def test_a_month_that_is_not_over_says_so(three: CommandRunner) -> None:
    done = three("report", "--month", f"{datetime.now(UTC):%Y-%m}", "--format", "json")
    assert done.code == 0, done
    assert "Note: The period is not over" in done.err


def test_a_period_without_alerts_and_with_one_are_told_as_such(tmp_path: Path) -> None:
    with Server(Tenant(alerts=0)) as server:
        shell = CommandRunner(tmp_path, server)
        done: CommandResult = shell("report", "--since", "30d")
        assert done.code == 0, done
        assert "No alert was created in this period." in done.text
        document = report(shell, period=("--since", "30d"))
        assert (document["created"], document["false_positive_rate"]["rate"]) == (0, None)
        page = shell("report", "--since", "30d", "--format", "html").text
        assert "No alert was created in this period." in page
        assert "<svg" not in page
        server.call(lambda: server.tenants[0].arrive(1))
        shell.server.call(lambda: server.tenants[0].advance(5))
        later = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        one = report(shell, period=("--since", "30d", "--until", later))
        assert (one["created"], one["open"]["alerts"]) == (1, 1)
        assert sum(one["by_day"].values()) == sum(one["by_severity"].values()) == 1


def test_a_month_of_two_hundred_thousand_alerts_is_counted_whole(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=200_000) as shell:
        document = assert_valid(shell.json("report", "--since", "100d", "-o", "page.html", patience=300))
        assert document["created"] == 200_000
        assert sum(document["by_day"].values()) == 200_000
        page = (shell.folder / "page.html").read_bytes()
        assert page.startswith(b"<!doctype html>")
        assert len(page) < 200_000


def test_all_formats_say_what_came_in_by_severity_product_and_day(three: CommandRunner) -> None:
    document = report(three)
    text = three("report", *PERIOD, "--format", "markdown").text
    parts = dict(part.split("\n", 1) for part in text.split("## ")[1:])
    for title, key in (
        ("Alerts by severity", "by_severity"),
        ("Alerts by product", "by_product"),
        ("Alerts by day (created, UTC)", "by_day"),
    ):
        rows = [line.split(" | ")[:2] for line in parts[title].splitlines() if line.startswith("| ")][2:]
        shown = {label.removeprefix("| "): int(number.strip(" |").replace(",", "")) for label, number in rows}
        assert shown == {label or "none": number for label, number in document[key].items()}
        assert title in three("report", *PERIOD).text


def test_the_table_across_customers_is_whole_at_80_columns(three: CommandRunner) -> None:
    with three.terminal("report", "--all-customers", *PERIOD, columns=80, customer=None) as terminal:
        shown = without_styling(terminal.finish().out)
    assert "…" not in shown
    assert re.search(r"customer +outcome +created +open +closed +positive +positive", shown)
    assert re.search(r"^total  +[\d,]+  ", shown, re.MULTILINE)
