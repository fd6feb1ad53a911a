"""Counts by every field equal those of the tenant's documents, whether Falcon counts or the alerts are read."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Tenant
from falcon_emulator.documents import render
from falcon_emulator.switches import Switches
from tests.support.command import CommandResult, CommandRunner
from tests.support.sampling import quick_first

Document = dict[str, Any]
ALL = "99999"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=1_500, seed=11)) as server:
        yield CommandRunner(Path(tmp_path_factory.mktemp("truth")), server)


def documents(shell: CommandRunner) -> list[Document]:
    """Every alert as Falcon would send it."""
    rendered = shell.server.call(lambda: [render(alert, alert.state) for alert in shell.tenant.store.newest_first])
    return [json.loads(document) for document in rendered]


def severity(alert: Document) -> str | None:
    if "severity_name" in alert or "severity" not in alert:
        return alert.get("severity_name")
    named = {20: "Informational", 40: "Low", 60: "Medium", 80: "High"}
    return next((name for below, name in named.items() if alert["severity"] < below), "Critical")


def host(alert: Document) -> str | None:
    listed = [*(alert.get("host_names") or ()), *(alert.get("source_hosts") or ())]
    named = (alert.get("device") or {}).get("hostname"), alert.get("source_endpoint_host_name")
    return next((name for name in (*named, *listed, alert.get("computer_name"), alert.get("hostname")) if name), None)


def assignee(alert: Document) -> str | None:
    return next((alert[f"assigned_to_{key}"] for key in ("name", "uid", "uuid") if f"assigned_to_{key}" in alert), None)


def field(name: str) -> Callable[[Document], Any]:
    return lambda alert: alert.get(name)


def under(name: str, key: str) -> Callable[[Document], Any]:
    return lambda alert: (alert.get(name) or {}).get(key)


BY_NAME: dict[str, Callable[[Document], Any]] = {
    "severity": severity,
    **{name: field(name) for name in ("status", "product", "type", "tactic", "technique", "filename", "cmdline")},
    "name": lambda alert: alert.get("name") or alert.get("display_name"),
    "host": host,
    "user": field("user_name"),
    "resolution": field("resolution"),
    "assignee": assignee,
    "day": lambda alert: alert["created_timestamp"][:10],
    "hour": lambda alert: alert["created_timestamp"][:13],
}
BY_PATH: dict[str, Callable[[Document], Any]] = {
    "device.platform_name": under("device", "platform_name"),
    "device.hostname": under("device", "hostname"),
    "parent_details.filename": under("parent_details", "filename"),
    "pattern_id": lambda alert: str(alert["pattern_id"]) if "pattern_id" in alert else None,
    "email_sent": lambda alert: str(alert["email_sent"]).lower() if "email_sent" in alert else None,
    **{name: field(name) for name in ("severity_name", "display_name", "sha256", "md5", "ioc_type")},
}
SINGLE = BY_NAME | BY_PATH


def counted(document: Document, by: str) -> Counter[Any]:
    rows = [(row["value"], row["alerts"]) for row in document["by"][by]]
    counts = Counter({tuple(value) if isinstance(value, list) else value: alerts for value, alerts in rows})
    assert len(counts) == len(rows), f"a value of {by} stands twice"
    return counts


def assert_true(document: Document, alerts: list[Document]) -> None:
    """Each single field and each pair of them is counted as it stands in the alerts."""
    assert document["alerts_read"] == len(alerts)
    assert document["hidden"] == sum(alert.get("show_in_ui") is False for alert in alerts)
    for by in document["by"]:
        one, _, other = by.replace("×", "*").partition("*")
        value = (lambda alert, a=one, b=other: (SINGLE[a](alert), SINGLE[b](alert))) if other else SINGLE[one]
        assert counted(document, by) == Counter(map(value, alerts)), by


def read_by(done: CommandResult) -> Counter[str]:
    return Counter(request.endpoint for request in done.requests)


def test_every_field_and_pair_is_counted_as_in_the_documents(shell: CommandRunner) -> None:
    by = [*SINGLE, "name×host", "severity*status", "day*device.platform_name", "user*resolution"]
    document = shell.json("summary", "--by", ",".join(by), "--top", ALL)
    assert list(document["by"]) == by
    assert document["source"] == "reading"
    assert_true(document, documents(shell))


def test_an_alert_with_several_tags_counts_for_each_of_them(shell: CommandRunner) -> None:
    document = shell.json("summary", "--by", "tag,tags,device.groups", "--top", ALL)
    alerts = documents(shell)
    tags = [{tag for tag in alert.get("tags") or () if tag} or {None} for alert in alerts]
    assert counted(document, "tag") == Counter(tag for one in tags for tag in one)
    groups = [(alert.get("device") or {}).get("groups") or [None] for alert in alerts]
    assert counted(document, "device.groups") == Counter(group for one in groups for group in set(one))


# What Falcon counts by itself: for all alerts, and for those of endpoints, all of which have the fields.
OF_ALL = ("severity", "status", "product", "type", "resolution", "day", "hour", "severity_name", "sha256", "ioc_type")
OF_ENDPOINTS = ("host", "name", "filename", "cmdline", "device.hostname", "display_name", "parent_details.filename")


def test_falcon_counts_what_it_can_and_only_the_newest_alerts_are_read(shell: CommandRunner) -> None:
    done = shell("summary", "--by", ",".join(OF_ALL), "--top", ALL, "--format", "json")
    assert done.document["source"] == "aggregates"
    assert_true(done.document, documents(shell))
    asked = Counter(request.endpoint for request in done.requests)
    assert (asked["aggregates"], asked["combined"]) == (1, 1)


def test_falcon_counts_the_alerts_of_a_filter(shell: CommandRunner) -> None:
    document = shell.json("summary", "--by", ",".join(OF_ENDPOINTS), "--product", "epp", "--top", ALL)
    assert document["source"] == "aggregates"
    assert_true(document, [alert for alert in documents(shell) if alert["product"] == "epp"])


@pytest.mark.slow
@pytest.mark.parametrize("by", ["tag", "name*product", "host", "user", "severity,tactic"])
def test_fields_that_falcon_may_count_differently_are_read(shell: CommandRunner, by: str) -> None:
    assert shell.json("summary", "--by", by)["source"] == "reading"


@pytest.mark.slow
@pytest.mark.parametrize("selection", [("--hash", "a" * 64), ("--host", "ACM-*"), ("--name", "MLSensor*")])
def test_a_selection_by_hash_host_or_name_is_read(shell: CommandRunner, selection: tuple[str, str]) -> None:
    assert shell.json("summary", *selection)["source"] == "reading"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("switch", "value", "source"),
    [
        ("aggregates_mode", "refuse_500", "reading"),
        ("aggregates_mode", "refuse_403", "reading"),
        ("aggregates_mode", "undercount", "reading"),
        ("aggregates_mode", "empty", "reading"),
        ("aggregates_mode", "lower_case", "reading"),
        ("aggregates_max_size", 100, "reading"),
        ("combined_hidden", "omitted", "aggregates"),
        ("unknown_field", "empty_clause", "aggregates"),
    ],
)
def test_the_counts_are_correct_however_falcon_counts(
    shell: CommandRunner, switch: str, value: Any, source: str
) -> None:
    switches, usual = shell.tenant.switches, getattr(Switches(), switch)
    setattr(switches, switch, value)
    try:
        document = shell.json("summary", "--by", "severity,status,product,day", "--top", ALL)
    finally:
        setattr(switches, switch, usual)
    assert document["source"] == source
    assert_true(document, documents(shell))


@pytest.mark.slow
def test_an_alert_of_a_cid_that_is_not_listed_is_not_counted(tmp_path: Path) -> None:
    with Server(Tenant(alerts=400, children=1, seed=3)) as server:
        shell = CommandRunner(tmp_path, server)
        text = shell.tenant.env_text(server.url)
        both = sorted({alert["cid"] for alert in documents(shell)})
        one = "\n".join(line for line in text.splitlines() if not line.startswith("FALCON_CID"))
        shell.write_env("customers/one.env", f"{one}\nFALCON_CID={both[0]}\n")
        shell.write_env("customers/both.env", f"{one}\nFALCON_CID={' '.join(both)}\n")
        refused = shell("summary", customer="one")
        assert refused.code == 4
        assert not refused.out
        allowed = shell.json("summary", customer="both")
        assert (allowed["source"], allowed["alerts_read"]) == ("aggregates", 400)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["severity", "tactic", "status*product"])
def test_every_format_has_the_same_counts_and_the_rest(shell: CommandRunner, by: str) -> None:
    rows = shell.json("summary", "--by", by, "--top", "2")["by"][by]
    numbers = [row["alerts"] for row in rows]
    assert sum(numbers) == len(documents(shell))
    assert [row.get("rest", False) for row in rows] == [False, False, True]
    labels = [" × ".join(row["value"] if isinstance(row["value"], list) else [row["value"]]) for row in rows[:2]]
    labels.append("all others")

    done = shell("summary", "--by", f"{by},type", "--top", "2", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(done.text)))
    shares = [f"{100 * number / sum(numbers):.2f}" for number in numbers]
    assert [(row["by"], row["value"], int(row["alerts"]), f"{float(row['percent']):.2f}") for row in table[:3]] == [
        (by, *row) for row in zip(labels, numbers, shares, strict=True)
    ]
    assert {row["by"] for row in table[3:]} == {"type"}
    markdown = shell("summary", "--by", by, "--top", "2", "--format", "markdown").text
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown.splitlines() if line.startswith("|")]
    assert [(cell[0], cell[-1]) for cell in cells[2:5]] == [
        (f"{number:,}", label) for number, label in zip(numbers, labels, strict=True)
    ]


@pytest.mark.parametrize(("by", "has_note"), quick_first(("severity", True), ("tactic", False)))
def test_the_total_is_shown_as_the_console_would_count_it(shell: CommandRunner, by: str, has_note: bool) -> None:
    alerts = documents(shell)
    hidden = sum(alert.get("show_in_ui") is False for alert in alerts)
    assert hidden
    shown = shell("summary", "--by", by).text
    assert f"{len(alerts) - hidden:,} visible + {hidden:,} hidden = {len(alerts):,} alerts." in shown
    assert ("Counts from Falcon" in shown) == has_note
    visible = shell("summary", "--by", by, "--visible-only").text
    assert f"{len(alerts) - hidden:,} visible + 0 hidden = {len(alerts) - hidden:,} alerts." in visible


def test_a_field_that_no_alert_has_is_said(shell: CommandRunner) -> None:
    done = shell("summary", "--by", "device.colour,status,status*device.colour", "--format", "json")
    number = len(documents(shell))
    assert done.document["by"]["device.colour"] == [{"value": None, "alerts": number}]
    assert done.err.count("No alert has a value in device.colour") == 1
    assert "status." not in done.err
    assert "No alert has a value in hostname; did you mean host?" in shell("summary", "--by", "hostname").err


@pytest.mark.slow
def test_csv_of_several_customers_has_the_counts_of_each(tmp_path: Path) -> None:
    with Server([Tenant(alerts=120, seed=5), Tenant(alerts=90, seed=6, customer="globex")]) as server:
        shell = CommandRunner(tmp_path, server)
        shell.write_env("customers/globex.env", server.tenants[1].env_text(server.urls[1]))
        done = shell.bare("summary", "--all-customers", "--by", "status,product", "--format", "csv")
        table = list(csv.DictReader(io.StringIO(done.text)))
    sums: Counter[tuple[str, str]] = Counter()
    for row in table:
        sums[row["customer"], row["by"]] += int(row["alerts"])
    assert sums == {(name, by): n for name, n in (("acme", 120), ("globex", 90)) for by in ("status", "product")}
