"""The options of a command arrive as a struct that has exactly the options declared."""

import inspect
from typing import Any

import click
import pytest

from falcon_bulk.cli.options import SelectionOptions, option_names, read_options
from tests.support.command_tree import commands


def _options_type(command: click.Command) -> Any:
    assert command.callback is not None
    parameter = inspect.signature(command.callback).parameters.get("options")
    return getattr(parameter, "annotation", None)


TYPED = {path: kind for path, command in commands().items() if hasattr(kind := _options_type(command), "_fields")}


def test_the_reading_commands_have_typed_options() -> None:
    assert {("query",), ("summary",), ("hash-summary",)} <= set(TYPED)


@pytest.mark.parametrize("path", TYPED, ids=" ".join)
def test_the_fields_of_the_struct_are_the_declared_options(path: tuple[str, ...]) -> None:
    declared = {str(param.name) for param in commands()[path].params if param.expose_value}
    assert option_names(TYPED[path]) == declared - {"help"}


def test_a_struct_is_made_from_the_values_of_the_command() -> None:
    values = dict.fromkeys(SelectionOptions._fields) | {"host": "DC*", "hashes": ("ab",)}
    selection = read_options(SelectionOptions, values)
    assert (selection.host, selection.hashes, selection.since) == ("DC*", ("ab",), None)
