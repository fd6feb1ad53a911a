"""Checks the options that select alerts, and warns about fields that Falcon does not know."""

from collections.abc import Iterable
from pathlib import Path

from falcon_bulk.cli.input_options import hashes_from_options, ids_from_file
from falcon_bulk.cli.named_selections import with_named_selections
from falcon_bulk.cli.options import SelectionOptions
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.time_values import is_relative, parse_instant
from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.falcon.filter_hints import (
    hints_for_filter,
    is_unknown_field,
    mixed_filter_hint,
    renamed_field_hint,
    unknown_fields,
    unseen_field_hint,
)
from falcon_bulk.falcon.fql import check_filter, check_host, check_name, check_word
from falcon_bulk.model.selection import Selection


def selection_from_options(
    session: Session, options: SelectionOptions, *, prompts: bool = False, changes: bool = False
) -> Selection:
    """Check a command's selection options and return the selection.

    prompts: whether the command asks for confirmation. changes: whether it changes alerts; then a filter that can be
    read in two ways is refused. Raises UsageProblem.
    """
    now = session.clock.now()
    options = with_named_selections(options, changes=changes)
    fql = options.fql
    if fql is not None and not fql.strip():
        raise UsageProblem("--filter is blank.", "Leave it out to select without a filter.")
    if fql and changes and (mixed := mixed_filter_hint(check_filter(fql))):
        raise UsageProblem(f"The filter can be read in two ways: {mixed}", "Put parentheses where you mean them.")
    for hint in hints_for_filter(fql or ""):
        session.console.say(f"Note: {hint}")
    session.unknown_fields = unknown_fields(fql or "")
    selection = Selection(
        filter=check_filter(fql) if fql else "",
        hashes=hashes_from_options(
            options.hashes, options.hash_file, session.console, prompts=prompts, only_sha256=options.only_sha256
        ),
        severities=tuple(name.capitalize() for name in options.severities),
        products=tuple(check_word(value, "product").lower() for value in options.products),
        statuses=options.statuses,
        host=check_host(options.host) if options.host is not None else "",
        name=check_name(options.name) if options.name is not None else "",
        since=parse_instant(options.since, "--since", now),
        until=parse_instant(options.until, "--until", now),
        visible_only=options.visible_only,
        relative=is_relative(options.since) or is_relative(options.until),
    )
    return selection if options.ids_file is None else _with_ids(session, selection, options.ids_file, prompts=prompts)


def _with_ids(session: Session, selection: Selection, ids_file: Path, *, prompts: bool) -> Selection:
    """Return the selection of exactly the ids of a file."""
    if selection != Selection(statuses=selection.statuses):
        raise UsageProblem(
            "--ids-file goes with no other selection.", "It names exactly the alerts; add only --status."
        )
    if session.customers.several:
        raise UsageProblem("--ids-file is for one customer.", "Name the customer that the ids belong to.")
    return Selection(statuses=selection.statuses, ids=ids_from_file(ids_file, session.console, prompts=prompts))


def exit_code_for(found: int, *, fail_on_empty: bool) -> int:
    """Return EMPTY if no alert was found and --fail-on-empty was given, else DONE."""
    return ExitCode.EMPTY if fail_on_empty and not found else ExitCode.DONE


def note_renamed_fields(session: Session, names: Iterable[str]) -> None:
    """Say which of the fields named on the command line are those of the former Detects API, and what they are now."""
    for name in names:
        if hint := renamed_field_hint(name):
            session.console.say(f"Note: {hint}")


def warn_about_fields(session: Session, names: Iterable[str], consequence: str = "") -> None:
    """Warn about fields named on the command line: those of the former Detects API at once, those that no alert has
    after reading, with the consequence. Call after `selection_from_options`.
    """
    for name in names:
        if hint := renamed_field_hint(name):
            session.console.say(f"Note: {hint}")
        elif is_unknown_field(name):
            session.unknown_fields.setdefault(name, f"{unseen_field_hint(name)} {consequence}".rstrip())
