"""The options that several commands share, each declared once, and the structs in which they reach a command."""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

import click

from falcon_bulk.cli import completions
from falcon_bulk.cli.option_values import (
    RESOLUTIONS,
    SEVERITIES,
    STATUSES,
    check_finite,
    check_named,
    check_not_blank,
    choice_value,
    multi_value,
    single_value,
)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Options = TypeVar("Options", bound=tuple[Any, ...])

KEEP = "keep"
"""The value of --set-status that leaves the status."""


# The options of a command as NamedTuples: frozen, and an eighth of a dataclass's cost at every start.


class SelectionOptions(NamedTuple):
    """Which alerts, as typed; `selection_options` declares them. named: of `@NAME` in config.toml."""

    fql: str | None
    hashes: tuple[str, ...]
    hash_file: Path | None
    only_sha256: bool
    ids_file: Path | None
    severities: tuple[str, ...]
    products: tuple[str, ...]
    statuses: tuple[str, ...]
    host: str | None
    name: str | None
    since: str | None
    until: str | None
    visible_only: bool
    fail_on_empty: bool
    named: tuple[str, ...] = ()


class PaceOptions(NamedTuple):
    """How fast batches are sent; `pace_options` declares them. batch_delay: seconds."""

    batch_size: int
    batch_delay: float
    workers: int


class ConsentOptions(NamedTuple):
    """How consent is given; `consent_options` declares them. details: whether the preview shows everything."""

    maximum: int | None
    expect: int | None
    yes: bool
    details: bool


class ChangeOptions(NamedTuple):
    """What a change does; `change_options` declares them, with those of pace and consent."""

    set_status: str
    comment: str | None
    resolution: str | None
    tags: tuple[str, ...]
    untags: tuple[str, ...]
    assign_to: str | None
    unassign: bool
    operator: str | None
    overrides: tuple[str, ...]
    dry_run: bool
    plan_file: Path | None


def takes(options_type: type[Options]) -> Callable[[Callable[[click.Context, Options], int]], Callable[..., int]]:
    """Call a command with its Click context and its options as an `options_type`.

    Stands directly above the function. A field that is a NamedTuple itself takes its fields from the same command.
    """

    def decorate(command: Callable[[click.Context, Options], int]) -> Callable[..., int]:
        @wraps(command)
        def invoke(**values: Any) -> int:
            return command(click.get_current_context(), read_options(options_type, values))

        return invoke

    return decorate


def read_options(options_type: type[Options], values: Mapping[str, Any]) -> Options:
    """Make a struct of options from what Click hands over; the only place that sees its untyped values."""
    fields: dict[str, Any] = {
        name: read_options(kind, values) if hasattr(kind, "_fields") else values[name]
        for name, kind in get_type_hints(options_type).items()
    }
    return options_type(**fields)


def option_names(options_type: type[Options]) -> set[str]:
    """Return the names of all options that a struct holds, nested ones included."""
    hints = get_type_hints(options_type).items()
    nested = [option_names(kind) for _, kind in hints if hasattr(kind, "_fields")]
    return {name for name, kind in hints if not hasattr(kind, "_fields")}.union(*nested)


def examples(*lines: str) -> str:
    """Return the end of a command's help: command lines to copy."""
    return "\b\nExamples:\n" + "".join(f"  falcon-bulk {line}\n" for line in lines)


def _all_of(*declared: Decorator) -> Decorator:
    """Add several options, listed in the help in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(declared):
            command = option(command)
        return command

    return decorate


hash_file_option = click.option(
    "--hash-file",
    **single_value(),
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Hashes from a file: text, CSV or JSON; - for standard input.",
)

only_sha256_option = click.option(
    "--only-sha256", is_flag=True, help="Leave out entries of --hash-file that are no SHA256, and count them."
)

selection_options = _all_of(
    click.argument(
        "named",
        nargs=-1,
        metavar="[@NAME]...",
        callback=check_named,
        shell_complete=completions.complete_selections,
    ),
    click.option("--filter", "fql", **single_value(), metavar="FQL", help="A filter in Falcon Query Language."),
    click.option("--hash", "hashes", **multi_value("SHA256"), help="Alerts of these hashes; commas between several."),
    hash_file_option,
    only_sha256_option,
    click.option(
        "--ids-file",
        **single_value(),
        type=click.Path(path_type=Path, allow_dash=True),
        metavar="FILE",
        help="Exactly these composite ids: text, CSV or JSON; - for standard input.",
    ),
    click.option(
        "--severity",
        "severities",
        **multi_value(choices=SEVERITIES),
        help="Severity name; commas between several.",
    ),
    click.option(
        "--product", "products", **multi_value("NAME"), help="Product: epp, idp, xdr, …; commas between several."
    ),
    click.option("--status", "statuses", **multi_value(choices=STATUSES), help="Status; commas between several."),
    click.option("--host", **single_value(), metavar="GLOB", help="Host name; * stands for any text."),
    click.option("--name", **single_value(), metavar="GLOB", help="Alert name; * stands for any text."),
    click.option("--since", **single_value(), metavar="WHEN", help="Created since: 7d, 24h, a date, or a UTC time."),
    click.option("--until", **single_value(), metavar="WHEN", help="Created before: 7d, 24h, a date, or a UTC time."),
    click.option("--visible-only", is_flag=True, help="Leave out alerts that the console hides."),
    click.option("--fail-on-empty", is_flag=True, help="Exit with 9 if nothing matches."),
)

pace_options = _all_of(
    click.option(
        "--batch-size",
        **single_value(default=1000),
        type=click.IntRange(1, 1000),
        metavar="N",
        show_default=True,
        help="Alerts per batch.",
    ),
    click.option(
        "--batch-delay",
        **single_value(check_finite, default=0.5),
        type=click.FloatRange(0, 3600),
        metavar="SECONDS",
        show_default=True,
        help="Minimum seconds between batches.",
    ),
    click.option(
        "--workers",
        **single_value(default=24),
        type=click.IntRange(1, 32),
        metavar="N",
        show_default=True,
        help="Batches in flight at most; how many there are follows Falcon's answers.",
    ),
)


def _consent_options(yes_help: str) -> Decorator:
    return _all_of(
        click.option(
            "--max",
            "maximum",
            **single_value(),
            type=click.IntRange(0),
            metavar="N",
            help="Refuse to change more than N.",
        ),
        click.option(
            "--expect",
            **single_value(),
            type=click.IntRange(0),
            metavar="N",
            help="Refuse unless exactly N would be changed.",
        ),
        click.option("--yes", is_flag=True, help=yes_help),
        click.option("--details", is_flag=True, help="Show all of the preview: every property, and the outliers."),
    )


consent_options = _consent_options("Do not ask; needs --expect or --max.")
plan_consent_options = _consent_options("Do not ask; a folder of plans needs --max.")
"""A saved plan is its own bound."""


def override_option(help_text: str) -> Decorator:
    """Return --override with its help."""
    return click.option(
        "--override",
        "overrides",
        **multi_value("GUARDRAIL"),
        shell_complete=completions.complete_guardrails,
        help=help_text,
    )


rules_option = click.option(
    "--rules",
    "rule_paths",
    **multi_value("PATH"),
    help="Closing rules: files, or folders of them.  [default: FALCON_BULK_RULES, else rules beside customers]",
)

dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be done; send nothing.")

operator_option = click.option(
    "--operator",
    **single_value(check_not_blank),
    metavar="NAME",
    help="Name in the comment and the journal.  [default: FALCON_OPERATOR or login name]",
)

change_options = _all_of(
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
        help="Comment on every changed alert, with your name.",
    ),
    click.option("--resolution", **choice_value(RESOLUTIONS), help="Set this resolution."),
    click.option("--tag", "tags", **multi_value("TAG"), help="Add a tag."),
    click.option("--untag", "untags", **multi_value("TAG"), help="Remove a tag."),
    click.option(
        "--assign-to",
        **single_value(check_not_blank),
        metavar="WHO",
        help="Assign to an email, a UUID or a name.",
    ),
    click.option("--unassign", is_flag=True, help="Remove the assignee."),
    operator_option,
    override_option(
        "Override a guardrail: critical, no-severity, overwatch, falcon-complete, true-positive, case, "
        "assigned, in-progress, reopened, closed, other-hashes; or all, which leaves out closed."
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
    consent_options,
    pace_options,
)
