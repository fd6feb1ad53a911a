"""The help of every command: what it does, and examples that call it."""

import re
import shlex

import click
import pytest

from falcon_bulk.cli.help_groups import GROUPS, shown_options
from falcon_bulk.operations.changes.guardrails import GUARDRAILS
from tests.support.command import CommandRunner
from tests.support.command_tree import commands_by_name

ALL = commands_by_name()
COMMANDS = {path: command for path, command in ALL.items() if path != "falcon-bulk"}


def examples(command: click.Command) -> list[str]:
    text = command.epilog or ""
    return [line.strip() for line in text.splitlines() if line.startswith("  falcon-bulk ")]


@pytest.mark.parametrize("path", COMMANDS)
def test_a_help_has_examples_of_that_command(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    called = [line for line in examples(command) if f"{line} ".startswith(f"{path} ")]
    assert called, f"{path} --help has no example of itself"


@pytest.mark.parametrize("path", ALL)
def test_each_option_has_a_help_text(path: str) -> None:
    undocumented = [param.opts for param in ALL[path].params if isinstance(param, click.Option) and not param.help]
    assert not undocumented


@pytest.mark.parametrize("path", ALL)
def test_the_options_stand_in_groups(path: str) -> None:
    """Each option once, the shared ones under the same headings everywhere."""
    context = click.Context(ALL[path], info_name=path)
    text = ALL[path].get_help(context) + "\n"
    sections = dict(re.findall(r"^([A-Z][\w ]+):\n((?:  .+\n|\n)+)", text, re.MULTILINE))
    declared = [param for param in ALL[path].get_params(context) if isinstance(param, click.Option)]
    shown = list(shown_options(ALL[path], context))
    for option, group in (("--customer NAME", "Customer"), ("--readers N", "Speed"), ("--format", "Output")):
        if any(option.split()[0] in param.opts for param in shown) and not path.startswith("falcon-bulk emulator"):
            assert option in sections[group]
    listed = re.findall(r"^  (?:-\w, )?(--[\w-]+)", "\n".join(sections.values()), re.MULTILINE)
    assert sorted(listed) == sorted(next(name for name in param.opts if name[:2] == "--") for param in shown)
    assert [name for name in sections if name in GROUPS] == [name for name in GROUPS if name in sections]
    assert set(sections) <= {*GROUPS, "Commands"}
    assert {param.name for param in declared} >= {param.name for param in shown}


@pytest.mark.parametrize(
    ("path", "hidden", "shown"),
    [
        ("runs list", "--readers --quota --parallel-customers", "--customer --all-customers --format --no-pager"),
        ("runs show", "--all-customers --readers", "--customer --excel"),
        ("undo", "--all-customers --customer-tag --excel --no-pager", "--customer --yes --readers"),
        ("close-hash", "--excel --no-pager", "--all-customers --readers --yes"),
        ("completion", "--customer --format --readers", "--debug"),
        ("schedule", "--customer --readers", "--daily"),
        ("query", "", "--readers --all-customers --excel --no-pager"),
    ],
)
def test_only_options_that_mean_something_are_shown(path: str, hidden: str, shown: str) -> None:
    command = ALL[f"falcon-bulk {path}"]
    text = command.get_help(click.Context(command, info_name=f"falcon-bulk {path}"))
    listed = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.MULTILINE))
    assert listed.isdisjoint(hidden.split())
    assert listed >= set(shown.split())


@pytest.mark.parametrize("path", ALL)
def test_only_formats_that_the_command_has_are_shown(path: str) -> None:
    text = ALL[path].get_help(click.Context(ALL[path], info_name=path))
    assert ("[table|markdown|json]" in text) == (
        path.removeprefix("falcon-bulk ").split()[0] in ("close-hash", "bulk-close", "allow-hash", "apply")
        or path in ("falcon-bulk resume", "falcon-bulk undo", "falcon-bulk doctor", "falcon-bulk schedule")
    )


def test_the_help_of_a_change_begins_with_the_alerts_and_goes_on_with_the_change() -> None:
    help_text = ALL["falcon-bulk close-hash"].get_help(click.Context(ALL["falcon-bulk close-hash"]))
    headings = re.findall(r"^([A-Z][\w ]+):\n", help_text, re.MULTILINE)
    assert headings == ["Which alerts", "What to do", "Safety", "Customer", "Output", "Speed"]


@pytest.mark.parametrize("path", COMMANDS)
def test_an_example_is_a_command_line_that_click_understands(path: str) -> None:
    """Each option exists in the command that is called; values are checked when it runs."""
    for line in examples(COMMANDS[path]):
        argv = shlex.split(line.partition(" > ")[0])
        argv = argv[: argv.index("--")] if "--" in argv else argv
        called = max((known for known in ALL if f"{line} ".startswith(f"{known} ")), key=len)
        options = {name for param in ALL[called].params for name in param.opts}
        unknown = [part for part in argv if part.startswith("-") and part.partition("=")[0] not in options | {"-"}]
        assert not unknown, line


@pytest.mark.parametrize("path", ["falcon-bulk close-hash", "falcon-bulk bulk-close"])
def test_the_help_names_the_guardrails_in_their_order(path: str) -> None:
    (override,) = (
        param for param in ALL[path].params if isinstance(param, click.Option) and "--override" in param.opts
    )
    assert f": {', '.join(GUARDRAILS)}; or all, which leaves out closed." in (override.help or "")


def test_the_overview_has_examples(readable: CommandRunner) -> None:
    assert "Examples:" in readable.bare("--help").text


@pytest.mark.parametrize("path", COMMANDS)
def test_excel_is_offered_where_there_is_csv_and_ranges_are_written_in_one_way(path: str) -> None:
    text = COMMANDS[path].get_help(click.Context(COMMANDS[path], info_name=path))
    if "--format [" in text:
        assert ("--excel" in text) == ("|csv|" in text) or path in ("falcon-bulk rules run",)
    assert not re.search(r"\]\s+\[\d", text)


def test_the_help_of_report_has_the_format_of_its_files_in_a_folder() -> None:
    text = ALL["falcon-bulk report"].get_help(click.Context(ALL["falcon-bulk report"], info_name="falcon-bulk report"))
    assert "NAME_YYMMDD_COMMAND.html" in text
    assert "[default: html]" in text
    first = text.partition("Which alerts:\n")[2].partition("\n\n")[0]
    assert {"--month", "--since", "--until"} <= set(first.split())


def test_the_help_of_customers_check_has_the_tag_that_it_takes(readable: CommandRunner) -> None:
    assert "--customer-tag" in readable.bare("customers", "check", "--help").text
    done = readable.bare("customers", "check", "--customer-tag", "gold")
    assert (done.code, "There is no customer with the tag gold" in done.err) == (2, True), done


@pytest.mark.parametrize("path", ALL)
def test_no_option_is_broken_at_its_hyphen(path: str) -> None:
    context = click.Context(ALL[path], info_name=path, terminal_width=80)
    assert not re.search(r"(?<![\w-])--?[a-z]+(?:-[a-z]+)*-$", ALL[path].get_help(context), re.MULTILINE)
