"""`falcon-bulk query` against a served tenant; the truth is the tenant's own."""

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Fault
from falcon_emulator.documents import render
from tests.support.command import COMMAND, CommandRunner
from tests.support.sampling import quick_first

COLUMNS = (
    "composite_id,created_timestamp,severity_name,status,resolution,product,type,name,hostname,filename,sha256,"
    "assigned_to_name"
)


def ids(alerts: list[dict[str, Any]]) -> list[str]:
    return [alert["composite_id"] for alert in alerts]


def as_sent(shell: CommandRunner) -> dict[str, bytes]:
    """Every document, byte for byte, by its id."""
    return shell.server.call(
        lambda: {alert.composite_id: render(alert, alert.state) for alert in shell.tenant.store.newest_first}
    )


def test_count_is_the_number_of_alerts_alone_on_stdout(readable: CommandRunner) -> None:
    new = [alert for alert in readable.alerts() if alert["status"] == "new"]
    done = readable("query", "--status", "new", "--count")
    assert (done.code, done.out, done.err) == (0, f"{len(new)}\n".encode(), "")


@pytest.mark.slow
def test_count_with_a_hash_is_the_number_of_alerts_that_have_it(readable: CommandRunner) -> None:
    digest, having = max(readable.hashes().items(), key=lambda item: len(item[1]))
    assert readable("query", "--hash", digest, "--count").out == f"{len(having)}\n".encode()


def test_all_gives_every_alert_once_and_byte_for_byte(readable: CommandRunner) -> None:
    done = readable("query", "--all", "--format", "jsonl")
    assert done.code == 0, done
    assert len(done.lines) == len(readable.alerts())
    documents = as_sent(readable)
    assert {json.loads(line)["composite_id"]: line for line in done.lines} == documents
    assert done.out.endswith(b"\n")


def test_without_options_the_newest_hundred_are_shown_and_the_total_is_told(readable: CommandRunner) -> None:
    done = readable("query", "--format", "jsonl")
    assert ids(done.documents) == ids(readable.alerts()[:100])
    assert "100 of 2,500 alerts are shown" in done.err
    assert "--all" in done.err


@pytest.mark.parametrize("limit", quick_first(7, 1, 1001))
def test_limit_gives_the_newest_of_them(readable: CommandRunner, limit: int) -> None:
    done = readable("query", "--limit", str(limit), "--format", "jsonl")
    assert ids(done.documents) == ids(readable.alerts()[:limit])


@pytest.mark.parametrize(
    "order", quick_first("severity.desc", "severity.asc", "created_timestamp.asc", "created_timestamp|asc")
)
def test_sort_orders_all_alerts(readable: CommandRunner, order: str) -> None:
    field, descending = order.replace("|", ".").rpartition(".")[0], order.endswith("desc")
    done = readable("query", "--all", "--product", "epp", "--sort", order, "--format", "jsonl")
    values = [document[field] for document in done.documents]
    assert values == sorted(values, reverse=descending)
    assert len(values) == sum(alert["product"] == "epp" for alert in readable.alerts())


@pytest.mark.slow
def test_sort_orders_the_alerts_of_a_hash(readable: CommandRunner) -> None:
    digest, having = max(readable.hashes().items(), key=lambda item: len(item[1]))
    done = readable("query", "--hash", digest, "--sort", "created_timestamp.asc", "--all", "--format", "jsonl")
    instants = [document["created_timestamp"] for document in done.documents]
    assert instants == sorted(instants)
    assert len(instants) == len(having)


def test_fields_gives_just_these_in_this_order(readable: CommandRunner) -> None:
    done = readable(
        "query", "--product", "epp", "--limit", "3", "--fields", "severity_name,device.hostname", "--format", "csv"
    )
    newest = [alert for alert in readable.alerts() if alert["product"] == "epp"][:3]
    documents = [json.loads(as_sent(readable)[alert["composite_id"]]) for alert in newest]
    header, *rows = csv.reader(io.StringIO(done.text))
    assert header == ["severity_name", "device.hostname"]
    assert [row[0] for row in rows] == [document["severity_name"] for document in documents]
    as_json = readable.bare(
        *("query", "--product", "epp", "--limit", "3", "--fields", "severity_name,device.hostname"),
        *("--format", "json", "--customer", "acme"),
    )
    assert json.loads(as_json.out) == [
        {"severity_name": document["severity_name"], "device.hostname": document["device"]["hostname"]}
        for document in documents
    ]


@pytest.mark.slow
def test_details_show_the_command_line_and_the_console_link(readable: CommandRunner) -> None:
    done = readable("query", "--product", "epp", "--limit", "5", "--details")
    assert done.code == 0
    for word in ("cmdline", "tactic", "falcon_host_link", "https://falcon.crowdstrike.com/"):
        assert word in done.text


def test_csv_has_the_default_columns_and_a_row_for_each_alert(readable: CommandRunner) -> None:
    done = readable("query", "--limit", "50", "--format", "csv")
    header, *rows = csv.reader(io.StringIO(done.text))
    assert ",".join(header) == COLUMNS
    assert [row[0] for row in rows] == ids(readable.alerts()[:50])


def test_json_is_one_array_of_the_documents_as_they_were_sent(readable: CommandRunner) -> None:
    done = readable("query", "--limit", "20", "--format", "json")
    documents = as_sent(readable)
    expected = [documents[alert["composite_id"]] for alert in readable.alerts()[:20]]
    assert json.loads(done.out) == [json.loads(document) for document in expected]
    assert all(document in done.out for document in expected)


@pytest.mark.slow
def test_markdown_is_a_table_with_a_line_for_each_alert(readable: CommandRunner) -> None:
    title, _, *lines = readable("query", "--limit", "20", "--format", "markdown").text.strip().splitlines()
    assert title == "## acme: 20 of 2,500 alerts"
    assert len(lines) == 22
    assert all(line.startswith("|") and line.endswith("|") for line in lines)


def test_html_is_not_for_query_and_no_request_is_made(readable: CommandRunner) -> None:
    done = readable("query", "--format", "html")
    assert done.code == 2
    assert not done.requests
    assert "table, markdown, csv, json, jsonl" in done.err


@pytest.mark.slow
def test_a_file_of_each_suffix_gets_the_format_of_its_name(readable: CommandRunner) -> None:
    for suffix, fmt in {
        ".txt": "table",
        ".md": "markdown",
        ".csv": "csv",
        ".json": "json",
        ".jsonl": "jsonl",
    }.items():
        file = readable.folder / f"alerts{suffix}"
        done = readable("query", "--limit", "5", "--format", fmt, "-o", str(file))
        assert done.code == 0, done
        assert file.read_bytes() == done.out, fmt


def test_a_file_of_an_unknown_suffix_is_refused_before_any_request(readable: CommandRunner) -> None:
    done = readable("query", "-o", "alerts.xlsx")
    assert (done.code, done.requests) == (2, [])
    assert ".csv" in done.err
    assert not (readable.folder / "alerts.xlsx").exists()


def test_an_empty_result_says_so_and_repeats_the_filter(readable: CommandRunner) -> None:
    fql = "device.hostname:'no-such-host'"
    for fmt, expected in {"jsonl": b"", "json": b"[]\n", "csv": COLUMNS.encode() + b"\n"}.items():
        done = readable("query", "--filter", fql, "--format", fmt)
        assert (done.code, done.out) == (0, expected)
        assert "No alert matches" in done.err
        assert fql in done.err


@pytest.mark.slow
def test_fail_on_empty_exits_with_nine(readable: CommandRunner) -> None:
    empty = ("--filter", "status:'new'+status:'closed'", "--fail-on-empty")
    assert readable("query", *empty).code == 9
    counted = readable("query", *empty, "--count")
    assert (counted.code, counted.out) == (9, b"0\n")
    assert readable("hash-summary", *empty).code == 9


def test_connection_test_names_the_tenant_and_changes_nothing(readable: CommandRunner) -> None:
    done = readable("query", "--test-connection", "--format", "json")
    assert done.code == 0, done
    assert done.document["cid"] == readable.tenant.cid
    assert done.document["alerts"] == len(readable.alerts())
    assert done.document["customer"] == "acme"
    assert not done.to("patch")


def test_a_reader_that_goes_away_ends_the_output_without_a_traceback(readable: CommandRunner) -> None:
    query = subprocess.Popen(
        [*COMMAND, "query", "--customer", "acme", "--all", "--format", "jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=readable.folder,
        env=readable.environment(),
    )
    assert query.stdout
    assert query.stderr
    first = query.stdout.readline()
    query.stdout.close()
    said = query.stderr.read().decode()
    query.stderr.close()
    assert query.wait(60) == 0, said
    assert json.loads(first)["composite_id"]
    assert "Traceback" not in said
    assert "Error" not in said


@pytest.mark.slow
def test_hidden_alerts_are_left_out_only_when_asked_for(readable: CommandRunner) -> None:
    shown = {alert["composite_id"] for alert in readable.alerts() if alert["show_in_ui"] is not False}
    done = readable("query", "--all", "--visible-only", "--format", "jsonl")
    assert set(ids(done.documents)) == shown
    assert len(shown) < len(readable.alerts())


def test_the_options_of_a_selection_are_anded(readable: CommandRunner) -> None:
    expected = {
        alert["composite_id"]
        for alert in readable.alerts()
        if alert["status"] in ("new", "reopened") and alert["product"] == "epp" and alert["severity_name"] == "High"
    }
    done = readable(
        *("query", "--all", "--status", "new,reopened", "--product", "epp", "--severity", "high"),
        *("--filter", "tactic:*'*',status:'closed'", "--format", "jsonl"),
    )
    assert expected
    assert set(ids(done.documents)) == expected


@pytest.mark.slow
def test_alerts_without_a_severity_name_are_found_by_the_band_of_their_number(readable: CommandRunner) -> None:
    unnamed = [a for a in readable.alerts() if a["severity"] is not None and not a["severity_name"]]
    done = readable("query", "--all", "--severity", "informational,low,medium,high,critical", "--format", "jsonl")
    assert unnamed
    assert set(ids(unnamed)) <= set(ids(done.documents))


@pytest.mark.slow
def test_since_and_until_bound_the_creation(readable: CommandRunner) -> None:
    alerts = readable.alerts()
    since, until = alerts[1500]["created_timestamp"], alerts[500]["created_timestamp"]
    expected = [a for a in alerts if since[:19] + "Z" <= a["created_timestamp"] < until[:19] + "Z"]
    done = readable("query", "--since", since[:19] + "Z", "--until", until[:19] + "Z", "--count")
    assert int(done.out) == len(expected)


@pytest.mark.slow
def test_a_stream_that_breaks_leaves_a_former_file_as_it_was(acme: Any) -> None:
    shell = acme(alerts=2500)
    file: Path = shell.folder / "alerts.jsonl"
    file.write_text("yesterday's\n")
    shell.server.call(
        lambda: shell.tenant.faults.add(Fault(kind="status", endpoint="combined", skip=1, times=1, status=400))
    )
    done = shell("query", "--all", "--format", "jsonl", "-o", str(file))
    assert done.code != 0
    assert "Error:" in done.err
    assert file.read_text() == "yesterday's\n"
    assert [entry.name for entry in shell.folder.iterdir() if entry.suffix == ".tmp"] == []


def test_a_json_stream_that_breaks_in_the_middle_is_not_followed_by_a_second_document(acme: Any) -> None:
    shell = acme(alerts=2500)
    shell.server.call(
        lambda: shell.tenant.faults.add(Fault(kind="status", endpoint="combined", skip=1, times=1, status=400))
    )
    done = shell("query", "--all", "--format", "json", "--readers", "1")
    assert done.code != 0
    assert "Error:" in done.err
    assert b"falcon-bulk/error/1" not in done.out


def test_fields_takes_the_headings_of_the_table(readable: CommandRunner) -> None:
    """The table's hostname is the first host name that an alert has, whatever its field is called."""
    argv = ("query", "--product", "epp", "--limit", "5")
    headings = ("hostname", "name", "severity_name", "created_timestamp")
    table = list(csv.DictReader(io.StringIO(readable(*argv, "--format", "csv").text)))
    chosen = readable(*argv, "--fields", ",".join(headings), "--format", "csv")
    assert "Note:" not in chosen.err
    shown = list(csv.DictReader(io.StringIO(chosen.text)))
    assert shown == [{heading: row[heading] for heading in headings} for row in table]
    assert all(row["hostname"] for row in shown)
    documents = readable(*argv, "--fields", "hostname", "--format", "jsonl").documents
    assert [document["hostname"] for document in documents] == [row["hostname"] for row in shown]


def test_fields_that_no_alert_shown_has_are_named(readable: CommandRunner) -> None:
    argv = ("query", "--product", "epp", "--limit", "2", "--fields", "status,hostnme,email_sender")
    for fmt in ("table", "json"):
        err = readable(*argv, "--format", fmt).err
        assert "No alert that was read has the field hostnme; did you mean hostname?" in err
        assert "No alert that was read has the field email_sender" in err
        assert "field status" not in err


def test_the_title_has_the_customer_and_the_total(readable: CommandRunner) -> None:
    assert readable("query", "--limit", "3").text.startswith("acme: 3 of 2,500 alerts\n")
    assert readable("query", "--name", "Nothing is called that").text.startswith("acme: 0 alerts\n")
    everything = readable("query", "--all", "--fields", "status")
    assert everything.text.startswith("acme: all alerts of the selection\n")
    assert "2,500 alerts in all." in everything.err
