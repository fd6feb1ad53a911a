"""`rules lint`: each mistake is told with its file, line, rule and reason, and stops no other file."""

from datetime import timedelta
from typing import Any

import pytest

from tests.rules.conftest import Acme
from tests.support.command import CommandRunner
from tests.support.rule_builders import rule, rule_file, today, write_rules

HASH = "ab" * 32
GOOD: dict[str, Any] = {"match": {"sha256": [HASH]}, "expect": {"path": ["\\Program Files\\Vendor\\*"]}}
NAME: dict[str, Any] = {"match": {"name": ["MLSensor-High"]}}
LONG_LINE = "x" * 501


def good(**changed: Any) -> str:
    return rule(**GOOD | changed)


def with_text(before: str, after: str) -> str:
    text = rule_file(good())
    assert before in text
    return text.replace(before, after, 1)


def key(name: str, value: str) -> str:
    """The good file with another value, as TOML, of a key that is there or new."""
    lines = rule_file(good()).splitlines()
    at = next((number for number, line in enumerate(lines) if line.startswith(f"{name} = ")), 0)
    if at:
        lines[at] = f"{name} = {value}"
    else:
        lines.insert(lines.index("[[rule]]") + 1, f"{name} = {value}")
    return "\n".join(lines)


def table(name: str, value: str) -> str:
    """The good file with a key in [rule.expect]."""
    return rule_file(good()).replace("[rule.expect]", f"[rule.expect]\n{name} = {value}")


def matching(name: str, value: str) -> str:
    return rule_file(good()).replace("[rule.match]", f"[rule.match]\n{name} = {value}")


WRONG: dict[str, tuple[str, str]] = {
    "empty": ("", 'does not begin with format = "falcon-bulk/rules/1"'),
    "no-rule": (rule_file(), "the file has no rule"),
    "other-format": (with_text("rules/1", "rules/2"), 'does not begin with format = "falcon-bulk/rules/1"'),
    "no-toml": ("rules: [a]", "this is no TOML"),
    "yaml": ("- id: x\n  match: y\n", "this is no TOML"),
    "unclosed": (
        with_text('title = "Vendor\'s updater, flagged by machine learning"', 'title = "Vendor'),
        "a text does not end on its line",
    ),
    "escape": (
        with_text("['\\Program Files\\Vendor\\*']", '["\\Program Files\\Vendor\\*"]'),
        "Write a path in single quotes",
    ),
    "twice": (with_text("owner =", "id = 'x'\nowner ="), "stands twice here"),
    "unknown-key": (key("expire", "2027-01-01"), "has no key 'expire'. Did you mean expires?"),
    "unknown-expect": (
        table("paths", "['\\Program Files\\x']"),
        "[rule.expect] has no key 'paths'. Did you mean path?",
    ),
    "unknown-match": (matching("hash", "['x']"), "[rule.match] has no key 'hash'"),
    "unknown-close": (with_text("resolution =", "max_per_run = 5\nresolution ="), "Did you mean max-per-run?"),
    "unknown-policy": (rule_file(good(), policy="[policy]\nmax-age = '9d'\n"), "[policy] has no key 'max-age'"),
    "unknown-table": (rule_file(good()) + "[[rules]]\nid = 'x'\n", "the file has no key 'rules'. Did you mean rule?"),
    "no-id": (rule_file(good(id=None)), "id is missing"),
    "no-title": (rule_file(good(title=None)), "title is missing"),
    "no-owner": (rule_file(good(owner=None)), "owner is missing"),
    "no-why": (rule_file(good(why=None)), "why is missing"),
    "no-reviewed": (rule_file(good(reviewed=None)), "reviewed is missing"),
    "no-expires": (rule_file(good(expires=None)), "expires is missing"),
    "no-customers": (rule_file(good(customers=None)), "customers is missing"),
    "no-match": (rule_file(good(match=None)), "[rule.match] is missing"),
    "blank-owner": (key("owner", "' '"), "owner is blank"),
    "bad-id": (key("id", "'a b'"), "id has other characters"),
    "number-id": (key("id", "7"), "id is not a text"),
    "own-review": (key("reviewer", "'Anna@SOC.example'"), "reviewer is the owner"),
    "long-why": (key("why", f"'{LONG_LINE}'"), "why has 501 characters"),
    "two-lines": (key("why", '"a\\nb"'), "why has a line break"),
    "date-text": (key("expires", "'2027-01-31'"), "write the date without quotes"),
    "date-time": (key("expires", "2027-01-31T10:00:00Z"), "expires has a time of day"),
    "date-number": (key("reviewed", "20261101"), "reviewed is not a date"),
    "future": (rule_file(good(reviewed=today() + timedelta(days=2))), "reviewed is in the future"),
    "backwards": (
        rule_file(good(reviewed=today() - timedelta(days=3), expires=today() - timedelta(days=9))),
        "expires is before reviewed",
    ),
    "too-long": (rule_file(good(expires=today() + timedelta(days=300))), "lives longer than 180 days"),
    "over-policy": (rule_file(good(), policy="[policy]\nmax-life = '30d'\n"), "lives longer than 30 days"),
    "wide-policy": (rule_file(good(), policy="[policy]\nmax-life = '367d'\n"), "from 1d to 366d"),
    "odd-policy": (rule_file(good(), policy="[policy]\nmax-life = '9 weeks'\n"), "max-life is not a number of days"),
    "number-policy": (rule_file(good(), policy="[policy]\nmax-life = 90\n"), "max-life is not a text"),
    "no-flag": (rule_file(good(), policy="[policy]\nclean-git = 'yes'\n"), "clean-git is neither true nor false"),
    "required": (rule_file(good(ticket=None), policy="[policy]\nrequire = ['ticket']\n"), "ticket is missing"),
    "odd-require": (rule_file(good(), policy="[policy]\nrequire = ['tiket']\n"), "require names 'tiket'"),
    "late-start": (rule_file(good(starts=today() + timedelta(days=90))), "starts is after expires"),
    "only-not": (key("customers", "['!acme']"), "customers only excludes"),
    "not-all": (key("customers", "['acme', '!*']"), "excludes everybody"),
    "odd-customer": (key("customers", "['acme inc']"), "'acme inc', which is no customer's name"),
    "one-customer": (key("customers", "'acme'"), "customers is not a list: write customers = ['acme']"),
    "no-list": (key("customers", "[]"), "customers is an empty list"),
    "numbers": (key("customers", "[1]"), "customers is not a list of texts"),
    "short-hash": (with_text(HASH, HASH[:40]), "is no SHA256"),
    "glob-hash": (with_text(HASH, "ab*"), "'ab*' is no SHA256"),
    "no-subject": (rule_file(good(match={"product": ["epp"]})), "has neither sha256 nor name nor pattern-id"),
    "name-alone": (rule_file(rule(**NAME)), "a rule without sha256 needs path, cmdline or parent"),
    "wide-name": (rule_file(rule(match={"name": ["*ML*"]}, expect=GOOD["expect"])), "name '*ML*' is too wide"),
    "wide-path": (table("filename", "['*.exe']"), "filename '*.exe' is too wide"),
    "wide-line": (table("cmdline", "['powershell.exe *']"), "is too wide"),
    "drive": (rule_file(good(expect={"path": ["C:\\Program Files\\x"]})), "begins with a volume"),
    "volume": (rule_file(good(expect={"path": ["\\Device\\HarddiskVolume2\\x"]})), "begins with a volume"),
    "no-root": (rule_file(good(expect={"path": ["Vendor\\updater.exe"]})), "does not begin at the root"),
    "two-stars": (rule_file(good(expect={"path": ["\\Program**\\x.exe"]})), "has ** elsewhere than as its last folder"),
    "blank-glob": (table("parent", "[' ']"), "parent ' ' is blank"),
    "severity": (table("max-severity", "'serious'"), "there is no severity 'serious'"),
    "true-positive": (with_text("'false_positive'", "'true_positive'"), "a rule cannot close as 'true_positive'"),
    "override": (rule_file(good(close={"override": ["critical"]})), "no rule overrides 'critical'"),
    "no-number": (rule_file(good(close={"max-per-run": 0})), "max-per-run is not a whole number above 0"),
    "reviewed-alert": (key("reviewed-alerts", "['abc']"), "which is no composite id"),
    "one-bracket": (with_text("[[rule]]", "[rule]"), "rule is not written as [[rule]]"),
    "no-table": (
        with_text("[rule.close]\nresolution = 'false_positive'", "[[rule.close]]\nresolution = 'ignored'"),
        "not a table",
    ),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from falcon_emulator import Server, Tenant

    with Server(Tenant(alerts=1)) as server:
        shell = CommandRunner(tmp_path_factory.mktemp("lint"), server)
        for name, (text, _) in WRONG.items():
            write_rules(shell, text.replace("id = 'acme-updater'", f"id = '{name}'"), f"{name}.toml")
        done = shell.bare("rules", "lint")
        assert done.code == 2
        return done.text


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_is_told_with_file_and_line(told: str, name: str) -> None:
    lines = [line for line in told.splitlines() if line.startswith(f"rules/{name}.toml:")]
    assert any(WRONG[name][1] in line for line in lines), lines
    assert len(lines) <= 3, "one mistake is told once"


def test_the_line_is_that_of_the_key(acme: Acme) -> None:
    shell = acme()
    path = write_rules(shell, with_text("expires = ", "expires = 'soon' # "))
    line = path.read_text().splitlines().index(next(x for x in path.read_text().splitlines() if "soon" in x)) + 1
    done = shell.bare("rules", "lint")
    assert f"rules/soc.toml:{line}: rule acme-updater: expires is a text" in done.text


def test_good_rules_pass_with_mark_and_windows_line_ends(acme: Acme) -> None:
    shell = acme()
    text = rule_file(good(), rule("other", **GOOD | {"match": {"name": ["MLSensor-High"]}}))
    path = write_rules(shell, text)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    done = shell.bare("rules", "lint")
    assert done.code == 0, done
    assert done.text.strip() == "2 rules in 1 file: nothing is wrong."


def test_an_expired_rule_is_no_error(acme: Acme) -> None:
    shell = acme()
    gone = rule_file(good(reviewed=today() - timedelta(days=30), expires=today() - timedelta(days=1)))
    write_rules(shell, gone)
    assert shell.bare("rules", "lint").code == 0


def test_ids_are_unique_over_all_files(acme: Acme) -> None:
    shell = acme()
    write_rules(shell, rule_file(good()), "a.toml")
    write_rules(shell, rule_file(good()), "b.toml")
    done = shell.bare("rules", "lint")
    assert done.code == 2
    assert done.text.count("the id acme-updater stands 2 times in the rule files") == 2


def test_an_excluded_customer_that_does_not_exist_is_wrong_and_an_included_one_is_told(acme: Acme) -> None:
    shell = acme()
    write_rules(shell, rule_file(good(customers=["acme", "!globex"])))
    done = shell.bare("rules", "lint")
    assert done.code == 2
    assert "there is no customer globex, and the rule excludes it: it may be misspelt" in done.text
    write_rules(shell, rule_file(good(customers=["acme", "globex", "tag:gold"])))
    done = shell.bare("rules", "lint")
    assert done.code == 0
    assert "note: rule acme-updater: there is no customer globex." in done.text
    assert "note: rule acme-updater: no customer has the tag gold." in done.text


def test_a_file_that_others_can_write_is_refused_with_the_line_that_mends_it(acme: Acme) -> None:
    shell = acme()
    path = write_rules(shell, rule_file(good()))
    path.chmod(0o664)
    done = shell.bare("rules", "list")
    assert done.code == 4
    assert "Hint: chmod go-w rules/soc.toml" in done.err


def test_no_rules_and_no_folder_say_where_they_are_looked_for(acme: Acme) -> None:
    shell = acme()
    done = shell.bare("rules", "lint")
    assert done.code == 2
    assert "There is no file or folder of closing rules at rules." in done.err
    done = shell.bare("rules", "lint", "nowhere.toml")
    assert done.code == 2
    assert "There are no rules at nowhere.toml." in done.err


def test_lint_as_json_keeps_its_contract(acme: Acme) -> None:
    from tests.support.json_schemas import assert_valid

    shell = acme()
    write_rules(shell, rule_file(good(), rule("two", **GOOD | {"owner": None})))
    done = shell.bare("rules", "lint", "--format", "json")
    assert done.code == 2
    assert_valid(done.document)
    assert [one["state"] for one in done.document["rules"]] == ["live", "invalid"]
    (problem,) = done.document["problems"]
    assert (problem["rule"], problem["message"]) == ("two", "owner is missing.")
