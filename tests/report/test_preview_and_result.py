"""What a tired analyst reads before and after a change."""

from io import StringIO

import pytest

from falcon_bulk.model.run import RunStatus
from falcon_bulk.report import csv_writer as csvfile
from falcon_bulk.report.hash_summary import hash_summary_sheets
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.run_result import result_headline, result_sheets
from falcon_bulk.report.sheet import Sheet
from tests.support.report_builders import (
    RUN,
    a_hash_count,
    a_hash_elsewhere,
    a_hash_summary,
    a_partial_result,
    a_plan,
    a_preview,
    a_problem,
    a_result,
)


def rows(sheet: Sheet) -> list[tuple[object, ...]]:
    return [tuple(row) for row in sheet.rows]


def notes(sheets: list[Sheet]) -> str:
    return "\n".join(note for sheet in sheets for note in sheet.notes)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "acme: 1,204 of 1,204 alerts changed and verified"),
        (
            {"status": RunStatus.DRY_RUN},
            "acme: dry run, nothing was sent; 1,204 of 1,530 alerts would be changed",
        ),
        (
            {"status": RunStatus.NOTHING_TO_DO, "planned": 0},
            "acme: nothing to do; all 1,530 alerts were skipped or held back",
        ),
        (
            {"status": RunStatus.NOTHING_TO_DO, "planned": 0, "selected": 0},
            "acme: nothing to do; no alert was selected",
        ),
        (
            {"status": RunStatus.PARTIAL, "changed": 1100, "verified": 1098},
            "acme: partly done; 1,100 of 1,204 alerts changed, 1,098 verified",
        ),
        ({"status": RunStatus.FAILED, "changed": 0}, "acme: failed; 0 of 1,204 alerts changed"),
        (
            {"status": RunStatus.DECLINED, "changed": 0},
            "acme: declined, nothing was sent; 1,204 alerts stay as they are",
        ),
        (
            {"status": RunStatus.INTERRUPTED, "changed": 500, "verified": 500},
            "acme: interrupted; 500 of 1,204 alerts changed, 500 verified",
        ),
        ({"status": RunStatus.RUNNING, "changed": 500}, "acme: still running; 500 of 1,204 alerts changed"),
        ({"status": RunStatus.UNFINISHED, "changed": 500}, "acme: unfinished; 500 of 1,204 alerts changed"),
    ],
)
def test_the_first_line_is_the_headline(fields: dict[str, object], line: str) -> None:
    assert result_headline(a_result(**fields)) == line
    assert result_sheets(a_result(**fields))[0].title == line


def test_only_numbers_that_are_not_zero_are_listed() -> None:
    listed = [what for _, what, _ in rows(result_sheets(a_result(skipped={"already": 300, "duplicate": 0}))[0])]
    assert listed == ["selected", "skipped: already", "held: critical", "planned", "changed", "verified"]


def test_errors_are_listed_with_their_trace_ids_and_a_few_of_their_ids() -> None:
    _, errors = result_sheets(a_partial_result(errors=(a_problem(), a_problem(code=0, ids=("id-1",)))))
    assert rows(errors) == [
        (
            500,
            "Internal Server Error",
            "a1b2c3d4-0000-1111-2222-333344445555",
            5,
            "id-1, id-2, id-3, and 2 more",
        ),
        (None, "Internal Server Error", "a1b2c3d4-0000-1111-2222-333344445555", 1, "id-1"),
    ]


def test_a_run_says_what_it_took_and_names_itself() -> None:
    assert notes(result_sheets(a_result())).startswith(f"Run {RUN}: ")
    dry = {"status": RunStatus.DRY_RUN, "changed": 0, "verified": 0, "not_sent": 1204, "batches": 0}
    assert notes(result_sheets(a_result(**dry))) == ""


def test_a_declined_run_asks_for_nothing_more() -> None:
    declined = a_result(status=RunStatus.DECLINED, changed=0, verified=0, not_sent=1204, batches=0)
    assert notes(result_sheets(declined)) == ""


def test_the_preview_says_what_is_sent_and_to_which_tenant() -> None:
    sent = rows(preview_sheets(a_plan(), a_preview())[0])
    assert ("sends", "set the status to closed") in sent
    assert ("sends", "add the tag false_positive") in sent
    assert ("created", "2026-10-01T00:00:00Z to 2026-11-17T06:50:00Z") in sent
    assert ("overrides", "assigned") in sent


def test_the_preview_counts_what_is_held_back_and_names_the_option_that_overrides_it() -> None:
    counts = rows(preview_sheets(a_plan(), a_preview())[1])
    assert counts[0] == (1530, "selected", "")
    assert (22, "held: critical", "held by a guardrail; --override critical includes them") in counts
    assert counts[-1] == (1204, "planned", "will be changed")
    assert not [row for row in counts if row[0] == 0]


def test_the_preview_shows_each_sample_as_a_small_table() -> None:
    *_, host, severity = preview_sheets(a_plan(), a_preview())
    assert rows(host) == [(900, "ACME-WKS-0142"), (204, "ACME-SRV-01")]
    assert host.notes == ["and 87 more"]
    assert severity.columns[1].title == "severity"


def test_the_warnings_stand_at_the_end_of_the_preview() -> None:
    for samples in (a_preview().samples, ()):
        sheets = preview_sheets(a_plan(), a_preview(samples=samples))
        assert sheets[-1].notes[-1].startswith("Closing can fire workflows")


def test_a_preview_of_an_undo_names_the_run_it_undoes_and_all_tenants() -> None:
    plan = a_plan(command="undo", undoes="run-1", cids=(a_plan().cid, "f" * 32))
    sent = rows(preview_sheets(plan, a_preview(planned=0, oldest="", newest=""))[0])
    assert ("undoes", "run-1") in sent
    assert ("also", "f" * 32) in sent
    assert "created" not in [row[0] for row in sent]


def test_the_hash_summary_shows_the_most_frequent_and_says_what_it_leaves_out() -> None:
    (sheet,) = hash_summary_sheets(a_hash_summary(*(a_hash_count(n) for n in (3000, 1200, 1100))), 2)
    assert [row[0] for row in sheet.rows] == [3000, 1200]
    assert sheet.title == "acme: 3 hashes in 4,100 of 5,000 alerts"
    assert sheet.notes[-1] == "Not shown: 1 of 3 hashes, with at most 1,100 alerts each."
    assert not hash_summary_sheets(a_hash_summary(a_hash_count(), filter=""), None)[0].notes


def test_hashes_that_are_nobody_s_own_have_a_sheet_of_their_own() -> None:
    others = [a_hash_elsewhere(n) for n in (30, 20, 10)]
    own, elsewhere = hash_summary_sheets(a_hash_summary(a_hash_count(), related=others), 2)
    assert [row[0] for row in own.rows] == [3200]
    assert elsewhere.title == "acme: 3 hashes seen only as parent, quarantined or written files"
    assert list(elsewhere.rows) == [(n, "b" * 64, "c" * 32, "parent", "explorer.exe") for n in (30, 20)]
    assert elsewhere.notes[-1] == "Not shown: 1 of 3 hashes, with at most 10 alerts each."


def test_the_hash_summary_shows_where_a_hash_stood_in_short_its_own_places_first() -> None:
    elsewhere = ("parent_details.sha256", "ioc_context.sha256", "ioc_context.ioc_value")
    count = a_hash_count(fields=("sha256", "entities.sha256"), other_fields=elsewhere, md5="c" * 32)
    (sheet,) = hash_summary_sheets(a_hash_summary(count), None)
    cells = dict(zip((column.title for column in sheet.columns), next(iter(sheet.rows)), strict=True))
    assert cells["fields"] == "sha256, entities, parent, ioc_context"
    assert cells["md5"] == "c" * 32


def test_the_hash_summary_as_csv_has_the_whole_names_of_the_fields() -> None:
    count = a_hash_count(fields=("sha256",), other_fields=("parent_details.sha256",))
    written = StringIO()
    csvfile.write(hash_summary_sheets(a_hash_summary(count), None), written)
    assert written.getvalue().splitlines()[1].endswith('"sha256, parent_details.sha256"')


def test_the_hash_summary_lists_the_most_frequent_status_first() -> None:
    (sheet,) = hash_summary_sheets(a_hash_summary(a_hash_count(1500)), None)
    cells = dict(zip((column.title for column in sheet.columns), next(iter(sheet.rows)), strict=True))
    assert cells["by_status"] == "new 1499, closed 1"
