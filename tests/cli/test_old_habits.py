"""What Falcon would answer with no rows and no error is said: names of the former Detects API, and unknown ones."""

import json

import pytest

from tests.support.command import CommandResult, CommandRunner
from tests.support.sampling import quick_first


def notes(done: CommandResult) -> list[str]:
    return [line.removeprefix("Note: ") for line in done.err.splitlines() if line.startswith("Note: ")]


@pytest.mark.parametrize(
    ("fql", "now"),
    quick_first(
        ("behaviors.tactic:'Execution'", "alerts have tactic."),
        ("max_severity_displayname:'High'", "alerts have severity_name."),
        ("first_behavior:>'now-7d'", "alerts have created_timestamp"),
        ("behaviors.parent_details.parent_sha256:'ab'", "alerts have parent_details.sha256."),
        ("adversary_ids:'1'", "alerts have no such field."),
        ("severity:'High'", "use severity_name:'High'"),
        ("severity:['Low','High']", "use severity_name:'Low'"),
        ("severity_name:>=60", "use severity:>=60"),
        ("status:'false_positive'", "use status:'closed'+resolution:'false_positive'"),
        quick=2,
    ),
)
def test_a_habit_from_the_former_api_gets_the_new_name(readable: CommandRunner, fql: str, now: str) -> None:
    done = readable("query", "--filter", f"status:'new'+({fql})", "--count")
    assert done.code == 0, done
    assert [now in note for note in notes(done)] == [True]


@pytest.mark.parametrize(
    "fql",
    quick_first(
        "name:*'*behaviors.tactic:x*'",
        "severity:>=60+severity_name:'High'+device.hostname:!'x'",
        "cmdline:'a\\' severity:\\'High'",
        "created_timestamp:>'2020-01-01T00:00:00Z'+parent_details.filename:'x'",
    ),
)
def test_what_is_no_habit_gets_no_warning(readable: CommandRunner, fql: str) -> None:
    assert notes(readable("query", "--filter", fql, "--count")) == []


@pytest.mark.parametrize(
    "argv",
    quick_first(
        "query --limit 5",
        "query --count",
        "hash-summary",
        "summary",
        "bulk-close --dry-run",
        f"close-hash --hash {'ab' * 32} --dry-run",
        quick=2,
    ),
)
def test_a_field_in_no_list_and_in_no_alert_is_doubted(readable: CommandRunner, argv: str) -> None:
    done = readable(*argv.split(), "--filter", "severty:>60")
    assert done.code == 0, done
    assert len(notes(done)) == 1, done
    assert "severty" in notes(done)[0]
    assert "did you mean severity?" in notes(done)[0]
    assert not done.to("patch")


@pytest.mark.slow
def test_the_exit_code_stays_and_quiet_is_quiet(readable: CommandRunner) -> None:
    argv = ("query", "--filter", "severty:>60+behaviors.tactic:'x'")
    assert readable(*argv, "--fail-on-empty").code == 9
    assert readable(*argv, "--quiet").err == ""


def test_a_field_that_is_in_no_list_but_in_an_alert_is_not_doubted(readable: CommandRunner) -> None:
    """The list cannot be complete: what the documents have is as good."""
    done = readable("query", "--product", "ngsiem", "--limit", "1", "--format", "json")
    document = json.loads(done.out)[0]
    from falcon_bulk.model.alert_fields import KNOWN_FIELDS

    beyond = [name for name, value in document.items() if name not in KNOWN_FIELDS and value is not None]
    fields = ",".join([*beyond, "no_such_field"])
    done = readable("query", "--product", "ngsiem", "--limit", "1", "--fields", fields, "--format", "csv")
    assert [note for note in notes(done) if "no_such_field" not in note] == []
    assert len(notes(done)) == 1


@pytest.mark.slow
def test_an_order_by_an_unknown_field_is_said_to_be_none(readable: CommandRunner) -> None:
    done = readable("query", "--sort", "severty.desc", "--limit", "3")
    assert "Falcon orders by created_timestamp" in done.err
    assert notes(readable("query", "--sort", "severity.desc", "--limit", "3")) == []
    assert "alerts have severity." in readable("query", "--sort", "max_severity.desc", "--limit", "3").err
