"""What `query` does with alerts: read them, and write them to stdout and files, for one customer or several."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple

from falcon_bulk.cli.multi_customer import run_for_each_customer
from falcon_bulk.cli.selection_options import exit_code_for
from falcon_bulk.cli.session import Session
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.alert import BriefAlert, decode_alert, decode_document
from falcon_bulk.model.multi_customer import CustomerResult, combined_exit_code
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.read_all import ReadProgress
from falcon_bulk.operations.reading.select_alerts import build_filter, check_cids, read_selection, read_sorted
from falcon_bulk.report.alerts import alert_sheet, field_sheet, project, write_json, write_jsonl
from falcon_bulk.report.formats import Format
from falcon_bulk.report.multi_customer import customers_sheet, joined_sheet, multi_document, named_documents
from falcon_bulk.report.output import Sink, dump
from falcon_bulk.report.sheet import Sheet


class AlertQuery(NamedTuple):
    """Which alerts: limit None for all, sort '' for as they come."""

    selection: Selection
    limit: int | None
    sort: str


class AlertDisplay(NamedTuple):
    """What is shown of each alert."""

    fields: tuple[str, ...]
    details: bool


@contextmanager
def read_documents(context: Session, chosen: AlertQuery) -> Iterator[Iterator[bytes]]:
    """The documents as they are read; says at the end how many more there are."""

    seen, at_the_end = 0, False

    def read(tenant: Tenant, watch: ReadProgress) -> Iterator[bytes]:
        nonlocal seen, at_the_end
        selection, limit, sort = chosen
        pages = read_sorted(tenant.alerts, selection, watch, limit=limit, sort=sort, readers=context.readers)
        for page in check_cids(pages, tenant.cids):
            for item in page:
                seen += 1
                yield bytes(item.document)
        at_the_end = True

    with context.tenant() as tenant, context.watching("reading") as watch:
        yield read(tenant, watch)
        if at_the_end and chosen.limit is not None and watch.matching > chosen.limit:
            context.console.say(f"{seen:,} of {watch.matching:,} alerts are shown; --all or --limit N shows more.")


def count_alerts(context: Session, selection: Selection) -> int:
    """The server's total; with hashes the number of alerts read and checked, since Falcon's OR is not trusted."""

    with context.tenant() as tenant, context.watching("counting") as watch:
        if selection.hashes:
            pages = read_selection(tenant.alerts, selection, watch, BriefAlert, readers=context.readers)
            return sum(len(page) for page in check_cids(pages, tenant.cids))
        if tenant.cids:
            tenant.home_cid()
        total = tenant.alerts.count(build_filter(tenant.alerts, selection))
        if total:
            watch.sought.clear()  # Falcon knows the fields of a filter that finds something
        return total


def write_count(sink: Sink, total: int) -> None:
    """The number alone, whatever the format: it is valid in each of them."""
    sink.binary.write(f"{total}\n".encode())


def write_alerts(context: Session, documents: Iterator[bytes], look: AlertDisplay) -> int:
    """Write the documents to where they go; returns how many there were."""
    seen = 0

    def counted() -> Iterator[bytes]:
        nonlocal seen
        for document in documents:
            seen += 1
            yield document

    if context.output.path is None:
        begun = _begun(counted())
        context.emit(lambda sink, fmt: _write(sink, fmt, begun, look))
        return seen
    with tempfile.TemporaryFile() as file:
        spool = DocumentSpool(file)
        spool.fill(documents)
        context.emit(lambda sink, fmt: _write(sink, fmt, spool.lines(), look))
        return spool.number


class DocumentSpool:
    """Documents in a temporary file, to be read more than once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0

    def fill(self, documents: Iterable[bytes]) -> None:
        """Add documents, a line each: line breaks in JSON stand only between values."""
        for document in documents:
            self._file.write(document.replace(b"\n", b" ") + b"\n")
            self.number += 1

    def lines(self) -> Iterator[bytes]:
        """The documents from the first on."""
        self._file.seek(0)
        return (line.rstrip(b"\n") for line in self._file)


def _begun(documents: Iterator[Any]) -> Iterator[Any]:
    """The same documents, the first of them read: what fails at the start fails before anything is written."""
    return chain(list(islice(documents, 1)), documents)


def _write(sink: Sink, fmt: Format, documents: Iterable[bytes], look: AlertDisplay) -> None:
    if fmt in (Format.JSON, Format.JSONL):
        chosen = (project(document, look.fields) for document in documents) if look.fields else documents
        write = write_json if fmt is Format.JSON else write_jsonl
        write(chosen, sink.binary, terminal=sink.terminal)
    else:
        sink.render([_sheet(documents, look)], fmt)


def _write_joined(sink: Sink, fmt: Format, done: list[tuple[str, Iterator[bytes]]], look: AlertDisplay) -> None:
    """Several customers' alerts, each with its customer."""

    if fmt is Format.JSONL:
        for customer, documents in done:
            chosen = (project(document, look.fields) for document in documents) if look.fields else documents
            write_jsonl(named_documents(customer, chosen), sink.binary, terminal=sink.terminal)
    else:
        sink.render([joined_sheet([(customer, _sheet(documents, look)) for customer, documents in done])], fmt)


def _sheet(documents: Iterable[bytes], look: AlertDisplay) -> Sheet:
    if look.fields:
        return field_sheet(documents, look.fields)
    return alert_sheet(map(decode_alert, documents), look.details)


def write_for_customers(context: Session, chosen: AlertQuery, look: AlertDisplay, *, fail_on_empty: bool) -> int:
    """Each customer's alerts go to a file of their own first, so that no two customers' lines are mixed."""

    with ExitStack() as spools:

        def work(alone: Session) -> tuple[DocumentSpool, int]:
            spool = DocumentSpool(spools.enter_context(tempfile.TemporaryFile()))
            with read_documents(alone, chosen) as documents:
                spool.fill(documents)
            alone.to_file(lambda sink, fmt: _write(sink, fmt, spool.lines(), look))
            return spool, exit_code_for(spool.number, fail_on_empty=fail_on_empty)

        parts = run_for_each_customer(context, work)

        def document(spool: DocumentSpool) -> dict[str, Any]:
            lines = (project(line, look.fields) for line in spool.lines()) if look.fields else spool.lines()
            return {"alerts": [decode_document(line) for line in lines]}

        def write(sink: Sink, fmt: Format) -> None:
            if fmt is Format.JSON:
                dump(multi_document(parts, document), sink.binary)
            else:
                done = [(part.customer, part.result.lines()) for part in parts if part.result is not None]
                _write_joined(sink, fmt, done, look)

        context.emit(write)
        _say_errors(context, parts)
        return combined_exit_code(parts)


def _say_errors(context: Session, parts: Sequence[CustomerResult[Any]]) -> None:
    for part in parts:
        if part.error is not None:
            context.console.error(f"{part.customer}: {part.error.message}", part.error.hint)


def count_for_customers(context: Session, selection: Selection, *, fail_on_empty: bool) -> int:
    """Publish each customer's count; the exit code."""

    def work(alone: Session) -> tuple[int, int]:
        total = count_alerts(alone, selection)
        alone.to_file(lambda sink, _: write_count(sink, total))
        return total, exit_code_for(total, fail_on_empty=fail_on_empty)

    parts = run_for_each_customer(context, work)
    context.publish(
        lambda: [customers_sheet(parts, ("alerts",), lambda total: (total,))],
        lambda: multi_document(parts, lambda total: {"alerts": total}),
    )
    return combined_exit_code(parts)
