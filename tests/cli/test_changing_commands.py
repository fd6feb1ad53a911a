"""`close-hash` and `bulk-close` against a served tenant: what is changed, and above all what is not."""

import csv
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import COMMAND, CommandResult, CommandRunner
from tests.support.sampling import quick_first

YES = ("--yes", "--max", "100000")
FREELY = (*YES, "--override", "all", "--batch-delay", "0")
RESOLUTION_TAGS = {"false_positive", "true_positive", "ignored"}
GUARDRAIL_NAMES = {
    *("critical", "no-severity", "overwatch", "falcon-complete", "true-positive"),
    *("case", "assigned", "in-progress", "reopened", "closed", "other-hashes"),
}


def open_alerts(alerts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {alert["composite_id"]: alert for alert in alerts if alert["status"] != "closed"}


def by_id(shell: CommandRunner) -> dict[str, dict[str, Any]]:
    return {alert["composite_id"]: alert for alert in shell.alerts()}


def commonest(shell: CommandRunner) -> tuple[str, set[str]]:
    return max(sorted(shell.hashes().items()), key=lambda item: len(item[1]))


def assert_sums(document: dict[str, Any]) -> None:
    outcomes = ("changed", "failed", "drifted", "unknown", "not_sent")
    assert document["planned"] == sum(document[outcome] for outcome in outcomes)
    left_alone = sum(document["skipped"].values()) + sum(document["held"].values())
    assert document["selected"] == document["planned"] + left_alone


def assert_nothing_sent(done: CommandResult) -> None:
    assert not done.to("patch")


# What a run does


def test_bulk_close_closes_exactly_the_open_alerts_with_one_comment_each(acme: Any) -> None:
    shell = acme()
    before = by_id(shell)
    document = shell.json("bulk-close", "--since", "5000d", *FREELY, "--comment", "Known installer")
    assert_sums(document)
    wanted = open_alerts(list(before.values()))
    assert document["status"] == "success"
    assert document["selected"] == len(before)
    assert document["planned"] == document["changed"] == document["verified"] == len(wanted)
    assert document["skipped"] == {"closed": len(before) - len(wanted)}
    assert Counter(change.composite_id for change in shell.changes()) == Counter(wanted.keys())
    for composite_id, alert in by_id(shell).items():
        earlier = before[composite_id]["comments"]
        if composite_id in wanted:
            comment = f"Known installer (by {operator(shell)}, falcon-bulk {document['run_id']})"
            assert alert["comments"] == [*earlier, comment]
            assert alert["status"] == "closed"
        else:
            assert alert == before[composite_id]


def operator(shell: CommandRunner) -> str:
    """Whom the comments name."""
    return str(shell.changes()[-1].actions[-1][1].partition("(by ")[2].partition(",")[0])


def test_close_hash_closes_exactly_the_open_alerts_of_the_hash(acme: Any) -> None:
    shell = acme(alerts=800)
    before = by_id(shell)
    digest, having = commonest(shell)
    document = shell.json("close-hash", "--hash", digest, *FREELY)
    assert_sums(document)
    changed = {change.composite_id for change in shell.changes()}
    assert changed == having & open_alerts(list(before.values())).keys()
    assert document["selected"] == len(having)
    assert document["changed"] == len(changed)
    (comment,) = {change.actions[-1][1] for change in shell.changes()}
    assert comment.startswith("Set to closed (by ")
    assert comment.endswith(f", falcon-bulk {document['run_id']})")


@pytest.mark.slow
def test_a_second_run_finds_nothing_left_to_do(acme: Any) -> None:
    shell = acme()
    shell.json("bulk-close", "--product", "epp", *FREELY)
    before = len(shell.changes())
    again = shell.json("bulk-close", "--product", "epp", *FREELY)
    assert_sums(again)
    assert (again["status"], again["planned"]) == ("nothing_to_do", 0)
    assert len(shell.changes()) == before


def test_a_dry_run_sends_no_patch_and_counts_what_the_real_run_then_does(acme: Any) -> None:
    shell = acme()
    dry = shell("bulk-close", "--product", "epp", "--dry-run", "--format", "json")
    assert dry.code == 0, dry
    assert_nothing_sent(dry)
    assert_sums(dry.document)
    assert dry.document["status"] == "dry_run"
    assert dry.document["not_sent"] == dry.document["planned"] > 0
    real = shell.json("bulk-close", "--product", "epp", *YES)
    for key in ("selected", "skipped", "held", "planned"):
        assert real[key] == dry.document[key]


@pytest.mark.parametrize("status", quick_first("new", "in_progress", "reopened", quick=0))
def test_another_status_can_be_set(acme: Any, status: str) -> None:
    shell = acme(alerts=120)
    before = open_alerts(shell.alerts())
    document = shell.json("bulk-close", "--product", "epp", "--set-status", status, *FREELY)
    assert document["changed"] > 0
    for alert in shell.alerts():
        if alert["product"] == "epp":
            assert alert["status"] == (status if alert["composite_id"] in before else "closed")


def test_closed_alerts_are_opened_only_by_status_closed_and_the_override_of_that_name(acme: Any) -> None:
    shell = acme(alerts=120)
    closed = {alert["composite_id"] for alert in shell.alerts() if alert["status"] == "closed"}
    reopen = ("bulk-close", "--set-status", "new", "--yes", "--max", "1000", "--override")
    without = shell.json(*reopen, "all", "--ids-file", str(ids_file(shell, closed)))
    assert (without["skipped"], without["planned"]) == ({"closed": len(closed)}, 0)
    held = shell.json(*reopen, "all", "--status", "closed")
    assert (held["held"], held["planned"]) == ({"closed": len(closed)}, 0)
    assert not shell.changes()
    opened = shell.json(*reopen, "all,closed", "--status", "closed")
    assert opened["changed"] == len(closed) == len(shell.changes())


def test_a_resolution_and_a_tag_can_be_set_on_closed_alerts_which_stay_closed(acme: Any) -> None:
    shell = acme(alerts=120)
    keep = ("bulk-close", "--status", "closed", "--set-status", "keep", *FREELY)
    shell.json(*keep, "--resolution", "ignored", "--tag", "pilot")
    tagged = [alert for alert in shell.alerts() if alert["status"] == "closed"]
    assert tagged
    assert all({"ignored", "pilot"} <= set(alert["tags"]) for alert in tagged)
    assert all(name != "update_status" for change in shell.changes() for name, _ in change.actions)
    again = shell.json(*keep, "--resolution", "ignored", "--tag", "pilot")
    assert again["skipped"] == {"already": len(tagged)}
    assert shell.json(*keep, "--untag", "pilot")["changed"] == len(tagged)
    assert not any("pilot" in (alert["tags"] or ()) for alert in shell.alerts())


def test_closing_again_says_why_closed_alerts_are_left_alone(acme: Any) -> None:
    shell = acme(alerts=120)
    digest, _ = commonest(shell)
    shell.json("close-hash", "--hash", digest, *FREELY)
    before = len(shell.changes())
    again = shell("close-hash", "--hash", digest, "--tag", "second", *FREELY)
    assert again.code == 0, again
    assert "Hint: all of these are closed. Only --status closed lets a change touch closed alerts." in again.err
    assert len(shell.changes()) == before


def ids_file(shell: CommandRunner, ids: set[str]) -> Path:
    """Write composite ids into a file, a line each."""
    file = shell.folder / "selected.txt"
    file.write_text("\n".join(sorted(ids)) + "\n")
    return file


def test_a_status_that_is_the_target_too_says_what_selects_and_what_sets(readable: CommandRunner) -> None:
    for argv, hinted in ((("--status", "closed"), True), (("--status", "closed", "--set-status", "new"), False)):
        done = readable("bulk-close", *argv, "--override", "closed", "--dry-run", "--format", "json")
        assert done.code == 0, done
        assert (done.document["planned"] == 0) is hinted
        assert ("Hint: --status closed selects" in done.err) is hinted
        assert ("--set-status sets one" in done.err) is hinted


@pytest.mark.slow
def test_status_selects_and_set_status_sets(acme: Any) -> None:
    shell = acme()
    reopened = {alert["composite_id"] for alert in shell.alerts() if alert["status"] == "reopened"}
    document = shell.json("bulk-close", "--status", "reopened", "--set-status", "new", *FREELY)
    assert document["changed"] == len(reopened) > 0
    assert {change.composite_id for change in shell.changes()} == reopened


def test_a_resolution_replaces_another(acme: Any) -> None:
    shell = acme(alerts=600)
    shell.json("bulk-close", "--product", "epp", "--resolution", "false_positive", "--tag", "pup,vetted", *FREELY)
    assert shell.changes()
    removed = 0
    for change in shell.changes():
        tags = set(change.after.tags or ())
        assert RESOLUTION_TAGS & tags == {"false_positive"}
        assert {"pup", "vetted"} <= tags
        kept = set(change.before.tags or ()) - RESOLUTION_TAGS
        assert kept <= tags
        removed += bool(RESOLUTION_TAGS & set(change.before.tags or ()) - {"false_positive"})
    assert removed > 0


@pytest.mark.parametrize(
    ("who", "shown"),
    quick_first(
        ("ada@example.com", "uid"), ("6f9619ff-8b86-d011-b42d-00c04fc964ff", "uuid"), ("Ada Webb", "name"), quick=0
    ),
)
def test_alerts_can_be_assigned(acme: Any, who: str, shown: str) -> None:
    shell = acme(alerts=80)
    shell.json("bulk-close", "--product", "epp", "--assign-to", who, *FREELY)
    assert {getattr(change.after.assignee, shown) for change in shell.changes()} == {who}


# Guard rails


def test_guardrails_hold_back_by_default(acme: Any) -> None:
    shell = acme(alerts=1500)
    before = by_id(shell)
    document = shell.json("bulk-close", "--since", "5000d", *YES, "--batch-delay", "0")
    assert_sums(document)
    assert set(document["held"]) == GUARDRAIL_NAMES - {"other-hashes", "closed"}
    changed = [before[change.composite_id] for change in shell.changes()]
    assert changed
    for alert in changed:
        assert alert["severity"] is not None
        assert alert["severity"] < 80
        assert alert["severity_name"] != "Critical"
        assert alert["product"] != "overwatch"
        assert (alert["tactic"] or "").replace(" ", "") != "FalconOverWatch"
        assert not any(tag.lower().startswith(("falcon_complete", "fc-")) for tag in alert["tags"] or ())
        assert "true_positive" not in (alert["tags"] or ())
        assert not alert["case"]
        assert not alert["assigned_to_name"]
        assert not alert["assigned_to_uid"]
        assert alert["status"] == "new"


def test_close_hash_holds_alerts_that_carry_another_hash_too(acme: Any) -> None:
    shell = acme(alerts=1500)
    before = by_id(shell)
    more = {i for i, alert in before.items() if len(alert["hashes"]) > 1 and alert["status"] != "closed"}
    digest = next(digest for digest, having in sorted(shell.hashes().items()) if having & more)
    all_but_one = sorted(GUARDRAIL_NAMES - {"other-hashes"})
    document = shell.json("close-hash", "--hash", digest, *YES, "--override", ",".join(all_but_one))
    held = shell.hashes()[digest] & more
    assert document["held"] == {"other-hashes": len(held)}
    assert not held & {change.composite_id for change in shell.changes()}


@pytest.mark.slow
def test_overriding_one_guardrail_overrides_no_other(acme: Any) -> None:
    shell = acme(alerts=800)
    kept = shell.json("bulk-close", "--product", "epp", "--dry-run")["held"]
    overrides = shell.json("bulk-close", "--product", "epp", "--dry-run", "--override", "critical")["held"]
    assert "critical" in kept
    assert set(overrides) == set(kept) - {"critical"}


def test_an_unknown_guardrail_is_named_with_those_there_are(readable: CommandRunner) -> None:
    done = readable("bulk-close", "--product", "epp", "--dry-run", "--override", "critcal")
    assert (done.code, done.requests) == (2, [])
    assert "'critcal'" in done.err
    assert "falcon-complete" in done.err


# What is refused


@pytest.mark.parametrize(
    ("bound", "mode"),
    quick_first(("--max", "--yes"), ("--expect", "--dry-run"), ("--max", "--dry-run"), ("--expect", "--yes")),
)
def test_a_bound_that_is_not_met_refuses_the_change(readable: CommandRunner, bound: str, mode: str) -> None:
    done = readable("bulk-close", "--product", "epp", bound, "1", mode, "--format", "json")
    assert done.code == 7, done
    assert done.document["error"]["code"] == "refused"
    assert_nothing_sent(done)


@pytest.mark.slow
def test_expect_binds_what_is_planned_and_not_what_is_selected(acme: Any) -> None:
    shell = acme()
    planned = shell.json("bulk-close", "--product", "epp", "--dry-run")["planned"]
    document = shell.json("bulk-close", "--product", "epp", "--yes", "--expect", str(planned))
    assert document["changed"] == planned


@pytest.mark.parametrize(
    "selection",
    quick_first(
        "", "--filter=*", "--visible-only", "--filter= * ", "--filter=", "--filter=  ", "--filter=(*)", quick=3
    ),
)
def test_a_change_of_everything_by_accident_is_refused(readable: CommandRunner, selection: str) -> None:
    done = readable("bulk-close", *([selection] if selection else []), *FREELY)
    assert (done.code, done.requests) == (2, [])


def test_close_hash_needs_a_hash(readable: CommandRunner) -> None:
    done = readable("close-hash", "--product", "epp", *FREELY)
    assert (done.code, done.requests) == (2, [])
    assert "--hash" in done.err


def test_without_a_terminal_and_without_yes_nothing_is_asked_and_nothing_sent(readable: CommandRunner) -> None:
    for given in (None, b"acme 5\n"):
        done = readable("bulk-close", "--product", "epp", given=given)
        assert (done.code, done.requests) == (2, [])
        for option in ("--yes", "--expect", "--max", "--dry-run"):
            assert option in done.err


def test_yes_needs_a_bound(readable: CommandRunner) -> None:
    done = readable("bulk-close", "--product", "epp", "--yes")
    assert (done.code, done.requests) == (2, [])
    assert "--expect" in done.err
    assert "--max" in done.err


@pytest.mark.parametrize(
    "comment",
    quick_first(
        "a" * 990, "esc\x1b[31m", "a" * 1024, "\u00e9" * 500, "one\ntwo", "bell\x07", "c1\x9b31m", "  ", quick=2
    ),
    ids=["990", "escape", "1024", "bytes", "newline", "bell", "c1", "blank"],
)
def test_a_comment_that_falcon_would_refuse_is_refused_before_any_request(
    readable: CommandRunner, comment: str
) -> None:
    done = readable("bulk-close", "--product", "epp", *FREELY, "--comment", comment)
    assert (done.code, done.requests) == (2, [])
    assert "comment" in done.err
    assert "Traceback" not in done.err


@pytest.mark.slow
def test_the_longest_comment_that_fits_is_sent_whole(acme: Any) -> None:
    shell = acme(alerts=60)
    comment = "a" * 900
    shell.json("bulk-close", "--product", "epp", *FREELY, "--comment", comment, "--operator", "ada")
    assert {change.actions[-1][1][:907] for change in shell.changes()} == {f"{comment} (by ad"}


@pytest.mark.slow
def test_read_only_in_the_environment_or_the_file_refuses_changes_and_allows_dry_runs(readable: CommandRunner) -> None:
    protected = readable.write_env("protected.env", readable.env_file.read_text() + "FALCON_BULK_READ_ONLY=1\n")
    for argv, env in (
        (("--customer", "acme"), {"FALCON_BULK_READ_ONLY": "1"}),
        (("--env-file", str(protected)), {}),
    ):
        done = readable.bare("bulk-close", "--product", "epp", *FREELY, *argv, env=env)
        assert (done.code, done.requests) == (7, [])
        assert "FALCON_BULK_READ_ONLY" in done.err
        assert readable.bare("bulk-close", "--product", "epp", "--dry-run", *argv, env=env).code == 0


@pytest.mark.slow
def test_yes_needs_a_customer_that_is_named(acme: Any) -> None:
    shell = acme(alerts=60)
    unnamed = "".join(
        line for line in shell.tenant.env_text(shell.server.url).splitlines(True) if "FALCON_CID" not in line
    )
    shell.write_env(".env", unnamed)
    done = shell.bare("bulk-close", "--product", "epp", *FREELY)
    assert (done.code, done.requests) == (2, [])
    assert "--customer" in done.err
    shell.write_env(".env", unnamed + f"FALCON_CID={shell.tenant.cid}\n")
    assert shell.bare("bulk-close", "--product", "epp", *FREELY).code == 2, "it depends on the current folder"
    environment = dict(line.split("=", 1) for line in unnamed.splitlines()) | {"FALCON_BULK_ALLOW_CUSTOM_BASE_URL": "1"}
    assert shell.bare("bulk-close", "--product", "epp", *FREELY, env=environment).code == 2
    environment["FALCON_CID"] = shell.tenant.cid
    assert shell.bare("bulk-close", "--product", "epp", *FREELY, env=environment).code == 0


@pytest.mark.slow
def test_alerts_of_a_cid_that_is_not_expected_are_not_changed(acme: Any) -> None:
    shell = acme(alerts=200, children=2)
    only_parent = shell.tenant.env_text(shell.server.url).replace(
        ",".join((shell.tenant.cid, *shell.tenant.children)), shell.tenant.cid
    )
    shell.write_env("customers/acme.env", only_parent)  # not a second file: a copy is refused for being one
    assert shell.alerts()[0]["cid"] == shell.tenant.cid, "the newest alert alone would give it away"
    done = shell("bulk-close", "--product", "epp", *FREELY)
    assert done.code == 4, done
    assert "belongs to the CID" in done.err
    assert "FALCON_CID" in done.err
    assert_nothing_sent(done)


@pytest.mark.slow
def test_alerts_of_all_listed_cids_are_changed(acme: Any) -> None:
    shell = acme(alerts=200, children=2)
    document = shell.json("bulk-close", "--product", "epp", *FREELY)
    assert {change.composite_id[:32] for change in shell.changes()} == {shell.tenant.cid, *shell.tenant.children}
    assert document["status"] == "success"


@pytest.mark.slow
def test_an_empty_selection_changes_nothing_and_repeats_the_filter(readable: CommandRunner) -> None:
    fql = "device.hostname:'no-such-host'"
    done = readable("bulk-close", "--filter", fql, *FREELY, "--format", "json")
    assert done.code == 0
    assert_nothing_sent(done)
    assert done.document["status"] == "nothing_to_do"
    assert fql in done.err
    assert readable("bulk-close", "--filter", fql, *FREELY, "--fail-on-empty").code == 9


# Exactly these ids


def test_an_ids_file_changes_exactly_its_alerts(acme: Any) -> None:
    shell = acme()
    chosen = sorted(open_alerts(shell.alerts()))[:5]
    closed = next(alert["composite_id"] for alert in shell.alerts() if alert["status"] == "closed")
    stranger = chosen[0][:-3] + "xyz"
    file = shell.folder / "ids.txt"
    file.write_text("\n".join([*chosen, chosen[0], closed, stranger]) + "\n")
    document = shell.json("bulk-close", "--ids-file", str(file), *FREELY)
    assert_sums(document)
    assert {change.composite_id for change in shell.changes()} == set(chosen)
    assert document["skipped"] == {"closed": 1, "duplicate": 1, "not_found": 1}


@pytest.mark.slow
def test_the_ids_of_a_query_can_be_piped_into_a_change(acme: Any) -> None:
    shell = acme()
    listed = shell("query", "--product", "epp", "--status", "new", "--all", "--format", "csv").out
    expected = {a["composite_id"] for a in shell.alerts() if a["product"] == "epp" and a["status"] == "new"}
    document = shell.json("bulk-close", "--ids-file", "-", *FREELY, given=listed)
    assert document["changed"] == len(expected)
    assert {change.composite_id for change in shell.changes()} == expected


# Where what is said goes


@pytest.mark.parametrize("closed", quick_first("both", "stdout"))
def test_a_run_that_nobody_listens_to_any_more_is_finished_and_recorded(acme: Any, closed: str) -> None:
    shell = acme(alerts=120)
    wanted = open_alerts([alert for alert in shell.alerts() if alert["product"] == "epp"])
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [*COMMAND, "bulk-close", "--customer", "acme", "--product", "epp", *FREELY],
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer if closed == "both" else subprocess.PIPE,
        cwd=shell.folder,
        env=shell.environment(),
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert run.returncode == 0, run.stderr
    assert {change.composite_id for change in shell.changes()} == set(wanted)
    (recorded,) = shell.json("runs", "list")["runs"]
    assert (recorded["status"], recorded["changed"]) == ("success", len(wanted))
    assert b"Traceback" not in (run.stderr or b"")


def test_a_csv_of_a_run_has_its_alerts_also_in_a_file_beside_a_table(acme: Any) -> None:
    shell = acme(alerts=120)
    done = shell("bulk-close", "--product", "idp", *FREELY)
    changed = {change.composite_id for change in shell.changes()}
    (run,) = shell.json("runs", "list")["runs"]
    assert shell("runs", "show", run["run_id"], "-o", "run.csv").code == done.code == 0
    rows = list(csv.DictReader((shell.folder / "run.csv").read_text().splitlines()))
    assert changed == {row["composite_id"] for row in rows} != set()
