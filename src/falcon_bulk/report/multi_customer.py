"""What a command for several customers shows: the customers with their outcome, and what they share."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from falcon_bulk.model.multi_customer import CustomerResult, HashAtCustomer, SharedHash, combined_exit_code
from falcon_bulk.report.chart import Chart
from falcon_bulk.report.error import customer_error_document
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Cell, Column, Row, Sheet, format_cell

Result = TypeVar("Result")

_FIRST = (Column("customer", least=8), Column("outcome", fold=True, least=20))


def multi_document(
    parts: Sequence[CustomerResult[Result]],
    document: Callable[[Result], dict[str, Any]],
    shared: Sequence[SharedHash] | None = None,
) -> dict[str, Any]:
    """`falcon-bulk/multi/1`. document: a customer's result as the command alone would give it."""
    return {
        "schema": "falcon-bulk/multi/1",
        "exit_code": int(combined_exit_code(parts)),
        "customers": [
            {
                "customer": part.customer,
                "cid": part.cid or None,
                "exit_code": int(part.exit_code),
                "result": None if part.result is None else document(part.result),
                "error": customer_error_document(part.error),
            }
            for part in parts
        ],
        "across": None
        if shared is None
        else {"hashes": [{"sha256": one.sha256, "customers": _sightings(one)} for one in shared]},
    }


def customers_sheet(
    parts: Sequence[CustomerResult[Result]], numbers: Sequence[str], cells: Callable[[Result], Sequence[Cell]]
) -> Sheet:
    """A row for each customer: how it went, and its numbers (one title and one cell each)."""
    columns = (*_FIRST, *(Column(title, right=True) for title in numbers))
    rows = [_part_row(part, len(numbers), cells) for part in parts]
    good = sum(part.error is None and part.exit_code == 0 for part in parts)
    return Sheet(f"{format_cell(good)} of {format_cell(len(parts))} customers done", columns, rows)


def customers_page(sheets: Sequence[Sheet], customers: Sheet, selection: str, charts: Sequence[Chart] = ()) -> Page:
    """The sheets under the title of the customers' own: how many are done. selection: the filter in words."""
    return Page(sheets, customers.title, {"filter": selection}, charts)


def joined_sheet(sheets: Sequence[tuple[str, Sheet]]) -> Sheet:
    """The rows of several customers' sheets of one kind, with the customer in front. They are taken one by one."""
    columns = sheets[0][1].columns if sheets else ()
    rows = ((customer, *row) for customer, sheet in sheets for row in sheet.rows)
    return Sheet("", (Column("customer", least=8), *columns), rows, stacked=any(sheet.stacked for _, sheet in sheets))


def named_documents(customer: str, documents: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a round's jsonl: `{"customer":NAME,"alert":…}`, the alert as it came."""
    head = b'{"customer":' + json.dumps(customer).encode() + b',"alert":'
    return (head + document + b"}" for document in documents)


def across_sheet(shared: Sequence[SharedHash], top: int | None) -> Sheet:
    """A row for each hash and customer, the hashes at most customers first."""
    columns = (
        Column("sha256", style="hash", least=12),
        Column("customers", right=True),
        Column("customer", least=8),
        Column("alerts", right=True),
        Column("open", right=True),
        Column("false positive", right=True, spare=2),
        Column("true positive", right=True, spare=2),
        Column("first seen", style="time", spare=4, least=17),
        Column("last seen", style="time", spare=3, least=17),
    )
    rows = [row for one in shared[:top] for row in _sighting_rows(one)]
    disputed = [one.sha256 for one in shared if one.disputed]
    notes = [f"Called benign at one customer and a true positive at another: {digest}" for digest in disputed]
    if top is not None and len(shared) > top:
        notes.append(f"Not shown: {format_cell(len(shared) - top)} of {format_cell(len(shared))} hashes.")
    return Sheet("Hashes across customers", columns, rows, notes)


def _part_row(part: CustomerResult[Result], width: int, cells: Callable[[Result], Sequence[Cell]]) -> Row:
    outcome = part.error.message if part.error else "done" if part.exit_code == 0 else f"exit code {part.exit_code}"
    return (part.customer, outcome, *(cells(part.result) if part.result is not None else [None] * width))


def _sightings(one: SharedHash) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "alerts": seen.alerts,
            "open": seen.open,
            "false_positive": seen.false_positive,
            "true_positive": seen.true_positive,
            "first_seen": seen.first_seen,
            "last_seen": seen.last_seen,
        }
        for name, seen in one.customers.items()
    }


def _sighting_rows(one: SharedHash) -> list[Row]:
    mark = " (disputed)" if one.disputed else ""
    return [
        (one.sha256 + mark, len(one.customers), name, *_numbers(seen), seen.first_seen, seen.last_seen)
        for name, seen in one.customers.items()
    ]


def _numbers(seen: HashAtCustomer) -> tuple[int, int, int, int]:
    return seen.alerts, seen.open, seen.false_positive, seen.true_positive
