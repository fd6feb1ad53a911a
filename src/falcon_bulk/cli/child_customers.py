"""Flight Control's children as customers: adds their env files, and compares files with children."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from falcon_bulk.cli.console import is_interactive
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import abort_prompt_on_signals
from falcon_bulk.config.customers import add_customer
from falcon_bulk.config.env_file import read_env_file
from falcon_bulk.errors import BadEnvFile, Declined, FalconBulkError, Stopped, UsageProblem
from falcon_bulk.model.customer import Child, ChildFile, CustomerCheck
from falcon_bulk.model.multi_customer import CustomerError
from falcon_bulk.operations.children import (
    ParentLogin,
    children_and_files,
    customer_name_for,
    parent_logins,
    unreadable,
    values_for_child,
)
from falcon_bulk.operations.customers import customer_files
from falcon_bulk.report.customers import children_report, children_sheet

MAX_NAMED = 5
"""Customers or children that a message names."""


def add_children(session: Session, *, yes: bool) -> int:
    """List the children of the session's login, ask which of those without a file to add, and write their files.

    yes: add all without asking. Raises UsageProblem without a terminal to ask on, Declined for a wrong answer.
    """
    if session.customers.several:
        raise UsageProblem("--children takes one parent's login.", "Name it with --customer or --env-file.")
    if not yes and not is_interactive():
        raise UsageProblem("Cannot ask which children to add: not a terminal.", "Add --yes to add all of them.")
    parent = session.for_parent()
    with parent.tenant() as tenant:
        children = tenant.flight_control.children()
    folder = session.customers.folder
    files = customer_files(folder, os.environ) if folder.is_dir() else []
    if unknown := unreadable(files):
        raise BadEnvFile(
            f"Which child the file of {', '.join(unknown)} is for cannot be read; nothing was written.",
            "`falcon-bulk customers` says what is wrong with it.",
        )
    listed = children_and_files(children, files)
    missing = [entry for entry in listed if not entry.customers]
    chosen = _chosen(session, listed, missing, yes=yes)
    secret_set = parent.load_settings().secret_set
    added = _write_files(session, [entry.child for entry in chosen], [file.customer for file in files], secret_set)
    listed = [
        msgspec.structs.replace(entry, customers=(added[entry.child.cid],), added=True)
        if entry.child.cid in added
        else entry
        for entry in listed
    ]
    code = session.publish(children_report(listed))
    if added:
        # All files are checked where there are too many to name.
        names = added.values() if len(added) <= MAX_NAMED else ()
        suggest(
            session, "Next:", "customers", "check", *names, *session.customers.folder_arguments, with_customer=False
        )
    elif not missing:
        session.console.say("Every child has its file." if listed else "This login has no children.")
    return code


def _write_files(session: Session, children: Iterable[Child], taken: Iterable[str], secret_set: str) -> dict[str, str]:
    """Write an env file for each child with the parent's credentials; return the new customers' names by CID.

    taken: the names of the customers that have a file. secret_set: when the parent's secret was set.
    """
    path = session.customers.find_env_file()
    values = read_env_file(path) if path else dict(os.environ)
    names = list(taken)
    added: dict[str, str] = {}
    for child in children:
        name = customer_name_for(child, names)
        written = add_customer(name, session.customers.folder, values_for_child(values, child, secret_set))
        session.console.say(f"Wrote {written}, readable by you alone.")
        names.append(name)
        added[child.cid] = name
    return added


def check_children(
    session: Session, checks: Sequence[CustomerCheck]
) -> tuple[list[CustomerCheck], list[Child], list[str]]:
    """Compare the files that log in to children with the children of their logins.

    Return the checks with what was found, the children without a file, and a note for each that a person should see.
    """
    notes: list[str] = []
    without_file: list[Child] = []
    is_child: dict[str, bool] = {}
    every_file = customer_files(session.customers.folder, os.environ)
    for login in parent_logins([check.file for check in checks], os.environ):
        try:
            with session.for_customer(login.customer).for_parent().tenant() as tenant:
                children = tenant.flight_control.children()
        except Stopped:
            raise
        except FalconBulkError as error:
            notes.append(f"The children of the login of {login.customer} cannot be listed: {error.message}")
            continue
        cids = {child.cid for child in children}
        is_child |= {customer: member in cids for customer, member in login.customers.items()}
        missing = [entry.child for entry in children_and_files(children, every_file) if not entry.customers]
        if missing and (unknown := unreadable(every_file)):
            notes.append(f"Which child the file of {', '.join(unknown)} is for cannot be read: it may be one of these.")
        without_file += missing
        notes += _notes(login, cids, missing)
    return [_with_child(check, is_child) for check in checks], without_file, notes


def _notes(login: ParentLogin, cids: set[str], missing: Sequence[Child]) -> list[str]:
    gone = [f"{customer} ({member})" for customer, member in login.customers.items() if member not in cids]
    notes = [f"No child of its login any more: {', '.join(gone)} (FALCON_MEMBER_CID)."] if gone else []
    if missing:
        names = ", ".join(f"{child.name or 'without a name'} ({child.cid})" for child in missing[:MAX_NAMED])
        names += f" and {len(missing) - MAX_NAMED:,} more" if len(missing) > MAX_NAMED else ""
        notes.append(
            f"Children of the login of {login.customer} without a file: {names}. "
            f"`falcon-bulk customers add --children --customer {login.customer}` adds them."
        )
    return notes


def _with_child(check: CustomerCheck, is_child: dict[str, bool]) -> CustomerCheck:
    known = is_child.get(check.file.customer)
    if known is False and check.error is None:
        problem = BadEnvFile(
            f"FALCON_MEMBER_CID={check.file.member_cid} is no child of this login.", "Remove the file, or correct it."
        )
        return msgspec.structs.replace(
            check, is_child=known, exit_code=int(problem.exit_code), error=CustomerError.of(problem)
        )
    return msgspec.structs.replace(check, is_child=known)


def _chosen(
    session: Session, listed: Sequence[ChildFile], missing: Sequence[ChildFile], *, yes: bool
) -> Sequence[ChildFile]:
    """Return the children to add. Raises Declined for an answer that is none, Stopped on Ctrl-C."""
    if yes or not missing:
        return missing
    session.output.to_stderr([replace(children_sheet(listed, numbered=True), title="Children of this login")])
    with abort_prompt_on_signals("nothing was written"):
        answer = session.console.ask("Add which? Their numbers with commas, or all; Enter for none:")
    parts = [part.strip() for part in (answer or "").lower().split(",") if part.strip()]
    if parts == ["all"]:
        return missing
    numbered = {str(number): child for number, child in enumerate(missing, 1)}
    if not set(parts) <= numbered.keys():
        raise Declined("That is not the number of a child without a file; nothing was written.")
    return [numbered[part] for part in dict.fromkeys(parts)]
