"""Mistyped commands, options and values get suggestions; a second value never replaces the first."""

import click
import pytest

from tests.support.command import CommandRunner
from tests.support.command_tree import commands_by_name
from tests.support.sampling import quick_first

COMMANDS = commands_by_name()


@pytest.mark.parametrize(
    ("argv", "suggestion"),
    quick_first(
        ("query --stauts new", "Did you mean --status?"),
        ("--stauts new query", "Did you mean --status?"),
        ("bulk-close --dry-run --plan-file p.jsonl", "Did you mean --plan"),
        ("--status new query", "Put it after `falcon-bulk query`."),
        ("--custmoer acme query", "Did you mean --customer "),
        ("runs shwo X", "Did you mean show?"),
        ("customers chek", "Did you mean check?"),
        ("query --severity hihg", "Did you mean high?"),
        ("bulk-close --set-status close --dry-run", "Did you mean closed?"),
        ("query --format jsno", "Did you mean json or jsonl?"),
        ("emulator serve --spread evn", "Did you mean even?"),
        ("query --customer amce", "Did you mean acme?"),
        ("query acme", "Did you mean --customer acme?"),
        ("overview acme globex", "Did you mean --customer acme?"),
        quick=3,
    ),
)
def test_what_was_meant_is_suggested(readable: CommandRunner, argv: str, suggestion: str) -> None:
    done = readable.bare(*argv.split())
    assert done.code == (4 if "amce" in argv else 2), done
    assert suggestion in done.err.splitlines()[-1] or suggestion in done.err.splitlines()[0], done
    assert not done.requests


def test_an_option_close_to_none_gets_no_suggestion(readable: CommandRunner) -> None:
    done = readable.bare("query", "--zzzzzz")
    assert done.code == 2
    assert "Did you mean" not in done.err
    assert "`falcon-bulk query --help`" in done.err


@pytest.mark.parametrize("argv", ["query --foo", "customers add --bar", "rules list --filter x"])
def test_dashes_do_not_make_options_similar(readable: CommandRunner, argv: str) -> None:
    assert "Did you mean" not in readable.bare(*argv.split()).err


@pytest.mark.parametrize(
    ("argv", "command"),
    quick_first(
        ("query --customer acme --filter", "query"),
        ("query --customer", "query"),
        ("--customer acme runs show --format", "runs show"),
        ("rules list --rules", "rules list"),
        ("query --customer acme --limit 0", "query"),
        ("bulk-close --customer acme --format xml", "bulk-close"),
        quick=2,
    ),
)
def test_a_mistake_in_an_option_points_to_the_help_of_its_command(
    readable: CommandRunner, argv: str, command: str
) -> None:
    done = readable.bare(*argv.split())
    assert done.code == 2, done
    assert f"`falcon-bulk {command} --help` lists its options." in done.err


def test_a_value_that_is_missing_gets_those_there_are_in_one_line(readable: CommandRunner) -> None:
    done = readable.bare("completion")
    assert done.code == 2, done
    assert done.err.splitlines() == [
        "Error: Missing argument '{bash|zsh|fish}'. It takes bash, zsh, fish.",
        "Hint: `falcon-bulk completion --help` lists its options.",
    ]


@pytest.mark.parametrize("path", COMMANDS)
def test_no_option_drops_one_of_several_values(path: str) -> None:
    """Click keeps the last of several values and drops the others: declare options with single_value or multi_value."""
    dropping = [
        param.opts[-1]
        for param in COMMANDS[path].params
        if isinstance(param, click.Option) and not param.is_flag and not param.count and not param.multiple
    ]
    assert not dropping


@pytest.mark.parametrize(
    ("argv", "option"),
    quick_first(
        ("bulk-close --severity low --dry-run --set-status closed --set-status new", "--set-status"),
        ("query --limit 3 --limit 4", "--limit"),
        ("query --sort severity.asc --sort severity.desc", "--sort"),
        ("bulk-close --host a --dry-run --comment x --comment y", "--comment"),
        ("bulk-close --host a --dry-run --workers 1 --workers 2", "--workers"),
        ("apply lab.plan --plan-ttl 1h --plan-ttl 2h", "--plan-ttl"),
        ("runs prune --older-than 1d --older-than 2d", "--older-than"),
    ),
)
def test_a_single_value_given_twice_is_an_error_unless_both_are_equal(
    readable: CommandRunner, argv: str, option: str
) -> None:
    done = readable(*argv.split())
    assert done.code == 2, done
    assert f"{option} is given twice with different values" in done.err
    assert not done.requests
    *head, before, value, name, _ = argv.split()
    assert "twice" not in readable(*head, before, value, name, value).err


@pytest.mark.parametrize("value", quick_first("nan", "inf", "-1", "NaN"))
def test_a_delay_must_be_a_finite_number_of_seconds(readable: CommandRunner, value: str) -> None:
    done = readable("bulk-close", "--severity", "low", "--dry-run", "--batch-delay", value)
    assert done.code == 2, done
    assert "--batch-delay" in done.err
    assert not done.requests


@pytest.mark.parametrize("name", quick_first("count.txt", "count.json", "count.csv"))
def test_a_count_is_written_to_the_file_too(readable: CommandRunner, name: str) -> None:
    file = readable.folder / name
    done = readable("query", "--status", "new", "--count", "-o", str(file))
    assert done.code == 0, done
    assert file.read_bytes() == done.out
    assert int(done.out) == sum(alert["status"] == "new" for alert in readable.alerts())
