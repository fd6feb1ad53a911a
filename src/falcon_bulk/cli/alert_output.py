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
from falcon_bulk.falcon.filter_hints import is_unknown_field, unseen_field_hint
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.alert import BriefAlert
from falcon_bulk.model.alert_fields import current_name
from falcon_bulk.model.multi_customer import CustomerError
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection, read_sorted
from falcon_bulk.operations.reading.selection_filter import build_filter
from falcon_bulk.operations.reading.zero_reasons import zero_reasons
from falcon_bulk.report.alerts import (
    AlertDisplay,
    DocumentSource,
    alerts_report,
    count_report,
    multi_alerts_report,
)
from falcon_bulk.report.multi_customer import Parts, multi_report
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.sheet import format_cell


class AlertQuery(NamedTuple):
    """Which alerts to read. limit: None for all. sort: '' for the order in which they are read."""

    selection: Selection
    limit: int | None
    sort: str


def publish_alerts(session: Session, query: AlertQuery, display: AlertDisplay) -> int:
    """Publish one customer's alerts and return how many there were.

    Without a file they are written while they are read; else they are kept in a temporary file to be written twice.
    """
    with read_documents(session, query) as read, tempfile.TemporaryFile() as file:
        spool = DocumentSpool(file)
        if session.output.path is None:
            stream = _started(spool.count(read.documents))
            session.publish(alerts_report(lambda: stream, display, title=read.title))
        else:
            spool.fill(read.documents)
            session.publish(alerts_report(spool.lines, display, title=read.title))
        _note_missing_fields(session, display, spool.number)
        return spool.number


def publish_alerts_of_customers(
    session: Session, query: AlertQuery, display: AlertDisplay, *, fail_on_empty: bool
) -> int:
    """Publish several customers' alerts and return the exit code.

    Each customer's go to a temporary file first, so that the lines of two are not mixed.
    """
    with ExitStack() as spools:

        def work(customer_session: Session) -> Reported[DocumentSource]:
            spool = DocumentSpool(spools.enter_context(tempfile.TemporaryFile()))
            with read_documents(customer_session, query) as read:
                spool.fill(read.documents)
                matching.append(read.matching)
            shown.append(spool.number)
            exit_code = exit_code_for(spool.number, fail_on_empty=fail_on_empty)
            return Reported(spool.lines, alerts_report(spool.lines, display, exit_code))

        def combine(parts: Parts[DocumentSource]) -> Report:
            errors.extend((part.customer, part.error) for part in parts if part.error is not None)
            number = f"{format_cell(len(matching))} of {format_cell(len(parts))} customers"
            return multi_alerts_report(parts, display, f"{number}: {describe_number(sum(shown), sum(matching))}")

        shown: list[int] = []
        matching: list[int] = []
        errors: list[tuple[str, CustomerError]] = []
        exit_code = run_for_customers(session, work, combine)
    _note_missing_fields(session, display, sum(shown))
    for customer, error in errors:
        session.console.error(f"{customer}: {error.message}", error.hint)
    return exit_code


def _note_missing_fields(session: Session, display: AlertDisplay, shown: int) -> None:
    """Say which fields no alert shown had: a blank column may be a misspelt field."""
    for name in display.missing if shown else ():
        if is_unknown_field(name):
            session.console.say(f"Note: {unseen_field_hint(name)}")
        elif current_name(name) is None:  # else it was said before
            session.console.say(f"Note: No alert that was read has the field {name}.")


def publish_count(session: Session, selection: Selection, *, fail_on_empty: bool) -> int:
    """Publish the number of alerts, of one customer or several, and return the exit code."""

    def work(customer_session: Session) -> Reported[int]:
        total = count_alerts(customer_session, selection)
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
        else:
            progress.explain(zero_reasons(tenant.alerts, selection, session.clock.now()))
        return total


class AlertReading:
    """Alerts that are being read. documents: to be iterated over once."""

    def __init__(self, tenant: Tenant, query: AlertQuery, progress: ReadProgress, readers: int) -> None:
        self._customer = tenant.customer
        self._query = query
        self._progress = progress
        self.number = 0
        self.is_finished = False
        self.documents = self._read(tenant, readers)

    @property
    def matching(self) -> int:
        """How many alerts match, as far as it is known: all that were read or, with a limit, what Falcon counts."""
        return self.number if self._query.limit is None else max(self._progress.matching, self.number)

    def title(self) -> str:
        """Return the title of a table, once the first alert was read: the customer, and how many of how many."""
        limit = self._query.limit
        if limit is None:
            return f"{self._customer}: all alerts of the selection"
        return f"{self._customer}: {describe_number(min(limit, self.matching), self.matching)}"

    def _read(self, tenant: Tenant, readers: int) -> Iterator[bytes]:
        selection, limit, sort = self._query
        pages = read_sorted(tenant.alerts, selection, self._progress, limit=limit, sort=sort, readers=readers)
        for page in check_cids(pages, tenant.cids):
            for item in page:
                self.number += 1
                yield bytes(item.document)
        self.is_finished = True


def describe_number(shown: int, matching: int) -> str:
    """Return how many of the matching alerts are shown."""
    alerts = f"{matching:,} alert{'' if matching == 1 else 's'}"
    return alerts if shown == matching else f"{shown:,} of {alerts}"


@contextmanager
def read_documents(session: Session, query: AlertQuery) -> Iterator[AlertReading]:
    """Yield the alerts while they are read; show at the end how many more there are."""
    with session.tenant() as tenant, session.watching("reading") as progress:
        reading = AlertReading(tenant, query, progress, session.readers)
        yield reading
        if not reading.is_finished:
            return
        if query.limit is not None and reading.matching > query.limit:
            session.console.say(
                f"{reading.number:,} of {reading.matching:,} alerts are shown; --all or --limit N shows more."
            )
        elif query.limit is None:
            session.console.say(f"{describe_number(reading.number, reading.number)} in all.")


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
