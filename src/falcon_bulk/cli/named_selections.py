"""Named selections of config.toml, used as `@NAME` beside the options that select alerts."""

from collections.abc import Sequence

from falcon_bulk.cli.options import SelectionOptions
from falcon_bulk.cli.suggestions import did_you_mean
from falcon_bulk.cli.user_config import user_config
from falcon_bulk.config.config_file import NamedSelection
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.hashes import check_sha256
from falcon_bulk.model.vocabulary import Status


def with_named_selections(options: SelectionOptions, *, changes: bool = False) -> SelectionOptions:
    """Return the options with those of each `@NAME` ANDed to them.

    changes: whether the command changes alerts; closed ones are then selected only by --status on the command line.
    Raises UsageProblem for a name that is not known, and for two values that cannot be ANDed.
    """
    typed = options
    for name in options.named:
        selection = _selection(name)
        if changes and Status.CLOSED in selection.status and Status.CLOSED not in typed.statuses:
            raise UsageProblem(
                f"@{selection.name} selects closed alerts, and a file does not decide that they are changed.",
                "Add --status closed to the command line.",
            )
        options = _and(options, selection)
    return options


def selection_arguments(selection: NamedSelection) -> list[str]:
    """Return the options that a named selection stands for."""
    values = {
        "--filter": selection.filter,
        "--hash": ",".join(selection.hash),
        "--severity": ",".join(selection.severity),
        "--product": ",".join(selection.product),
        "--status": ",".join(selection.status),
        "--host": selection.host,
        "--name": selection.alert_name,
        "--since": selection.since,
        "--until": selection.until,
    }
    arguments = [argument for option, value in values.items() if value for argument in (option, value)]
    return [*arguments, *["--visible-only"] * selection.visible_only]


def _selection(name: str) -> NamedSelection:
    known = user_config().selections
    if name not in known:
        hint = did_you_mean(name, list(known)) + "`falcon-bulk selections` lists them."
        raise UsageProblem(f"There is no selection @{name}.", hint)
    return known[name]


def _and(options: SelectionOptions, selection: NamedSelection) -> SelectionOptions:
    if options.ids_file is not None:
        raise UsageProblem(
            f"--ids-file does not go with @{selection.name}.", "It names exactly the alerts; add only --status."
        )
    if selection.hash and options.hash_file is not None:
        raise UsageProblem(f"--hash-file does not go with @{selection.name}, which has hashes.", "Use --hash.")
    return options._replace(
        fql=_both_filters(options.fql, selection.filter),
        hashes=_common("--hash", options.hashes, tuple(map(check_sha256, selection.hash)), selection),
        severities=_common("--severity", options.severities, selection.severity, selection),
        products=_common("--product", options.products, selection.product, selection),
        statuses=_common("--status", options.statuses, selection.status, selection),
        host=_only("--host", options.host, selection.host, selection),
        name=_only("--name", options.name, selection.alert_name, selection),
        since=_only("--since", options.since, selection.since, selection),
        until=_only("--until", options.until, selection.until, selection),
        visible_only=options.visible_only or selection.visible_only,
    )


def _both_filters(first: str | None, second: str | None) -> str | None:
    return f"({first})+({second})" if first and second else first or second


def _common(option: str, typed: Sequence[str], named: tuple[str, ...], selection: NamedSelection) -> tuple[str, ...]:
    """Return the values that both allow; no value allows all."""
    if not typed or not named:
        return tuple(typed) or named
    wanted = {value.lower() for value in named}
    if not (both := tuple(value for value in typed if value.lower() in wanted)):
        raise UsageProblem(
            f"No alert can match: {option} has none of what @{selection.name} selects ({', '.join(named)}).",
            "Leave one of them out.",
        )
    return both


def _only(option: str, typed: str | None, named: str | None, selection: NamedSelection) -> str | None:
    if typed is not None and named is not None and typed != named:
        raise UsageProblem(
            f"{option} is given twice: {typed!r}, and {named!r} in @{selection.name}.", "Leave one of them out."
        )
    return named if typed is None else typed
