"""--hash-file: thousands of hashes select exactly the alerts that own one of them, in every command."""

import csv
import io
import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.command import CommandRunner
from tests.support.sampling import quick_first

MADE_UP = [f"{number:064x}" for number in range(5_000)]


def five_thousand(shell: CommandRunner, name: str = "approved.txt") -> list[str]:
    """The hashes of a file in the shell's folder: a third of those that are some alert's own, and made-up ones."""
    known = sorted(shell.hashes())[::3]
    hashes = known + MADE_UP[: 5_000 - len(known)]
    random.Random(5).shuffle(hashes)
    lines = ["# approved by the customer", "", *(digest.upper() for digest in hashes[:9]), *hashes[9:]]
    (shell.folder / name).write_text("\n".join(lines))
    return hashes


def owners(shell: CommandRunner, hashes: Iterable[str]) -> set[str]:
    truth = shell.hashes()
    return set().union(*(truth.get(digest, set()) for digest in hashes))


@pytest.mark.slow
def test_five_thousand_hashes_select_what_owns_one_of_them_in_every_command(readable: CommandRunner) -> None:
    hashes = five_thousand(readable)
    wanted, truth = owners(readable, hashes), readable.hashes()
    assert 100 < len(wanted) < len(readable.alerts())

    done = readable("query", "--hash-file", "approved.txt", "--all", "--format", "jsonl")
    found = [document["composite_id"] for document in done.documents]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert len(done.requests) <= 12

    summary = readable.json("hash-summary", "--hash-file", "approved.txt")
    assert summary["alerts_read"] == len(wanted)
    counted = {row["sha256"]: row["alerts"] for row in summary["hashes"]}
    assert {digest: counted[digest] for digest in hashes if digest in counted} == {
        digest: len(truth[digest]) for digest in hashes if digest in truth
    }


def test_a_plan_of_five_thousand_hashes_is_shown_short_and_kept_whole(readable: CommandRunner) -> None:
    hashes = five_thousand(readable)
    dry = readable("close-hash", "--hash-file", "approved.txt", "--dry-run", "--plan", "it.plan", "--format", "json")
    assert dry.code == 0, dry
    assert dry.document["selected"] == len(owners(readable, hashes))
    assert "5,000 hashes (" in dry.err
    assert len(dry.err) < 6_000
    head = json.loads((readable.folder / "it.plan").read_text().partition("\n")[0])
    assert set(head["plan"]["hashes"]) == set(hashes)


@pytest.mark.slow
def test_a_run_of_five_thousand_hashes_is_carried_out_from_its_plan_and_shown_short(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=500)
    hashes = five_thousand(shell)
    planned = shell.json("close-hash", "--hash-file", "approved.txt", "--dry-run", "--plan", "it.plan")["planned"]
    done = shell.json("apply", "it.plan", "--yes")
    assert (done["status"], done["changed"]) == ("success", planned)
    assert {change.composite_id for change in shell.changes()} <= owners(shell, hashes)
    for shown in ("table", "markdown", "json", "html"):
        shown_run = shell("runs", "show", done["run_id"], "--format", shown)
        assert shown_run.code == 0, shown_run
        text = shown_run.out
        if shown == "json":
            document = shown_run.document
            items = document.pop("items")
            assert {item["sha256"] for item in items} <= set(hashes)
            assert {item["outcome"] for item in items} <= {"not_found", "held", "skipped"}
            text = json.dumps(document, indent=2).encode()
        assert len(text) < 6_000 + 1_500 * planned + (40_000 if shown == "html" else 0)
        assert hashes[0].encode() not in text


@pytest.mark.parametrize(
    "command",
    quick_first("close-hash --dry-run", "query", "bulk-close --dry-run", "hash-summary", "summary"),
)
def test_a_bad_line_is_named_and_nothing_is_asked(readable: CommandRunner, command: str) -> None:
    (readable.folder / "bad.txt").write_text(f"{MADE_UP[0]}\n\n{'a' * 32}\nsetup.exe\n")
    done = readable(*command.split(), "--hash-file", "bad.txt")
    assert done.code == 2, done
    assert "line 3: an MD5, not a SHA256; line 4: no SHA256 in it" in done.err
    assert done.requests == []
    assert done.out == b""


def test_standard_input_gives_hashes_but_not_the_answer_too(readable: CommandRunner) -> None:
    truth = readable.hashes()
    digest = max(truth, key=lambda digest: len(truth[digest]))
    given = f"{digest}\n{digest}\n".encode()
    counted = readable("query", "--hash-file", "-", "--count", given=given)
    assert counted.out == b"%d\n" % len(truth[digest])
    assert "Note: 1 of the 2 hashes given is a repetition." in counted.err
    asking = readable("close-hash", "--hash-file", "-", given=given)
    assert asking.code == 2
    assert "Standard input cannot give the hashes and the answer." in asking.err
    assert asking.requests == []


@pytest.mark.slow
def test_hashes_of_the_option_and_of_the_file_are_one_selection(readable: CommandRunner) -> None:
    first, second, third = sorted(readable.hashes())[:3]
    (readable.folder / "two.csv").write_text(f"name;Hash\nx;{first}\ny;{second}\n")
    several = ("--hash-file", "two.csv", "--hash", third, "--hash", first)
    done = readable("query", *several, "--all", "--format", "jsonl")
    assert {document["composite_id"] for document in done.documents} == owners(readable, (first, second, third))
    assert "1 of the 4 hashes given is a repetition" in done.err
    plan = readable.json("bulk-close", *several, "--dry-run")
    assert plan["selected"] == len(owners(readable, (first, second, third)))


@pytest.mark.slow
def test_our_own_output_is_read(readable: CommandRunner) -> None:
    readable("hash-summary", "--product", "xdr", "-o", "xdr.json")
    readable("hash-summary", "--product", "xdr", "-o", "xdr.csv")
    document = json.loads((readable.folder / "xdr.json").read_text())
    hashes = [row["sha256"] for row in document["hashes"]]
    rows = list(csv.DictReader(io.StringIO((readable.folder / "xdr.csv").read_text())))
    assert [row["sha256"] for row in rows] == hashes
    assert [row["md5"] for row in rows] == [row["md5"] or "" for row in document["hashes"]]
    for name in ("xdr.json", "xdr.csv"):
        plan = readable.json("close-hash", "--hash-file", name, "--dry-run")
        assert plan["selected"] == len(owners(readable, hashes))


@pytest.mark.slow
def test_a_limit_shows_the_newest_of_thousands_and_says_of_how_many(readable: CommandRunner) -> None:
    hashes = five_thousand(readable)
    wanted = owners(readable, hashes)
    done = readable("query", "--hash-file", "approved.txt", "--limit", "7", "--format", "jsonl")
    newest = [alert["composite_id"] for alert in readable.alerts() if alert["composite_id"] in wanted][:7]
    assert [document["composite_id"] for document in done.documents] == newest
    assert f"7 of {len(wanted):,} alerts are shown" in done.err


@pytest.mark.slow
def test_a_file_that_cannot_be_read_or_is_given_with_ids_is_refused(readable: CommandRunner) -> None:
    (readable.folder / "one.txt").write_text(MADE_UP[0])
    (readable.folder / "ids.txt").write_text("c:ind:1\n")
    for argv, said in (
        (("query", "--hash-file", "missing.txt"), "missing.txt cannot be read"),
        (("query", "--hash-file", "."), "cannot be read"),
        (("query", "--hash-file", "one.txt", "--hash-file", "ids.txt"), "given twice"),
        (("bulk-close", "--hash-file", "one.txt", "--ids-file", "ids.txt", "--dry-run"), "no other selection"),
        (("close-hash", "--dry-run"), "--hash-file"),
    ):
        done = readable(*argv)
        assert done.code == 2, done
        assert said in done.err
        assert done.requests == []


def test_an_ids_file_selects_in_every_command_and_names_the_ids_without_an_alert(readable: CommandRunner) -> None:
    chosen = sorted(alert["composite_id"] for alert in readable.alerts())[:3]
    stranger = f"{chosen[0]}-of-nobody"
    lines = "\r\n".join(f"{digest};new" for digest in [*chosen, stranger])
    (readable.folder / "ids.csv").write_text(f"sep=;\r\nComposite ID;Status\r\n{lines}\r\n")
    given = ("--ids-file", "ids.csv")
    done = readable("query", *given, "--all", "--format", "jsonl")
    assert [document["composite_id"] for document in done.documents] == chosen
    assert f"Falcon has no alert for 1 of the 4 ids given: {stranger}" in done.err
    assert "Falcon counted" not in done.err
    assert readable("query", *given, "--count").out == b"3\n"
    assert readable.json("summary", *given)["alerts_read"] == 3
    plan = readable.json("bulk-close", *given, "--status", "closed", "--dry-run")
    statuses = {alert["composite_id"]: alert["status"] for alert in readable.alerts()}
    assert plan["selected"] - sum(plan["skipped"].get(why, 0) for why in ("not_found",)) == sum(
        statuses[digest] == "closed" for digest in chosen
    )


def test_ids_of_nobody_are_named_and_end_with_9_if_asked(readable: CommandRunner) -> None:
    (readable.folder / "ids.txt").write_text("c:ind:nobody\n")
    command = ("bulk-close", "--ids-file", "ids.txt", "--dry-run", "--format", "json")
    done = readable(*command, "--fail-on-empty")
    assert done.code == 9, done
    assert "No alert matches: exactly 1 given id." in done.err
    items = json.loads(done.out)["items"]
    assert [(item["composite_id"], item["outcome"]) for item in items] == [("c:ind:nobody", "not_found")]
    assert readable("query", "--ids-file", "ids.txt", "--fail-on-empty").code == 9


def test_what_is_given_by_name_is_answered_by_name_in_the_table_too(readable: CommandRunner) -> None:
    closed = next(alert["composite_id"] for alert in readable.alerts() if alert["status"] == "closed")
    (readable.folder / "ids.txt").write_text(f"{closed}\nc:ind:nobody\n{readable.untouched_ids(1)[0]}\n")
    plan = ("bulk-close", "--ids-file", "ids.txt", "--override", "all", "--dry-run", "--plan", "named.plan")
    for command in (plan, ("apply", "named.plan", "--override", "all", "--dry-run")):
        rows = [line.split() for line in readable(*command).text.splitlines()]
        assert [closed, "skipped", "closed"] in rows
        assert ["c:ind:nobody", "not_found"] in rows


def test_of_many_given_by_name_the_first_are_listed_and_the_others_counted(readable: CommandRunner) -> None:
    (readable.folder / "ids.txt").write_text("".join(f"c:ind:nobody{number}\n" for number in range(25)))
    done = readable("bulk-close", "--ids-file", "ids.txt", "--dry-run")
    assert done.text.count("c:ind:nobody") == 20
    assert "and 5 more; --format json has all of them" in done.text


@pytest.mark.parametrize("command", quick_first("query --all", "query --count", "hash-summary", "summary"))
def test_hashes_that_no_alert_has_are_named_by_every_reading_command(readable: CommandRunner, command: str) -> None:
    known = sorted(readable.hashes())[:2]
    hashes = ",".join([*known, *MADE_UP[:6]])
    done = readable(*command.split(), "--hash", hashes)
    named = ", ".join(MADE_UP[:5])
    assert f"Note: No selected alert has 6 of the 8 hashes given: {named}, and 1 more." in done.err
    assert "Note: No selected alert has" not in readable(*command.split(), "--hash", known[0]).err


def test_other_kinds_of_hashes_are_left_out_on_request_and_counted(readable: CommandRunner) -> None:
    digest = sorted(readable.hashes())[0]
    (readable.folder / "mixed.csv").write_text(f"type,value\nmd5,{'d' * 32}\nsha256,{digest}\n")
    refused = readable("query", "--hash-file", "mixed.csv")
    assert refused.code == 2
    assert "line 2: 'md5', not a SHA256" in refused.err
    assert "--only-sha256" in refused.err
    done = readable("query", "--hash-file", "mixed.csv", "--only-sha256", "--all", "--format", "jsonl")
    assert {document["composite_id"] for document in done.documents} == owners(readable, (digest,))
    assert "Note: 1 entry that is no SHA256: left out. Taken: 1." in done.err
    assert readable("query", "--only-sha256").code == 2


def test_a_change_refuses_a_filter_that_can_be_read_in_two_ways(readable: CommandRunner) -> None:
    fql = "status:'new',status:'reopened'+severity:>50"
    refused = readable("bulk-close", "--filter", fql, "--dry-run")
    assert refused.code == 2
    assert "It will be read as: status:'new',(status:'reopened'+severity:>50)" in refused.err
    assert refused.requests == []
    assert readable("bulk-close", "--filter", "status:'new',(status:'reopened'+severity:>50)", "--dry-run").code == 0
    shown = readable("query", "--filter", fql, "--count")
    assert shown.code == 0
    assert "Note: + and , are mixed without parentheses" in shown.err
