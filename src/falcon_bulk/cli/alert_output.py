"""What query does: read alerts and report on them, for one customer or several."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

from falcon_bulk.cli.multi_customer import run_command, run_for_customers
from falcon_bulk.cli.selection_options import exit_code_for
from falcon_bulk.cli.session import Session
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.alert import BriefAlert
from falcon_bulk.model.multi_customer import CustomerError
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.read_all import ReadProgress
from falcon_bulk.operations.reading.select_alerts import build_filter, check_cids, read_selection, read_sorted
from falcon_bulk.report.alerts import AlertDisplay, DocumentSource, alerts_report, count_report, multi_alerts_report
from falcon_bulk.report.multi_customer import Parts, multi_report
from falcon_bulk.report.report import Report, Reported


class AlertQuery(NamedTuple):
    """Which alerts to read. limit: None for all. sort: '' for the order in which they are read."""

    selection: Selection
    limit: int | None
    sort: str


def publish_alerts(session: Session, query: AlertQuery, display: AlertDisplay) -> int:
    """Publish one customer's alerts and return how many there were.

    Without a file they are written while they are read; else they are kept in a temporary file to be written twice.
    """
    with read_documents(session, query) as documents, tempfile.TemporaryFile() as file:
        spool = DocumentSpool(file)
        if session.output.path is None:
            stream = _started(spool.count(documents))
            session.publish(alerts_report(lambda: stream, display))
        else:
            spool.fill(documents)
            session.publish(alerts_report(spool.lines, display))
        return spool.number


def publish_alerts_of_customers(
    session: Session, query: AlertQuery, display: AlertDisplay, *, fail_on_empty: bool
) -> int:
    """Publish several customers' alerts and return the exit code.

    Each customer's go to a temporary file first, so that the lines of two are not mixed.
    """
    with ExitStack() as spools:

        def work(one: Session) -> Reported[DocumentSource]:
            spool = DocumentSpool(spools.enter_context(tempfile.TemporaryFile()))
            with read_documents(one, query) as documents:
                spool.fill(documents)
            exit_code = exit_code_for(spool.number, fail_on_empty=fail_on_empty)
            return Reported(spool.lines, alerts_report(spool.lines, display, exit_code))

        def combine(parts: Parts[DocumentSource]) -> Report:
            errors.extend((part.customer, part.error) for part in parts if part.error is not None)
            return multi_alerts_report(parts, display)

        errors: list[tuple[str, CustomerError]] = []
        exit_code = run_for_customers(session, work, combine)
    for customer, error in errors:
        session.console.error(f"{customer}: {error.message}", error.hint)
    return exit_code


def publish_count(session: Session, selection: Selection, *, fail_on_empty: bool) -> int:
    """Publish the number of alerts, of one customer or several, and return the exit code."""

    def work(one: Session) -> Reported[int]:
        total = count_alerts(one, selection)
        return Reported(total, count_report(total, exit_code_for(total, fail_on_empty=fail_on_empty)))

    exit_code, _ = run_command(session, work, partial(multi_report, numbers=("alerts",), cells=lambda total: (total,)))
    return exit_code


def count_alerts(session: Session, selection: Selection) -> int:
    """Return Falcon's total; for hashes and ids the number of alerts read and checked: Falcon's OR is not reliable."""
    with session.tenant() as tenant, session.watching("counting") as progress:
        if selection.hashes or selection.ids:
            pages = read_selection(tenant.alerts, selection, progress, BriefAlert, readers=session.readers)
            return sum(len(page) for page in check_cids(pages, tenant.cids))
        if tenant.cids:
            tenant.home_cid()
        total = tenant.alerts.count(build_filter(tenant.alerts, selection))
        if total:
            progress.unseen_fields.clear()  # Falcon knows the fields of a filter that finds something
        return total


@contextmanager
def read_documents(session: Session, query: AlertQuery) -> Iterator[Iterator[bytes]]:
    """Yield the alerts' documents while they are read; show at the end how many more there are."""
    seen, finished = 0, False

    def read(tenant: Tenant, progress: ReadProgress) -> Iterator[bytes]:
        nonlocal seen, finished
        selection, limit, sort = query
        pages = read_sorted(tenant.alerts, selection, progress, limit=limit, sort=sort, readers=session.readers)
        for page in check_cids(pages, tenant.cids):
            for item in page:
                seen += 1
                yield bytes(item.document)
        finished = True

    with session.tenant() as tenant, session.watching("reading") as progress:
        yield read(tenant, progress)
        if finished and query.limit is not None and progress.matching > query.limit:
            session.console.say(f"{seen:,} of {progress.matching:,} alerts are shown; --all or --limit N shows more.")


class DocumentSpool:
    """Documents in a temporary file, to be read more than once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0

    def count(self, documents: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the documents and count them, without keeping any."""
        for document in documents:
            self.number += 1
            yield document

    def fill(self, documents: Iterable[bytes]) -> None:
        """Add documents, a line each: line breaks in JSON are only between values."""
        for document in self.count(documents):
            self._file.write(document.replace(b"\n", b" ") + b"\n")

    def lines(self) -> Iterator[bytes]:
        """Return the documents from the first on."""
        self._file.seek(0)
        return (line.rstrip(b"\n") for line in self._file)


def _started(documents: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same documents after reading the first: an early failure comes before anything is written."""
    return chain(list(islice(documents, 1)), documents)
