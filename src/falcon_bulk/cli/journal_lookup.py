"""Finding the journal that holds a customer's runs, without asking Falcon."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from falcon_bulk.cli.session import Session
from falcon_bulk.errors import BadEnvFile, Refused
from falcon_bulk.journal.journal import Journal, journals


@contextmanager
def open_customer_journals(context: Session) -> Iterator[list[Journal]]:
    """The journals of the customer; all journals where no customer is configured at all."""
    opened: list[Journal] = []
    try:
        for path in _paths(context):
            opened.append(Journal(path))
        yield opened
    finally:
        for journal in opened:
            journal.close()


def journal_with_run(opened: list[Journal], run_id: str) -> Journal:
    """The journal that knows the run. Raises Refused if none does."""
    for journal in opened:
        if journal.knows(run_id):
            return journal
    raise Refused(f"The journal knows no run {run_id!r} of this customer.", "`falcon-bulk runs` lists them.")


def _paths(context: Session) -> list[Path]:
    paths = journals(context.state_folder())
    try:
        settings = context.settings
    except BadEnvFile:
        if context.customers.is_named:
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
