"""Which alerts: the options that select, checked; and what is said of fields that Falcon would answer with nothing."""

from collections.abc import Iterable
from typing import Any

from falcon_bulk.cli.input_options import given_hashes
from falcon_bulk.cli.session import Context
from falcon_bulk.cli.time_values import instant
from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.falcon.filter_hints import doubtful, is_doubtful, not_seen, old_habits, renamed
from falcon_bulk.falcon.fql import checked_filter, checked_host, checked_name, checked_word
from falcon_bulk.model.selection import Selection


def selection_of(context: Context, options: dict[str, Any]) -> Selection:
    """The checked selection of a command's options. Raises UsageProblem."""
    now = context.timing.now()
    fql = options["fql"]
    if fql is not None and not fql.strip():
        raise UsageProblem("--filter is blank.", "Leave it out to select without a filter.")
    for habit in old_habits(fql or ""):
        context.console.say(f"Note: {habit}")
    context.sought = doubtful(fql or "")
    return Selection(
        filter=checked_filter(fql) if fql else "",
        hashes=given_hashes(options, context.console),
        severities=tuple(name.capitalize() for name in options["severities"]),
        products=tuple(checked_word(value, "product") for value in options["products"]),
        statuses=options["from_status"],
        host=checked_host(options["host"]) if options["host"] is not None else "",
        name=checked_name(options["name"]) if options["name"] is not None else "",
        since=instant(options["since"], "--since", now),
        until=instant(options["until"], "--until", now),
        visible_only=options["visible_only"],
    )


def code_of(found: int, *, fail_on_empty: bool) -> int:
    """The exit code of a reading that found so many alerts."""
    return ExitCode.EMPTY if fail_on_empty and not found else ExitCode.DONE


def look_for_fields(context: Context, names: Iterable[str], consequence: str = "") -> None:
    """These fields are named on the command line: say which are names of the former Detects API, and after reading
    which no alert has, with what comes of it. Comes after `selection_of`.
    """
    for name in names:
        if said := renamed(name):
            context.console.say(f"Note: {said}")
        elif is_doubtful(name):
            context.sought.setdefault(name, f"{not_seen(name)} {consequence}".rstrip())
