"""The report of a command for several customers: each one's outcome, and what they share."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from falcon_bulk.model.multi_customer import (
    CustomerError,
    CustomerResult,
    HashAtCustomer,
    SharedHash,
    combined_exit_code,
)
from falcon_bulk.model.plural import counted
from falcon_bulk.report.chart import Chart
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink
from falcon_bulk.report.page import Page
from falcon_bulk.report.report import Report, Reported
from falcon_bulk.report.sheet import Cell, Column, Row, Sheet, format_cell

Result = TypeVar("Result")
Parts = Sequence[CustomerResult[Reported[Result]]]
"""What became of each customer, in the order of their names."""

_FIRST = (Column("customer", min_width=20, whole=True), Column("outcome", min_width=12))


_DISPENSABLE = {"no resolution": 4, "undone": 3, "skipped": 2, "ignored": 2, "verified": 1, "runs": 1}
"""Numbers that a narrow terminal leaves out, the highest first."""


class CustomerEntry(msgspec.Struct, frozen=True):
    """A customer in `falcon-bulk/multi/1`. result: the document that the command prints for this customer alone."""

    customer: str
    cid: str | None
    exit_code: int
    result: object
    error: CustomerError | None


class Across(msgspec.Struct, frozen=True):
    """What several customers share, in `falcon-bulk/multi/1`."""

    hashes: Iterable[SharedHash]


class MultiDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/multi/1"):
    """`falcon-bulk/multi/1`: the results of one command for several customers."""

    exit_code: int
    customers: Iterable[CustomerEntry]
    across: Across | None


def multi_report(
    parts: Parts[Result],
    numbers: Sequence[str],
    cells: Callable[[Result], Sequence[Cell]],
    *,
    sheets: Callable[[Sheet], Iterable[Sheet]] = lambda customers: [customers],
    page: Callable[[Sheet], Page] | None = None,
    shared: Sequence[SharedHash] | None = None,
    writers: Mapping[Format, Callable[[Sink], None]] | None = None,
) -> Report:
    """Return the report on one command for several customers.

    numbers: titles of the columns beside each customer's outcome; cells: their values. sheets, page: get the sheet of
    the customers and return what to show with it; by default that sheet alone. shared: hashes of several customers.
    """
    customers = customers_sheet(parts, numbers, cells)
    return Report(
        lambda: sheets(customers),
        lambda: multi_document(parts, shared),
        (lambda: page(customers)) if page else None,
        writers or {},
        exit_code=combined_exit_code(parts),
    )


def multi_document(parts: Parts[Result], shared: Sequence[SharedHash] | None = None) -> MultiDocument:
    """Return the document of several customers' results, each of which is made when it is written."""
    entries = (
        CustomerEntry(
            part.customer,
            part.cid or None,
            int(part.exit_code),
            None if part.result is None else part.result.report.document(),
            part.error,
        )
        for part in parts
    )
    across = None if shared is None else Across(iter(shared))
    return MultiDocument(int(combined_exit_code(parts)), entries, across)


def customers_sheet(
    parts: Parts[Result], numbers: Sequence[str], cells: Callable[[Result], Sequence[Cell]], *, done: str = "done"
) -> Sheet:
    """Return a row for each customer: its outcome, and its numbers (one title and one cell each).

    Errors stand below, a line for each: in a cell a sentence would be one word a line. done: the outcome of a customer
    for whom the command succeeded.
    """
    columns = (*_FIRST, *map(_number_column, numbers))
    rows = [_part_row(part, len(numbers), cells, done) for part in parts]
    with_errors = [
        (row[0], part.error.message if part.error else row[1], *row[2:]) for row, part in zip(rows, parts, strict=True)
    ]
    good = sum(part.error is None and part.exit_code == 0 for part in parts)
    errors = [f"{part.customer}: {part.error.message}" for part in parts if part.error is not None]
    title = f"{format_cell(good)} of {counted(len(parts), 'customer')} done"
    return Sheet(title, columns, rows, errors, csv_sheet=Sheet(title, columns, with_errors))


def _number_column(title: str) -> Column:
    """Return the column of a number, of the run's id, which is never cut, or of who made a plan and when."""
    if title == "run":
        return Column(title, min_width=40, whole=True)
    if title == "made":
        return Column(title, style="time", min_width=19)
    if title == "by":
        return Column(title)
    return Column(title, right=True, drop_order=_DISPENSABLE.get(title, 0))


def results_of(parts: Parts[Result]) -> list[tuple[str, Result]]:
    """Return each customer that has a result, with that result."""
    return [(part.customer, part.result.result) for part in parts if part.result is not None]


def customers_page(
    title: str,
    sheets: Sequence[Sheet],
    selection: str,
    period: str,
    legend: Mapping[str, str],
    charts: Sequence[Chart] = (),
) -> Page:
    """Return a page on several customers. selection: the filter as text. period: the days of the selection."""
    return Page(sheets, title, {"filter": selection}, charts, period, legend)


def joined_sheet(sheets: Sequence[tuple[str, Sheet]]) -> Sheet:
    """Join several customers' sheets of one kind, with a column for the customer. Rows are read one by one."""
    columns = sheets[0][1].columns if sheets else ()
    rows = ((customer, *row) for customer, sheet in sheets for row in sheet.rows)
    return Sheet(
        "",
        (Column("customer", min_width=20, whole=True), *columns),
        rows,
        as_blocks=any(sheet.as_blocks for _, sheet in sheets),
        common_above=any(sheet.common_above for _, sheet in sheets),
    )


def named_documents(customer: str, documents: Iterable[bytes]) -> Iterator[bytes]:
    """Return the lines of jsonl for several customers: `{"customer":NAME,"alert":…}`, the alert as it came."""
    head = b'{"customer":' + json.dumps(customer).encode() + b',"alert":'
    return (head + document + b"}" for document in documents)


def across_sheet(shared: Sequence[SharedHash], top: int | None) -> Sheet:
    """Return a row for each hash and customer; hashes of the largest number of customers first."""
    columns = (
        Column("sha256", style="hash", min_width=75, whole=True),
        Column("customers", right=True),
        Column("customer", min_width=20, whole=True),
        Column("alerts", right=True),
        Column("open", right=True),
        Column("false positive", right=True, drop_order=2, min_width=14),
        Column("true positive", right=True, drop_order=2, min_width=13),
        Column("first seen", style="time", drop_order=4, min_width=19),
        Column("last seen", style="time", drop_order=3, min_width=19),
    )
    rows = [row for shared_hash in shared[:top] for row in _sighting_rows(shared_hash)]
    notes = [] if shared else ["No alert has a hash of its own."]
    disputed = [shared_hash.sha256 for shared_hash in shared if shared_hash.disputed]
    notes += [f"A false positive at one customer and a true positive at another: {digest}" for digest in disputed]
    if top is not None and len(shared) > top:
        notes.append(f"Not shown: {format_cell(len(shared) - top)} of {format_cell(len(shared))} hashes.")
    return Sheet("Hashes across customers", columns, rows, notes)


def _part_row(
    part: CustomerResult[Reported[Result]], width: int, cells: Callable[[Result], Sequence[Cell]], done: str
) -> Row:
    outcome = "error" if part.error else done if part.exit_code == 0 else f"exit code {part.exit_code}"
    return (part.customer, outcome, *(cells(part.result.result) if part.result is not None else [None] * width))


def _sighting_rows(shared_hash: SharedHash) -> list[Row]:
    mark = " (disputed)" if shared_hash.disputed else ""
    return [
        (shared_hash.sha256 + mark, len(shared_hash.customers), name, *_numbers(seen), seen.first_seen, seen.last_seen)
        for name, seen in shared_hash.customers.items()
    ]


def _numbers(seen: HashAtCustomer) -> tuple[int, int, int, int]:
    return seen.alerts, seen.open, seen.false_positive, seen.true_positive
