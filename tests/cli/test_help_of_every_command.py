"""The help of every command: what it does, and examples that call it."""

import shlex

import click
import pytest

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
    assert f": {', '.join(GUARDRAILS)}; or all." in (override.help or "")


def test_the_overview_has_examples(readable: CommandRunner) -> None:
    assert "Examples:" in readable.bare("--help").text
