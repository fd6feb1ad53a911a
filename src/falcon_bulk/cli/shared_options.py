"""The options that every command accepts, before or after its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from falcon_bulk.cli import completions
from falcon_bulk.cli.command_line import CommandLine, SharedOptions
from falcon_bulk.cli.suggestions import SuggestingChoice
from falcon_bulk.errors import UsageProblem
from falcon_bulk.report.formats import Format

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = tuple(map(str, Format))


def shared_options(command: Command) -> Command:
    """Add the options that every command takes, before or after its name; two different values are an error."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def notify_option(command: Command) -> Command:
    """Add --notify. Its value is optional, so it cannot stand before the command's name."""

    def remember(ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> None:
        line = CommandLine.of(ctx)
        line.options = line.options._replace(notify=tuple(dict.fromkeys(values)))

    return click.option(
        "--notify",
        is_flag=False,
        flag_value="",
        multiple=True,
        expose_value=False,
        callback=remember,
        metavar="[URL]",
        help="Send the result to an Apprise URL; without one, to those of FALCON_NOTIFY in the env file.",
    )(command)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a shared option's value in the command line's `SharedOptions`. Raises UsageProblem."""
    line, name = CommandLine.of(ctx), str(param.name)
    if name == "customers":
        value = (_customer_names(value),) if value else ()
    for given in value if isinstance(value, tuple) else (value,):
        former = getattr(line.options, name)
        if given is False or given == former:
            continue
        if former != SharedOptions._field_defaults[name]:
            raise UsageProblem(
                f"{param.opts[-1]} is given twice with different values.", "Give it once, before or after the command."
            )
        line.options = line.options._replace(**{name: given})


def _customer_names(values: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip(" ") for value in values for name in value.split(",")))
    if not all(names):
        raise UsageProblem("--customer has a blank value.", "It takes a customer's name.")
    return names


def _shared(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """Declare a shared option. It may be repeated, so that a second, different value is found."""
    is_flag = attributes.get("is_flag", False)
    return click.option(*names, expose_value=False, callback=_remember, multiple=not is_flag, **attributes)


_PATH = click.Path(path_type=Path)
_FORMAT = SuggestingChoice(FORMATS)
_SHARED = (
    _shared("--env-file", type=_PATH, metavar="PATH", help="One customer's env file."),
    _shared(
        "--customer",
        "customers",
        metavar="NAME",
        shell_complete=completions.complete_customers,
        help="Use customers/NAME.env; several names run the command for each.",
    ),
    _shared("--all-customers", is_flag=True, help="Run the command for every customer file."),
    _shared("--customer-tag", metavar="TAG", help="Run the command for customers with this tag (FALCON_TAGS)."),
    _shared(
        "--parallel-customers",
        type=click.IntRange(1, 16),
        metavar="N",
        help="Customers at the same time.  [default: 4]",
    ),
    _shared("--customers-dir", type=_PATH, metavar="DIR", help="Folder of the customer files.  [default: customers]"),
    _shared("--shard", metavar="I/N", help="Only share I of N of several customers, by their names."),
    _shared("--format", type=_FORMAT, help="Format of standard output.  [default: table]"),
    _shared(
        "-o",
        "--output",
        metavar="FILE|DIR",
        shell_complete=completions.complete_files,
        help="Also write a file; its suffix sets the format. In a folder: NAME_YYMMDD_COMMAND.md.",
    ),
    _shared("--output-format", type=_FORMAT, help="Format of files in the folder of -o.  [default: markdown]"),
    _shared("--excel", is_flag=True, help="Begin CSV with a byte order mark, by which Excel knows UTF-8."),
    _shared(
        "--readers",
        type=click.IntRange(1, 32),
        metavar="N",
        help="Concurrent reads at most; how many there are follows Falcon's answers.  [default: 32]",
    ),
    _shared(
        "--quota",
        type=click.IntRange(1, 100),
        metavar="PERCENT",
        help="Share of the customer's rate limit to use.  [default: 50]",
    ),
    _shared("-q", "--quiet", is_flag=True, help="Print only data and errors."),
    _shared("-v", "--verbose", is_flag=True, help="Print more detail."),
    _shared("--debug", is_flag=True, help="Log HTTP requests to stderr; show tracebacks."),
    _shared(
        "--log-file",
        type=_PATH,
        metavar="FILE",
        shell_complete=completions.complete_files,
        help="Log HTTP requests and errors to a file that only you can read, rotated at 10 MB.",
    ),
    _shared("--no-color", is_flag=True, help="No colours (as NO_COLOR does)."),
    _shared("--no-progress", is_flag=True, help="No progress bars."),
    _shared("--no-pager", is_flag=True, help="Show long results without the pager (PAGER)."),
)
