"""The one place where an option that several commands share is declared."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from falcon_bulk.cli import completions as completing
from falcon_bulk.cli.suggestions import SuggestingChoice, did_you_mean
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, Resolution, Status
from falcon_bulk.report.formats import Format

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Check = Callable[[click.Context, click.Parameter, Any], Any]

FORMATS = tuple(map(str, Format))
STATUSES = tuple(map(str, Status))
SEVERITIES = tuple(name.lower() for name in reversed(SEVERITY_NAMES))
RESOLUTIONS = tuple(map(str, Resolution))
KEEP = "keep"
"""The value of --set-status that leaves the status."""


def examples(*lines: str) -> str:
    """The end of a command's help: command lines to copy."""
    return "\b\nExamples:\n" + "".join(f"  falcon-bulk {line}\n" for line in lines)


def multi_value(metavar: str = "", choices: tuple[str, ...] = ()) -> dict[str, Any]:
    """Attributes of an option that may be repeated and takes commas; its value is a tuple, each once, in order."""

    def split(_ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
        parts = [part.strip(" ") for value in values for part in value.split(",")]
        if not all(parts):
            raise UsageProblem(f"{param.opts[-1]} has a blank value.", f"It takes {metavar or ', '.join(choices)}.")
        chosen = (_one_of(part, param, choices) for part in parts) if choices else parts
        return tuple(dict.fromkeys(chosen))

    offered = {"shell_complete": completing.complete_list(choices)} if choices else {}
    return {"multiple": True, "callback": split, "metavar": metavar or "|".join(choices)} | offered


def single_value(then: Check | None = None, default: Any = None) -> dict[str, Any]:
    """Attributes of an option with one value: of two different ones, one would hold for nothing, and silently so.

    Every option with a value is declared with this or with `many`. then: a callback for the one value.
    """

    def check(ctx: click.Context, param: click.Parameter, values: tuple[Any, ...]) -> Any:
        if len(set(values)) > 1:
            raise UsageProblem(f"{param.opts[-1]} is given twice with different values.", "Give it once.")
        value = values[0] if values else None
        return then(ctx, param, value) if then else value

    return {"multiple": True, "callback": check} | ({} if default is None else {"default": (default,)})


def choice_value(choices: tuple[str, ...], default: str | None = None) -> dict[str, Any]:
    """Attributes of an option that takes one of some words."""

    def choose(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        return value if value is None else _one_of(value, param, choices)

    return single_value(choose, default) | {
        "metavar": "|".join(choices),
        "shell_complete": completing.complete_choice(choices),
    }


def check_not_blank(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The callback of an option whose value may not be blank: `--assign-to "$WHO"` with WHO unset is a mistake."""
    if value is not None and not value.strip():
        raise UsageProblem(f"{param.opts[-1]} is blank.", "Leave it out if it is not wanted.")
    return value


def check_finite(_ctx: click.Context, param: click.Parameter, value: float) -> float:
    """The callback of an option that takes seconds: NaN is in no range and out of none."""
    if not math.isfinite(value):
        raise UsageProblem(f"{value!r} is not a value of {param.opts[-1]}.", "It takes a number of seconds.")
    return value


def _one_of(value: str, param: click.Parameter, choices: tuple[str, ...]) -> str:
    if value.lower() in choices:
        return value.lower()
    hint = f"{did_you_mean(value.lower(), choices)}It takes {', '.join(choices)}."
    if set(STATUSES) <= set(choices) and value.lower() in (*RESOLUTIONS, "resolved", "false-positive", "fp"):
        hint = "Use --set-status closed --resolution false_positive: a resolution is not a status."
    raise UsageProblem(f"{value!r} is not a value of {param.opts[-1]}.", hint)


# Options that are accepted before or after the command's name.

_SHARED: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("--env-file",), {"type": click.Path(path_type=Path), "metavar": "PATH", "help": "One customer's env file."}),
    (
        ("--customer", "customers"),
        {
            "metavar": "NAME",
            "shell_complete": completing.complete_customers,
            "help": "Short for --env-file customers/NAME.env; several: a round.",
        },
    ),
    (("--all-customers",), {"is_flag": True, "default": None, "help": "A round over all customer files."}),
    (("--customer-tag",), {"metavar": "TAG", "help": "A round over the customers with this tag (FALCON_TAGS)."}),
    (
        ("--parallel-customers",),
        {"type": click.IntRange(1, 16), "metavar": "N", "help": "Customers of a round at a time.  [default: 4]"},
    ),
    (
        ("--customers-dir",),
        {
            "type": click.Path(path_type=Path),
            "metavar": "DIR",
            "help": "Where customer files are.  [default: customers]",
        },
    ),
    (
        ("--format",),
        {"type": SuggestingChoice(FORMATS), "help": "What goes to standard output.  [default: table]"},
    ),
    (
        ("-o", "--output"),
        {
            "metavar": "FILE|DIR",
            "shell_complete": completing.complete_files,
            "help": "Also write a file, its suffix is its format; in a folder: NAME_YYMMDD.md.",
        },
    ),
    (
        ("--output-format",),
        {"type": SuggestingChoice(FORMATS), "help": "The format of files in the folder of -o.  [default: markdown]"},
    ),
    (("--readers",), {"type": click.IntRange(1, 32), "metavar": "N", "help": "Reads in flight.  [default: 8]"}),
    (
        ("--quota",),
        {
            "type": click.IntRange(1, 100),
            "metavar": "PERCENT",
            "help": "Part of the customer's rate limit to use.  [default: 50]",
        },
    ),
    (("-q", "--quiet"), {"is_flag": True, "default": None, "help": "Only data and errors."}),
    (("-v", "--verbose"), {"is_flag": True, "default": None, "help": "Say more."}),
    (("--debug",), {"is_flag": True, "default": None, "help": "Show a traceback on an unexpected error."}),
    (("--no-color",), {"is_flag": True, "default": None, "help": "No colours (as NO_COLOR does)."}),
    (("--no-progress",), {"is_flag": True, "default": None, "help": "No progress bars."}),
]


def shared_options(command: Decorated) -> Decorated:
    """The options that every command takes, before or after its name; two different values are an error."""
    for names, attributes in reversed(_SHARED):
        several = not attributes.get("is_flag")
        command = click.option(*names, expose_value=False, callback=_remember, multiple=several, **attributes)(command)
    return command


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    given = ctx.find_root().ensure_object(dict)
    if param.name == "customers":
        value = (_names(value),) if value else ()
    for one in value if isinstance(value, tuple) else (value,):
        if one is not None and given.setdefault(param.name, one) != one:
            raise UsageProblem(
                f"{param.opts[-1]} is given twice with different values.", "Give it once, before or after the command."
            )


def _names(values: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip(" ") for value in values for name in value.split(",")))
    if not all(names):
        raise UsageProblem("--customer has a blank value.", "It takes a customer's name.")
    return names


def notify_option(command: Decorated) -> Decorated:
    """Who is told of the result, for `Context.notifier`; a value may follow, hence no place before the command."""

    def remember(ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> None:
        ctx.find_root().ensure_object(dict)["notify"] = tuple(dict.fromkeys(value))

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


# Which alerts.


def hash_file_option(command: Decorated) -> Decorated:
    """More hashes, beside those of --hash."""
    return click.option(
        "--hash-file",
        **single_value(),
        type=click.Path(path_type=Path, allow_dash=True),
        metavar="FILE",
        help="Hashes from a file: text, CSV or JSON; - for standard input.",
    )(command)


def selection_options(command: Decorated) -> Decorated:
    """Add the options that select alerts."""
    declared = [
        click.option("--filter", "fql", **single_value(), metavar="FQL", help="A filter in Falcon Query Language."),
        click.option("--hash", "hashes", **multi_value("SHA256"), help="Alerts of these hashes; several: with commas."),
        hash_file_option,
        click.option(
            "--severity",
            "severities",
            **multi_value(choices=SEVERITIES),
            help="By severity name; several: with commas.",
        ),
        click.option(
            "--product", "products", **multi_value("NAME"), help="By product: epp, idp, xdr, …; several: with commas."
        ),
        click.option("--status", "statuses", **multi_value(choices=STATUSES), help="By status; several: with commas."),
        click.option("--host", **single_value(), metavar="GLOB", help="By host name; * stands for any text."),
        click.option("--name", **single_value(), metavar="GLOB", help="By alert name; * stands for any text."),
        click.option(
            "--since", **single_value(), metavar="WHEN", help="Created since: 7d, 24h, a date, or a UTC time."
        ),
        click.option(
            "--until", **single_value(), metavar="WHEN", help="Created before: 7d, 24h, a date, or a UTC time."
        ),
        click.option("--visible-only", is_flag=True, help="Leave out alerts that the console hides."),
        click.option("--fail-on-empty", is_flag=True, help="Exit with 9 if nothing matches."),
    ]

    for option in reversed(declared):
        command = option(command)
    return command


# How a change is carried out.


def pace_options(command: Decorated) -> Decorated:
    """How fast batches are sent."""
    declared = [
        click.option(
            "--batch-size",
            **single_value(default=1000),
            type=click.IntRange(1, 1000),
            show_default=True,
            help="Alerts a batch.",
        ),
        click.option(
            "--batch-delay",
            **single_value(check_finite, default=0.5),
            type=click.FloatRange(0, 3600),
            show_default=True,
            help="Least seconds between batch starts.",
        ),
        click.option(
            "--workers",
            **single_value(default=4),
            type=click.IntRange(1, 16),
            show_default=True,
            help="Batches in flight.",
        ),
    ]
    for option in reversed(declared):
        command = option(command)
    return command


def consent_options(command: Decorated) -> Decorated:
    """How consent is given."""
    declared = [
        click.option(
            "--max",
            "most",
            **single_value(),
            type=click.IntRange(0),
            metavar="N",
            help="Refuse if more would be changed.",
        ),
        click.option(
            "--expect",
            **single_value(),
            type=click.IntRange(0),
            metavar="N",
            help="Refuse unless exactly N would be changed.",
        ),
        click.option("--yes", is_flag=True, help="Do not ask; needs --expect or --max."),
    ]
    for option in reversed(declared):
        command = option(command)
    return command


dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be done; send nothing.")

operator_option = click.option(
    "--operator",
    **single_value(check_not_blank),
    metavar="NAME",
    help="Who does it.  [default: FALCON_OPERATOR or login name]",
)


def change_options(command: Decorated) -> Decorated:
    """What is changed, for close-hash and bulk-close."""
    declared = [
        click.option(
            "--set-status",
            **choice_value((*STATUSES, KEEP), "closed"),
            show_default=True,
            help="Set this status; keep leaves it as it is.",
        ),
        click.option(
            "--comment",
            **single_value(check_not_blank),
            metavar="TEXT",
            help="Goes onto every changed alert, with your name.",
        ),
        click.option("--resolution", **choice_value(RESOLUTIONS), help="The resolution to set."),
        click.option("--tag", "tags", **multi_value("TAG"), help="A tag to add."),
        click.option(
            "--assign-to",
            **single_value(check_not_blank),
            metavar="WHO",
            help="Assign to an email, a UUID or a name.",
        ),
        operator_option,
        click.option(
            "--override",
            "overrides",
            **multi_value("RAIL"),
            shell_complete=completing.complete_guardrails,
            help="Let a guard rail go: critical, no-severity, overwatch, falcon-complete, true-positive, case, "
            "assigned, in-progress, other-hashes; or all.",
        ),
        dry_run_option,
        click.option(
            "--plan",
            "plan_file",
            **single_value(),
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="With --dry-run: save the plan, for `falcon-bulk apply`.",
        ),
    ]
    for option in reversed(declared):
        command = option(command)
    return pace_options(consent_options(command))
