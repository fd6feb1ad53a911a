"""Finds the journal that holds a customer's runs; none of the functions asks Falcon."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from falcon_bulk.cli.session import Session
from falcon_bulk.errors import BadEnvFile, JournalProblem, Refused
from falcon_bulk.journal.customer_cids import customer_cid
from falcon_bulk.journal.files import journal_paths
from falcon_bulk.journal.journal import Journal

LATEST = "latest"
"""The name of the newest run that changed something."""
MAX_NAMED = 5


@contextmanager
def open_customer_journals(session: Session) -> Iterator[list[Journal]]:
    """Open the customer's journals; all that can be read if no customer is configured at all.

    Raises JournalProblem for a journal of the customer that cannot be read; another's is only told of.
    """
    opened: list[Journal] = []
    paths, are_ours = _paths(session)
    try:
        for path in paths:
            try:
                opened.append(Journal(path))
            except JournalProblem as problem:
                if are_ours:
                    raise
                session.console.warn(f"Left out: {problem.message}")
        yield opened
    finally:
        for journal in opened:
            journal.close()


@contextmanager
def open_tenant_journals(session: Session, cid: str) -> Iterator[list[Journal]]:
    """Open the customer's journals, those of FALCON_CID or, without it, of the CID that its login has shown.

    cid: '' if it has shown none; then the remembered one counts. No other journal is looked into: with many customers
    that would take long. Raises BadEnvFile, JournalProblem.
    """
    folder, settings = session.state_folder(), session.load_settings()
    cids = settings.cids or (cid or customer_cid(folder, settings.customer),)
    with ExitStack() as opened:
        yield [opened.enter_context(closing(Journal(path))) for path in journal_paths(folder) if path.stem in cids]


def find_run(opened: list[Journal], name: str) -> tuple[Journal, str]:
    """Return the run that a name means, and the journal that has it.

    name: a run id, its beginning if no other run begins so, or `latest`: the newest that changed something. Raises
    Refused if there is none, or several.
    """
    for journal in opened:
        if journal.knows(name):
            return journal, name
    rows = [(row, journal) for journal in opened for row in journal.rows()]
    if name == LATEST:
        changed = [run for run in rows if run[0].changed]
        if not changed:
            raise Refused("No run of this customer changed anything.", "`falcon-bulk runs` lists them.")
        row, journal = max(changed, key=lambda run: run[0].started)  # of one second: the first, which is the newest
        return journal, row.run_id
    found = [(row.run_id, journal) for row, journal in rows if name and row.run_id.startswith(name)]
    if len(found) > 1:
        raise Refused(
            f"Several runs begin with {name!r}: {', '.join(sorted(run_id for run_id, _ in found)[:MAX_NAMED])}.",
            "Type more of it.",
        )
    for run_id, journal in found:
        return journal, run_id
    raise Refused(f"The journal has no run {name!r} of this customer.", "`falcon-bulk runs` lists them.")


def _paths(session: Session) -> tuple[list[Path], bool]:
    """Return the journals to open, and whether they are known to be this customer's."""
    paths = journal_paths(session.state_folder())
    try:
        settings = session.load_settings()
    except BadEnvFile:
        if session.customers.is_named:
            raise
        return paths, False
    if settings.cids:
        return [path for path in paths if path.stem in settings.cids], True
    cid = customer_cid(session.state_folder(), settings.customer)
    return [path for path in paths if path.stem == cid or settings.customer in _customers(session, path)], True


def _customers(session: Session, path: Path) -> frozenset[str]:
    """Return the customers that a journal has runs of; none, after saying so once, of one that cannot be read."""
    try:
        return session.journal_customers.of(path)
    except JournalProblem as problem:
        session.console.warn(f"Left out: {problem.message}")
        return frozenset()
