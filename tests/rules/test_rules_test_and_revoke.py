"""`rules test`, `rules list` and `rules revoke`, on the installed command."""

from datetime import timedelta

import pytest

from tests.rules.conftest import Acme
from tests.rules.test_rules_run import ELSEWHERE, EXPECT, run, updater_rule
from tests.support.json_schemas import assert_valid
from tests.support.rule_builders import add_group, edit, rule, rule_file, statuses, today, updater_group, write_rules


def test_history_tells_what_a_rule_would_have_closed_and_what_was_decided(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(5).near_miss("differs", path=ELSEWHERE)
    builder.near_miss("critical", severity=95, severity_name="Critical")
    group = builder.group()
    ids = add_group(shell, group)
    usual = [one for one, doc in zip(ids, group.documents, strict=True) if doc["composite_id"] not in group.near_misses]
    edit(shell, usual[:2], status="closed", tags=["false_positive"])
    expect = {"path": EXPECT["path"]}
    write_rules(shell, rule_file(updater_rule(builder, expect=expect), updater_rule(builder, "other", expect=expect)))
    done = shell("rules", "test", "acme-updater", "--format", "json", "--since", "2020-01-01")
    assert done.code == 0, done
    assert_valid(done.document)
    (one,) = done.document["rules"]
    assert (one["fits"], one["would_close"], one["differs"], one["held"]) == (7, 5, 1, {"critical": 1})
    assert one["by_resolution"] == {"false_positive": 2, "true_positive": 0, "ignored": 0, "none": 5}
    assert len(one["differing"]) == 1
    assert done.document["alerts"] >= 47
    assert not shell.patches()
    assert shell("rules", "test", "acme-updator").code == 2


def test_a_true_positive_in_history_is_named_and_ends_with_7(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(2).near_miss("bad", path=ELSEWHERE, tags=["true_positive"])
    group = builder.group()
    ids = add_group(shell, group)
    (bad,) = [one for one, document in zip(ids, group.documents, strict=True) if document.get("tags")]
    write_rules(shell, rule_file(updater_rule(builder)))
    done = shell("rules", "test", "--since", "2020-01-01")
    assert done.code == 7
    assert f"acme-updater: the true positive {bad} contradicts it" in done.text
    write_rules(shell, rule_file(updater_rule(builder, reviewed_alerts=[bad])))
    assert shell("rules", "test", "--since", "2020-01-01").code == 0


def test_the_list_has_every_state(acme: Acme) -> None:
    shell = acme()
    day = timedelta(days=1)
    match = {"match": {"sha256": ["ab" * 32]}, "expect": EXPECT}
    write_rules(
        shell,
        rule_file(
            rule("live", **match),
            rule("due", **match, expires=today() + 14 * day),
            rule("not-due", **match, expires=today() + 15 * day),
            rule("expired", **match, reviewed=today() - 9 * day, expires=today() - day),
            rule("starts", **match, starts=today() + day),
            rule("revoked", **match, revoked=today() - day),
            rule("invalid", **match, owner=None),
        ),
    )
    listed = shell.bare("rules", "list", "--format", "json").document
    assert_valid(listed)
    assert {one["id"]: one["state"] for one in listed["rules"]} == {
        "live": "live",
        "due": "due",
        "not-due": "live",
        "expired": "expired",
        "starts": "starts",
        "revoked": "revoked",
        "invalid": "invalid",
    }
    table = shell.bare("rules", "list", env={"COLUMNS": "80"}).text
    assert all(len(line) <= 80 for line in table.splitlines() if not line.startswith("rules/"))
    assert not shell.requests(), "it is offline"


TEXTS = {
    "plain": lambda text: text.encode(),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "indented": lambda text: text.replace("expires", "  expires").encode(),
    "many lines": lambda text: text.replace("customers = ['*']", "customers = [\n    '*',  # all\n]").encode(),
    "comments": lambda text: text.replace("[rule.match]", "# why not\n[rule.match]   # here").encode(),
}


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_revoking_writes_the_date_and_changes_nothing_else(acme: Acme, text: str) -> None:
    shell = acme()
    match = {"match": {"sha256": ["ab" * 32]}, "expect": EXPECT}
    path = write_rules(shell, "")
    before = TEXTS[text](rule_file(rule("first", **match), rule("second", **match), rule("third", **match)))
    path.write_bytes(before)
    assert shell.bare("rules", "revoke", "second").code == 0
    after = path.read_bytes()
    added = [line for line in after.splitlines(keepends=True) if line.startswith(b"revoked")]
    assert added == [f"revoked = {today()}".encode() + (b"\r\n" if text == "windows" else b"\n")]
    assert after.replace(added[0], b"") == before
    states = {one["id"]: one["state"] for one in shell.bare("rules", "list", "--format", "json").document["rules"]}
    assert states == {"first": "live", "second": "revoked", "third": "live"}
    again = shell.bare("rules", "revoke", "second")
    assert (again.code, path.read_bytes()) == (0, after)
    assert f"is revoked since {today()}" in again.err
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_rule_that_is_not_there_gets_a_suggestion(acme: Acme) -> None:
    shell = acme()
    write_rules(shell, rule_file(rule(match={"sha256": ["ab" * 32]})))
    done = shell.bare("rules", "revoke", "acme-updator")
    assert (done.code, "Did you mean acme-updater?" in done.err) == (2, True)


def test_what_a_revoked_rule_closed_is_taken_back_but_for_what_others_fit_or_somebody_changed(acme: Acme) -> None:
    shell = acme()
    builder = updater_group().ordinary(6).ordinary(2, filename="agent.exe")
    group = builder.group()
    ids = add_group(shell, group)
    agents = [one for one, document in zip(ids, group.documents, strict=True) if document["filename"] == "agent.exe"]
    others = [composite_id for composite_id in ids if composite_id not in agents]
    mine = updater_rule(builder)
    agent = updater_rule(builder, "agent", expect={"filename": ["agent.exe"]})
    write_rules(shell, rule_file(mine, agent))
    assert run(shell).document["changed"] == 8
    edit(shell, others[:1], comment="I looked at this one")
    with shell.terminal("rules", "revoke", "acme-updater", "--reopen") as terminal:
        terminal.answer('Type "acme 6" to UNDO', "no")
        assert terminal.finish().code == 3
    assert "revoked = " in (shell.folder / "rules" / "soc.toml").read_text(), "it stays revoked"
    assert set(statuses(shell, ids)) == {"closed"}
    done = shell("rules", "revoke", "acme-updater", "--reopen", "--yes", "--max", "9", "--format", "json")
    assert (done.document["changed"], done.document["drifted"]) == (5, 1)
    assert done.document["held"] == {"other-rule": 2}
    assert statuses(shell, agents) == ["closed", "closed"]
    assert statuses(shell, others[1:]) == ["new"] * 5
    again = shell("rules", "revoke", "acme-updater", "--reopen", "--yes", "--max", "9", "--format", "json")
    assert again.document["changed"] == 0
