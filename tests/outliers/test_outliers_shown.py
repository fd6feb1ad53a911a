"""Outliers as `summary --outliers` and the preview of `close-hash` show them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Tenant
from tests.support import outlier_cases as plants
from tests.support.command import CommandRunner, without_styling
from tests.support.planted_tenant import id_at, plant

COPIES, TOOL, MIXED, SIX = (plants.groups()[number] for number in (3, 5, 14, 17))
HOSTILE = "\x1b[31m\u202e|[link](https://evil.example)"


def sha256_of(group: plants.Group) -> str:
    return str(group.documents[0]["sha256"])


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    acme = Tenant(alerts=200, seed=5, customer="acme")
    plant(acme, [COPIES, MIXED, SIX])
    globex = Tenant(alerts=200, seed=6, customer="globex")
    for document in TOOL.documents:
        if document["composite_id"] in TOOL.outliers:
            document["filepath"] = f"C:\\{HOSTILE}\\{document['filename']}"
    plant(globex, [TOOL])
    with Server([acme, globex]) as server:
        shell = CommandRunner(Path(tmp_path_factory.mktemp("outliers")), server)
        shell.write_env("customers/globex.env", globex.env_text(server.urls[1]))
        yield shell


def reported(document: dict[str, Any]) -> set[str]:
    return {outlier["composite_id"] for group in document["outliers"]["groups"] for outlier in group["examples"]}


def test_summary_lists_the_outliers_and_counts_the_groups(shell: CommandRunner) -> None:
    document = shell.json("summary", "--outliers", "--by", "status")
    assert reported(document) == {id_at(shell.tenant, outlier) for outlier in COPIES.outliers}
    (group,) = document["outliers"]["groups"]
    assert (group["sha256"], group["alerts"], group["outliers"]) == (sha256_of(COPIES), 266, 3)
    assert group["status"] == "outliers"
    assert {reason["description"] for reason in group["reasons"]} == {
        "run by SYSTEM",
        "under cmd.exe",
        "with the command line vss_copy.exe -delete -all -quiet",
    }
    by_person = next(outlier for outlier in group["examples"] if len(outlier["differences"]) == 2)
    assert by_person["differences"][1] == {"field": "parent", "value": "cmd.exe", "usual": "BackupAgent.exe"}
    assert document["outliers"]["by_status"]["outliers"] == 1
    assert document["outliers"]["by_status"]["inconclusive"] >= 1
    assert document["outliers"]["not_compared"] == 0
    assert sum(one["alerts"] for one in document["by"]["status"]) == document["alerts_read"]


@pytest.mark.slow
def test_summary_compares_nothing_unless_asked(shell: CommandRunner) -> None:
    assert "outliers" not in shell.json("summary")


@pytest.mark.slow
def test_a_selection_is_compared_by_itself(shell: CommandRunner) -> None:
    assert reported(shell.json("summary", "--outliers", "--hash", sha256_of(COPIES)))
    assert not reported(shell.json("summary", "--outliers", "--hash", sha256_of(MIXED)))


def test_the_table_describes_the_outliers(shell: CommandRunner) -> None:
    shown = shell("summary", "--outliers", "--by", "status").text
    assert re.search(r"acme: Outliers: in 1 of \d+ groups", shown)
    assert "1 run by SYSTEM; 1 under cmd.exe; 1 with the command line vss_copy.exe -delete" in shown
    assert "run by i.muster, under cmd.exe" in shown
    assert "Usual of vss_copy.exe: user svc_backup; parent BackupAgent.exe; command line vss_copy.exe -job " in shown
    assert all(id_at(shell.tenant, outlier) in shown for outlier in COPIES.outliers)


@pytest.mark.slow
def test_csv_has_a_line_for_each_outlier(shell: CommandRunner) -> None:
    rows = list(csv.DictReader(io.StringIO(shell("summary", "--outliers", "--format", "csv").text)))
    assert {row["composite_id"] for row in rows} == {id_at(shell.tenant, outlier) for outlier in COPIES.outliers}
    assert {(row["sha256"], row["alerts"], row["outliers"]) for row in rows} == {(sha256_of(COPIES), "266", "3")}


@pytest.mark.slow
def test_in_a_multi_customer_run_each_customer_is_compared_by_itself(shell: CommandRunner) -> None:
    done = shell.bare("summary", "--outliers", "--all-customers", "--format", "json")
    assert done.code == 0, done
    results = {part["customer"]: part["result"] for part in done.document["customers"]}
    assert reported(results["acme"]) == {id_at(shell.tenant, outlier) for outlier in COPIES.outliers}
    assert len(reported(results["globex"])) == len(TOOL.outliers)
    rows = list(
        csv.DictReader(io.StringIO(shell.bare("summary", "--outliers", "--all-customers", "--format", "csv").text))
    )
    assert {row["customer"] for row in rows} == {"acme", "globex"}


@pytest.mark.slow
@pytest.mark.parametrize("fmt", ["table", "markdown", "csv", "html"])
def test_what_an_attacker_wrote_into_a_folder_is_shown_harmless(shell: CommandRunner, fmt: str) -> None:
    done = shell("summary", "--outliers", "--format", fmt, customer="globex")
    assert done.code == 0, done
    assert "\\x1b[31m\\u202e" in done.text.replace("\\\\", "\\").replace("\\[", "[").replace("\\_", "_")
    assert not {"\x1b", "\u202e"} & set(done.text)
    if fmt == "markdown":
        assert "[link](https://evil.example)" not in done.text


def test_the_preview_of_a_hash_reports_its_outliers(shell: CommandRunner) -> None:
    done = shell("close-hash", "--hash", sha256_of(COPIES), "--dry-run")
    text = "Warning: 3 of 266 alerts are unlike the others: 1 run by SYSTEM; 1 under cmd.exe; 1 with the command"
    assert text in done.text
    listed = shell("close-hash", "--hash", sha256_of(COPIES), "--dry-run", "--details").text
    assert "Outliers: 3 of 266 alerts: 1 run by SYSTEM" in listed
    assert all(id_at(shell.tenant, outlier) in listed for outlier in COPIES.outliers)
    document = shell.json("close-hash", "--hash", sha256_of(COPIES), "--dry-run")
    (group,) = document["outliers"]["groups"]
    assert document["outliers"]["by_status"] == {"uniform": 0, "outliers": 1, "inconclusive": 0, "too_small": 0}
    assert {outlier["composite_id"] for outlier in group["examples"]} == {
        id_at(shell.tenant, outlier) for outlier in COPIES.outliers
    }
    assert document["planned"] == 266


@pytest.mark.slow
def test_the_preview_of_several_hashes_has_a_line_for_those_without_outliers(shell: CommandRunner) -> None:
    hashes = ",".join(map(sha256_of, (COPIES, MIXED, SIX)))
    shown = shell("close-hash", "--hash", hashes, "--dry-run").text
    assert "Warning: 1 of 3 groups have outliers. --details lists them." in shown
    assert f"Warning: 3 of 266 alerts of {sha256_of(COPIES)} are unlike the others: " in shown
    assert "Warning: 1 of 3 groups are too varied to compare: no outliers can be told there." in shown
    assert "of 3 groups 1 with too few alerts to compare" in shown


@pytest.mark.slow
def test_a_hash_whose_alerts_are_too_varied_or_too_few_takes_one_line(shell: CommandRunner) -> None:
    varied = shell("close-hash", "--hash", sha256_of(MIXED), "--dry-run").text
    assert "Warning: The 423 alerts are too varied to compare (" in varied
    assert "): no outliers can be told. Review them by hand." in varied
    few = shell("close-hash", "--hash", sha256_of(SIX), "--dry-run").text
    assert "too few alerts to compare (6)" in few


def test_outliers_are_shown_next_to_the_question_and_hold_nothing_back(shell: CommandRunner) -> None:
    with shell.terminal("close-hash", "--hash", sha256_of(COPIES)) as terminal:
        terminal.wait_for('Type "acme 266"')
        shown = without_styling(terminal.shown)
        terminal.type("no\r")
        assert terminal.finish().code == 3
    assert "Warning: 3 of 266 alerts are unlike the others" in shown
    assert shown.index("3 of 266 alerts") < shown.index('Type "acme 266"')


@pytest.mark.slow
def test_a_saved_plan_keeps_the_outliers(shell: CommandRunner) -> None:
    plan = shell.folder / "copies.plan"
    assert shell("close-hash", "--hash", sha256_of(COPIES), "--dry-run", "--plan", str(plan)).code == 0
    assert len(json.loads(plan.read_bytes().splitlines()[-2])["preview"]["outliers"]["groups"]) == 1
    with shell.terminal("apply", str(plan)) as terminal:
        terminal.wait_for('Type "acme 266"')
        assert "3 of 266 alerts are unlike the others" in without_styling(terminal.shown)
        terminal.type("no\r")
        assert terminal.finish().code == 3


@pytest.mark.slow
def test_other_changes_are_not_compared(shell: CommandRunner) -> None:
    options = ("bulk-close", "--filter", f"sha256:'{sha256_of(COPIES)}'", "--dry-run")
    assert "Outliers" not in shell(*options).text
    assert "outliers" not in shell.json(*options)


@pytest.mark.slow
def test_all_plants_in_one_tenant_are_reported_and_nothing_else(tmp_path: Path) -> None:
    tenant = Tenant(alerts=3_000, seed=9)
    plant(tenant, plants.groups())
    with Server(tenant) as server:
        found = reported(CommandRunner(tmp_path, server).json("summary", "--outliers"))
    assert found == {id_at(tenant, outlier) for group in plants.groups() for outlier in group.outliers}
