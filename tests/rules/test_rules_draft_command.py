"""`rules draft` as it is typed: from a run, a hash or a selection, to standard output or into a file."""

import tomllib
from pathlib import Path

import pytest

from falcon_bulk.operations.rules.rule_text import TO_FILL_IN
from tests.rules.conftest import Acme
from tests.support.alert_groups import AlertGroupBuilder, Group
from tests.support.command import CommandRunner
from tests.support.rule_builders import add_group, rule, rule_file, today, updater_group, write_rules

pytestmark = pytest.mark.slow


def ordinary_updates(shell: CommandRunner, count: int = 30) -> Group:
    group = updater_group().ordinary(count).group()
    add_group(shell, group)
    return group


def hash_of(group: Group) -> str:
    return str(group.documents[0]["sha256"])


def filled_in(text: str) -> str:
    for key in TO_FILL_IN:
        text = text.replace(f'{key} = ""', f'{key} = "{key}@soc.example"')
    return text


def test_a_draft_from_a_hash_is_a_rule_file_that_closes_these_alerts(acme: Acme) -> None:
    shell = acme()
    group = ordinary_updates(shell)
    drafted = shell("rules", "draft", "--hash", hash_of(group))
    assert drafted.code == 0, drafted
    path = write_rules(shell, drafted.text, "draft.toml")
    linted = shell("rules", "lint", customer=None)
    assert linted.code == 2
    assert sorted(line.split(": ", 2)[2] for line in linted.text.splitlines() if "draft.toml" in line) == sorted(
        f"{key} is blank." for key in TO_FILL_IN
    )
    path.write_text(filled_in(drafted.text))
    assert shell("rules", "lint", customer=None).code == 0
    done = shell("rules", "run", "--yes", "--max", "50", "--format", "json")
    assert done.code == 0, done
    assert done.document["changed"] == 30


def test_comments_tell_where_a_draft_comes_from_and_what_it_would_have_done(acme: Acme) -> None:
    shell = acme()
    group = updater_group().ordinary(30).outlier("in Temp", path=r"\Device\HarddiskVolume3\Temp\updater.exe").group()
    add_group(shell, group)
    drafted = shell("rules", "draft", "--hash", hash_of(group))
    comments = [line for line in drafted.text.splitlines() if line.startswith("#")]
    assert f"# Drafted on {today()} for acme from hash {hash_of(group)}" in comments
    assert "# Its match fits 31 of these alerts, and its circumstances 30." in comments
    assert "# Outlier check: 1 of 31 are unlike the others, and were left out." in comments
    assert "# Left out, because it varies: host." in comments
    (numbers,) = [line for line in comments if "In 90 days" in line]
    tested = tomllib.loads(drafted.text)["rule"][0]
    write_rules(shell, filled_in(drafted.text))
    (result,) = shell.json("rules", "test", "--since", "90d")["rules"]
    assert result["id"] == tested["id"]
    assert (result["would_close"], result["differs"]) == (30, 1)
    assert numbers == "# In 90 days at acme it would have closed 30 alerts; 1 differs; no true positive fits."


def test_a_draft_from_a_run_is_about_what_the_run_closed(acme: Acme) -> None:
    shell = acme()
    group = ordinary_updates(shell)
    closing = ["--resolution", "ignored", "--comment", "vetted", "--yes", "--max", "99", "--format", "json"]
    run = shell("close-hash", "--hash", hash_of(group), *closing).document["run_id"]
    drafted = shell("rules", "draft", "--run", "latest")
    assert drafted.code == 0, drafted
    (table,) = tomllib.loads(drafted.text)["rule"]
    assert table["match"] == {"sha256": [hash_of(group)]}
    assert table["close"] == {"resolution": "ignored"}
    assert table["customers"] == ["acme"]
    assert f"the run {run}" in drafted.text
    assert "which changed 30 alerts" in drafted.text


def test_a_run_that_was_undone_is_no_decision(acme: Acme) -> None:
    shell = acme()
    group = ordinary_updates(shell, 3)
    shell("close-hash", "--hash", hash_of(group), "--yes", "--max", "99")
    run = shell.newest_run().run_id
    assert shell("undo", run, "--yes", "--max", "99").code == 0
    refused = shell("rules", "draft", "--run", run)
    assert refused.code == 7
    assert f"The run {run} was undone by" in refused.err


def test_alerts_without_a_hash_are_matched_by_their_name(acme: Acme) -> None:
    shell = acme()
    builder = AlertGroupBuilder("script", updater_group().usual, hashed=False)
    group = builder.ordinary(10, name="ScriptOfAcme", display_name="ScriptOfAcme", path="/opt/acme/nightly.sh").group()
    add_group(shell, group)
    drafted = shell("rules", "draft", "--name", "ScriptOfAcme")
    assert drafted.code == 0, drafted
    (table,) = tomllib.loads(drafted.text)["rule"]
    assert table["match"] == {"name": ["ScriptOfAcme"], "product": ["epp"]}
    assert table["expect"]["path"] == ["/opt/acme/nightly.sh"]


def test_appending_changes_nothing_else_and_keeps_to_the_policy_of_the_file(acme: Acme) -> None:
    shell = acme()
    group = ordinary_updates(shell)
    other = rule(
        "updater", match={"sha256": ["a" * 64]}, reviewed=today(), expires=today(), expect={"parent": ["cmd.exe"]}
    )
    before = "\ufeff" + rule_file(other, policy='[policy]  # ours\nmax-life = "30d"\n').rstrip("\n")
    before = before.replace("\n", "\r\n")
    path = write_rules(shell, before)
    path.write_bytes(before.encode())
    done = shell("rules", "draft", "--hash", hash_of(group), "--append", str(path))
    assert done.code == 0, done
    assert done.out == b""
    after = path.read_bytes().decode()
    assert after.startswith(before)
    assert "\n" not in after.replace("\r\n", "")
    _, added = tomllib.loads(after.removeprefix("\ufeff"))["rule"]
    assert added["id"] == "updater-2"
    assert (added["expires"] - added["reviewed"]).days == 30
    assert "Added the rule updater-2" in done.err


def test_appending_begins_a_file_and_refuses_one_that_is_something_else(acme: Acme) -> None:
    shell = acme()
    group = ordinary_updates(shell)
    path = shell.folder / "new.toml"
    assert shell("rules", "draft", "--hash", hash_of(group), "--append", str(path)).code == 0
    assert tomllib.loads(path.read_text())["format"] == "falcon-bulk/rules/1"
    foreign: Path = shell.folder / "pyproject.toml"
    foreign.write_text('[project]\nname = "acme"\n')
    refused = shell("rules", "draft", "--hash", hash_of(group), "--append", str(foreign))
    assert refused.code == 7
    assert "is no rule file: nothing was added" in refused.err
    assert foreign.read_text() == '[project]\nname = "acme"\n'


def test_a_true_positive_at_another_customer_stops_the_draft(acme: Acme) -> None:
    shell = acme("acme", "globex")
    group = ordinary_updates(shell)
    ids = add_group(shell, updater_group().ordinary(1, tags=["true_positive"]).group(), "globex")
    write_rules(shell, rule_file(rule(match={"sha256": ["a" * 64]})))
    assert shell("rules", "run", "--dry-run", customer="globex").code == 0
    refused = shell("rules", "draft", "--hash", hash_of(group))
    assert refused.code == 7
    assert ids[0] in refused.err


def test_what_cannot_be_drafted_is_refused_before_anything_is_read(acme: Acme) -> None:
    shell = acme("acme", "globex")
    for arguments, customer, message in (
        ((), "acme", "Nothing says from which alerts"),
        (("--run", "latest", "--status", "new"), "acme", "--run goes with no other selection"),
        (("--hash", "a" * 64, "--format", "json"), "acme", "A draft is a rule, in TOML"),
        (("--hash", "a" * 64, "--customer", "globex"), "acme", "from the alerts of one customer"),
    ):
        refused = shell("rules", "draft", *arguments, customer=customer)
        assert refused.code == 2, refused
        assert message in refused.err
        assert refused.requests == []


def test_a_hash_without_alerts_is_refused_or_empty(acme: Acme) -> None:
    shell = acme()
    refused = shell("rules", "draft", "--hash", "a" * 64)
    assert refused.code == 7
    assert "takes at least 2" in refused.err
    assert shell("rules", "draft", "--hash", "a" * 64, "--fail-on-empty").code == 9
