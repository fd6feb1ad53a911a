"""How the value of an option is read and checked: attributes for `click.option`."""

import math
from collections.abc import Callable
from typing import Any

import click

from falcon_bulk.cli import completions
from falcon_bulk.cli.suggestions import did_you_mean, suggest_customer
from falcon_bulk.config.operator import operator_problem
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, Resolution, Status

Check = Callable[[click.Context, click.Parameter, Any], Any]

STATUSES = tuple(map(str, Status))
SEVERITIES = tuple(name.lower() for name in reversed(SEVERITY_NAMES))
RESOLUTIONS = tuple(map(str, Resolution))


def multi_value(metavar: str = "", choices: tuple[str, ...] = ()) -> dict[str, Any]:
    """Declare an option that may be repeated and takes commas; its value is a tuple, each once, in order."""

    def split(_ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
        parts = [part.strip(" ") for value in values for part in value.split(",")]
        if not all(parts):
            raise UsageProblem(f"{param.opts[-1]} has a blank value.", f"It takes {metavar or ', '.join(choices)}.")
        chosen = (_one_of(part, param, choices) for part in parts) if choices else parts
        return tuple(dict.fromkeys(chosen))

    completion = {"shell_complete": completions.complete_list(choices)} if choices else {}
    return {"multiple": True, "callback": split, "metavar": metavar or "|".join(choices)} | completion


def single_value(then: Check | None = None, default: Any = None) -> dict[str, Any]:
    """Declare an option with one value. Two different values are an error: Click would silently drop the first.

    Every option with a value is declared with this or with `multi_value`. then: a callback for the one value.
    """

    def check(ctx: click.Context, param: click.Parameter, values: tuple[Any, ...]) -> Any:
        if len(set(values)) > 1:
            raise UsageProblem(f"{param.opts[-1]} is given twice with different values.", "Give it once.")
        value = values[0] if values else None
        return then(ctx, param, value) if then else value

    return {"multiple": True, "callback": check} | ({} if default is None else {"default": (default,)})


def choice_value(choices: tuple[str, ...], default: str | None = None) -> dict[str, Any]:
    """Declare an option that takes one of several values."""

    def choose(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        return value if value is None else _one_of(value, param, choices)

    return single_value(choose, default) | {
        "metavar": "|".join(choices),
        "shell_complete": completions.complete_choice(choices),
    }


def check_not_blank(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse a blank value: `--assign-to "$WHO"` with WHO unset is a mistake. Raises UsageProblem."""
    if value is not None and not value.strip():
        raise UsageProblem(f"{param.opts[-1]} is blank.", "Leave it out if it is not wanted.")
    return value


def check_named(ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of `@NAME` arguments, each once. Raises UsageProblem for any other argument."""
    for value in values:
        if not value.startswith("@") or not value[1:]:
            hint = f"`{ctx.command_path} --help` lists its options; only @NAME, a selection of config.toml, has none."
            raise UsageProblem(f"Got an unexpected extra argument ({value}).", suggest_customer(ctx, value) + hint)
    return tuple(dict.fromkeys(value[1:] for value in values))


def check_finite(_ctx: click.Context, param: click.Parameter, value: float) -> float:
    """Refuse NaN and infinity, which pass range checks. Raises UsageProblem."""
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


def check_operator(name: str) -> str:
    """Return the value of --operator. Raises UsageProblem for a name that cannot stand in a comment."""
    if problem := operator_problem(name):
        raise UsageProblem(f"--operator {problem}.")
    return name
