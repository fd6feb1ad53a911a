"""What a tired analyst reads before and after a change."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.preview import ActionCount, TopValues
from falcon_bulk.model.run import NamedItem, RunStatus
from falcon_bulk.report import csv_writer as csvfile
from falcon_bulk.report.change_phrase import describe_change
from falcon_bulk.report.formats import Format
from falcon_bulk.report.hash_summary import hash_summary_sheets
from falcon_bulk.report.output import render
from falcon_bulk.report.preview import CLOSING_NOTE, UNDO_NOTE, Screen, preview_sheets
from falcon_bulk.report.run_result import result_headline, result_sheets, run_report
from falcon_bulk.report.sheet import Sheet
from tests.support.report_builders import (
    CID,
    RUN,
    SHA256,
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
            {"status": RunStatus.DECLINED, "planned": 1, "changed": 0},
            "acme: declined, nothing was sent; 1 alert stays as it is",
        ),
        (
            {"status": RunStatus.NOTHING_TO_DO, "selected": 1},
            "acme: nothing to do; the only alert was skipped or held back",
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


def test_a_run_that_did_all_it_was_asked_to_needs_no_table() -> None:
    whole = a_result(selected=1204, skipped={}, held={})
    (sheet,) = result_sheets(whole)
    assert (sheet.title, list(sheet.rows), len(sheet.columns)) == (result_headline(whole), [], 0)
    assert notes([sheet]).startswith(f"Run {RUN}: ")
    partly = a_result(selected=1204, skipped={}, held={}, status=RunStatus.PARTIAL)
    assert result_sheets(partly)[0].rows


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


def facts(**fields: Any) -> dict[str, str]:
    """Return the preview's lines by their label; those without a label belong to the one before."""
    (sheet,) = preview_sheets(a_plan(), a_preview(**fields))
    lines: dict[str, str] = {}
    for label, value in sheet.rows:
        last = str(label) or next(reversed(lines))
        lines[last] = f"{lines[last]}\n{value}" if last in lines else str(value)
    return lines


def test_the_preview_says_what_happens_to_how_many_at_which_tenant() -> None:
    (sheet,) = preview_sheets(a_plan(), a_preview())
    assert sheet.title == "acme: CLOSE 1,204 of 1,530 alerts as false_positive"
    shown = facts()
    assert shown["tenant"] == f"{CID} at api.us-2.crowdstrike.com"
    assert shown["selected"] == f"hash {SHA256}"
    assert shown["created"] == "2026-10-01 00:00:00 to 2026-11-17 06:50:00 UTC"
    assert shown["overrides"] == "assigned"
    assert shown["run"] == f"{RUN}, planned 2026-11-17 06:50:00 UTC by alice on soc-01"
    assert "changes" not in shown


def test_what_is_held_and_skipped_takes_a_line_each() -> None:
    assert facts()["held"] == "26: critical 22, overwatch 4 (--override NAME)"
    assert facts()["skipped"] == "already 300"
    assert "held" not in facts(held={})


def test_the_most_frequent_values_take_a_line_and_command_lines_one_each() -> None:
    samples = (
        TopValues(title="Severity", counts=(("High", 1000), ("Medium", 204))),
        TopValues(title="Host", counts=(("ACME-WKS-0142", 900), ("ACME-SRV-01", 204)), others=87),
        TopValues(title="Command line", counts=(("a.exe /x", 3), ("", 1)), others=2),
        TopValues(title="Product", counts=(("epp", 1204),)),
    )
    shown = facts(samples=samples)
    assert shown["severity"] == "High 1,000, Medium 204"
    assert shown["hosts"] == "ACME-WKS-0142 900, ACME-SRV-01 204, and 87 more"
    assert shown["commands"] == "3  a.exe /x\n1  none (and 2 more)"
    assert "epp" not in "".join(shown.values()), "a constant is no line"


def test_the_warnings_come_first_and_the_constant_sentence_last() -> None:
    (sheet,) = preview_sheets(a_plan(), a_preview(warnings=("The hash is that of cmd.exe.",)))
    assert sheet.warnings == ("The hash is that of cmd.exe.",)
    assert list(sheet.rows)[-1] == ("note", CLOSING_NOTE)
    assert "note" not in facts(effects=(ActionCount(name="add_tag", value="pilot", alerts=1204),))


def test_of_several_hashes_a_screen_shows_the_number() -> None:
    plan = a_plan(hashes=(SHA256, "a" * 64), selection=f"hash {SHA256} or {'a' * 64}, status new")
    (on_screen,) = preview_sheets(plan, a_preview(), screen=Screen(80, 24))
    assert ("selected", "2 hashes, status new") in on_screen.rows
    (whole,) = preview_sheets(plan, a_preview())
    assert ("selected", plan.selection) in whole.rows


def test_what_was_given_by_name_and_is_left_alone_is_counted_on_a_screen_and_listed_elsewhere() -> None:
    preview = a_preview(items=(NamedItem(composite_id="c:ind:1", outcome="held", reason="critical"),))
    (on_screen,) = preview_sheets(a_plan(), preview, screen=Screen(80, 24))
    assert dict(rows(on_screen))["by name"] == "1 given by name left alone; --details lists it"
    (of_two,) = preview_sheets(a_plan(), a_preview(items=preview.items * 2), screen=Screen(80, 24))
    assert dict(rows(of_two))["by name"] == "2 given by name left alone; --details lists them"
    for details, screen in ((False, None), (True, Screen(80, 24))):
        *_, listed = preview_sheets(a_plan(), preview, details=details, screen=screen)
        assert rows(listed) == [("c:ind:1", "held", "critical")]


def test_the_result_of_a_run_lists_what_was_given_by_name_and_left_alone() -> None:
    result = a_result(items=(NamedItem(sha256=SHA256, outcome="not_found", reason="not_found"),))
    sheets = list(run_report(result).sheets())
    assert [(SHA256, "not_found", "")] in [rows(sheet) for sheet in sheets]
    assert notes(sheets) == notes(result_sheets(result))


def test_what_the_title_does_not_tell_is_listed() -> None:
    effects = (
        ActionCount(name="update_status", value="closed", alerts=1204),
        ActionCount(name="add_tag", value="false_positive", alerts=1200),
        ActionCount(name="remove_tag", value="ignored", alerts=4),
    )
    assert facts(effects=effects)["changes"] == "adds the tag false_positive (1,200), removes the tag ignored (4)"


def test_details_add_a_table_of_every_property() -> None:
    summary, counts, host, severity = preview_sheets(a_plan(), a_preview(), details=True)
    assert summary.title == preview_sheets(a_plan(), a_preview())[0].title
    assert rows(counts)[0] == (1530, "selected", "")
    assert rows(counts)[-1] == (1204, "planned", "will be changed")
    assert rows(host) == [(900, "ACME-WKS-0142"), (204, "ACME-SRV-01")]
    assert host.notes == ["and 87 more"]
    assert severity.columns[1].title == "severity"


def test_a_preview_of_an_undo_names_the_run_it_undoes_and_counts_the_other_tenants() -> None:
    plan = a_plan(command="undo", undoes="run-1", cids=(a_plan().cid, "f" * 32))
    (sheet,) = preview_sheets(plan, a_preview(planned=0, oldest="", newest=""))
    sent = dict(sheet.rows)
    assert sheet.title == "acme: UNDO run-1 for 0 of 1,530 alerts"
    assert sent["undoes"] == "run-1"
    assert sent["tenant"] == f"{CID} and 1 more at api.us-2.crowdstrike.com"
    assert "created" not in sent
    assert sent["note"] == UNDO_NOTE


long_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(
    st.lists(long_text, min_size=5, max_size=5, unique=True),
    st.lists(st.text("ABC-", min_size=1, max_size=60), min_size=5, max_size=5, unique=True),
    st.lists(st.text("warn ", max_size=120), max_size=3),
)
def test_a_preview_of_one_hash_fits_on_a_screen_of_24_lines_and_cuts_no_host(
    command_lines: list[str], hosts: list[str], warnings: list[str]
) -> None:
    samples = (
        TopValues(title="Severity", counts=(("High", 1000), ("Medium", 204))),
        TopValues(title="Host", counts=tuple((host, 9) for host in hosts), others=3),
        TopValues(title="File", counts=tuple((f"setup{n}.exe", 9) for n in range(5)), others=30),
        TopValues(title="Parent", counts=tuple((f"parent{n}.exe", 9) for n in range(5)), others=30),
        TopValues(title="Command line", counts=tuple((line, 9) for line in command_lines), others=1_000),
    )
    preview = a_preview(samples=samples, warnings=tuple(warnings))
    stream = StringIO()
    sheets = preview_sheets(a_plan(), preview, screen=Screen(80, 24))
    render(sheets, Format.TABLE, stream, color=False, width=80)
    shown = stream.getvalue()
    assert hosts[0] in shown.replace("\n", "").replace(" ", "")
    assert SHA256 in shown
    assert len(shown.splitlines()) <= 23


@pytest.mark.parametrize(
    ("effects", "fields", "phrase"),
    [
        ([("update_status", "closed")], {}, "CLOSE 7 alerts"),
        ([("update_status", "closed"), ("add_tag", "ignored"), ("add_tag", "x")], {}, "CLOSE 7 alerts as ignored"),
        ([("update_status", "closed")], {"closed": 2}, "CLOSE 7 alerts (2 of them closed already)"),
        ([("update_status", "reopened")], {"closed": 7}, "REOPEN 7 closed alerts"),
        ([("update_status", "new")], {"closed": 7}, "REOPEN 7 closed alerts as new"),
        ([("update_status", "new")], {"closed": 2}, "SET 7 alerts to new, REOPEN 2 closed ones of them"),
        ([("update_status", "in_progress")], {}, "SET 7 alerts to in_progress"),
        ([("add_tag", "true_positive")], {"closed": 7}, "MARK 7 closed alerts as true_positive"),
        ([("add_tag", "a"), ("add_tag", "b")], {}, "TAG 7 alerts with a, b"),
        ([("remove_tag", "a")], {}, "UNTAG 7 alerts: a"),
        ([("assign_to_name", "Ann")], {}, "ASSIGN 7 alerts to Ann"),
        ([("unassign", "true")], {}, "UNASSIGN 7 alerts"),
        ([], {}, "COMMENT on 7 alerts"),
    ],
)
def test_the_question_has_the_verb(effects: list[tuple[str, str]], fields: dict[str, Any], phrase: str) -> None:
    counted = tuple(ActionCount(name=name, value=value, alerts=7) for name, value in effects)
    assert describe_change(a_plan(), a_preview(planned=7, effects=counted, **fields), "7") == phrase


@pytest.mark.parametrize("closed", [0, 33])
def test_a_plan_that_changes_nothing_names_no_change(closed: int) -> None:
    preview = a_preview(planned=0, effects=(), closed=closed)
    assert describe_change(a_plan(), preview, "0 of 33") == "CHANGE 0 of 33 alerts"


@pytest.mark.parametrize(
    ("effect", "phrase"), [("closed", "CLOSE 1 alert"), ("in_progress", "SET 1 alert to in_progress")]
)
def test_one_alert_is_one_alert(effect: str, phrase: str) -> None:
    effects = (ActionCount(name="update_status", value=effect, alerts=1),)
    assert describe_change(a_plan(), a_preview(planned=1, effects=effects), "1") == phrase


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
    (rare,) = hash_summary_sheets(a_hash_summary(*(a_hash_count(n) for n in (2, 1))), 1)
    assert rare.notes[-1] == "Not shown: 1 of 2 hashes, with at most 1 alert each."


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
