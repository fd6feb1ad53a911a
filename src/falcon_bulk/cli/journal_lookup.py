"""Finds the journal that holds a customer's runs, without asking Falcon."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from falcon_bulk.cli.session import Session
from falcon_bulk.errors import BadEnvFile, Refused
from falcon_bulk.journal.files import journal_paths
from falcon_bulk.journal.journal import Journal


@contextmanager
def open_customer_journals(session: Session) -> Iterator[list[Journal]]:
    """Open the customer's journals; all journals if no customer is configured at all."""
    opened: list[Journal] = []
    try:
        for path in _paths(session):
            opened.append(Journal(path))
        yield opened
    finally:
        for journal in opened:
            journal.close()


def journal_with_run(opened: list[Journal], run_id: str) -> Journal:
    """Return the journal that has the run. Raises Refused if none does."""
    for journal in opened:
        if journal.knows(run_id):
            return journal
    raise Refused(f"The journal has no run {run_id!r} of this customer.", "`falcon-bulk runs` lists them.")


def _paths(session: Session) -> list[Path]:
    paths = journal_paths(session.state_folder())
    try:
        settings = session.load_settings()
    except BadEnvFile:
        if session.customers.is_named:
            raise
        return paths
    if settings.cids:
        return [path for path in paths if path.stem in settings.cids]
    return [path for path in paths if settings.customer in _customers(path)]


def _customers(path: Path) -> set[str]:
    journal = Journal(path)
    try:
        return journal.customers()
    finally:
        journal.close()
