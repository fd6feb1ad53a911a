"""The reports of `customers`: the customer files, and what a login with each of them showed."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from falcon_bulk.model.customer import Child, ChildFile, CustomerCheck, CustomerFile, exit_code_of
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Cell, Column, Row, Sheet

_FILE_COLUMNS = (
    Column("customer", min_width=20, whole=True),
    Column("region", drop_order=2),
    Column("cids", style="id", drop_order=4, min_width=32, whole=True),
    Column("operator", drop_order=3),
    Column("tags", drop_order=1),
    Column("file", drop_order=5, min_width=20),
    Column("problems", right=True),
)
_CHECK_COLUMNS = (
    Column("customer", min_width=20, whole=True),
    Column("region", drop_order=4),
    Column("cid", style="id", drop_order=2, min_width=32, whole=True),
    Column("cid expected", drop_order=1),
    Column("reading"),
    Column("open alerts", right=True, min_width=11),
    Column("quota left", right=True, drop_order=3, min_width=10),
    Column("quota", right=True, drop_order=5, min_width=5),
    Column("error"),
)
_CHILD_COLUMNS = (
    Column("child", wrap=True, min_width=16),
    Column("cid", style="id", min_width=32),
    Column("status", drop_order=1),
    Column("customer", min_width=20, whole=True),
    Column(""),
)


class CustomersDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/customers/1"):
    """`falcon-bulk/customers/1`: a file each or, for `customers check`, a file and what the login showed.

    children_without_file: of the logins to Flight Control's children that were checked.
    """

    customers: list[dict[str, object]]
    children_without_file: list[dict[str, str]] | UnsetType = UNSET


class ChildrenDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/children/1"):
    """`falcon-bulk/children/1`: the children of a parent's login."""

    children: list[dict[str, object]]


def customer_files_report(files: Sequence[CustomerFile]) -> Report:
    """Return the report on customer files: a row for each, and below them a line for each with problems."""
    rows = [(*_file_cells(file), len(file.problems) or None) for file in files]
    exact = [(*_file_cells(file), " ".join(file.problems)) for file in files]
    problems = [f"{file.customer}: {' '.join(file.problems)}" for file in files if file.problems]
    sheet = Sheet("", _FILE_COLUMNS, rows, problems, csv_sheet=Sheet("", _FILE_COLUMNS, exact))
    return Report(
        lambda: [sheet],
        lambda: CustomersDocument(list(map(msgspec.structs.asdict, files))),
        exit_code=exit_code_of(files),
    )


def children_report(children: Sequence[ChildFile]) -> Report:
    """Return the report on the children of a login: a row for each."""
    return Report(
        lambda: [children_sheet(children)],
        lambda: ChildrenDocument(
            [
                {**msgspec.structs.asdict(child.child), "customers": list(child.customers), "added": child.added}
                for child in children
            ]
        ),
    )


def children_sheet(children: Sequence[ChildFile], *, numbered: bool = False) -> Sheet:
    """Return a row for each child. numbered: those without a file have a number in front."""
    numbers = iter(range(1, len(children) + 1))
    rows = [
        (
            child.child.name,
            child.child.cid,
            child.child.status,
            ", ".join(child.customers),
            "added" if child.added else "",
        )
        for child in children
    ]
    if not numbered:
        return Sheet("", _CHILD_COLUMNS, rows)
    in_front = [None if child.customers else next(numbers) for child in children]
    columns = (Column("", right=True, min_width=3), *_CHILD_COLUMNS)
    return Sheet("", columns, [(number, *row) for number, row in zip(in_front, rows, strict=True)])


def customer_checks_report(
    checks: Sequence[CustomerCheck], notes: Sequence[str] = (), children_without_file: Sequence[Child] = ()
) -> Report:
    """Return the report on logins to customers: a row for each, and below them the errors and the notes."""
    columns, rows = _CHECK_COLUMNS, list(map(_check_cells, checks))
    errors = [f"{check.file.customer}: {error}" for check in checks if (error := _error(check))]
    exact = [(*row, _error(check)) for row, check in zip(rows, checks, strict=True)]
    sheet = Sheet("", columns[:-1], rows, [*errors, *notes], csv_sheet=Sheet("", columns, exact))
    children = [{"cid": child.cid, "name": child.name} for child in children_without_file]
    return Report(
        lambda: [sheet],
        lambda: CustomersDocument(list(map(_check_entry, checks)), children),
        exit_code=exit_code_of(checks),
    )


def _check_entry(check: CustomerCheck) -> dict[str, object]:
    entry = msgspec.structs.asdict(check)
    file: CustomerFile = entry.pop("file")
    return msgspec.structs.asdict(file) | entry


def _file_cells(file: CustomerFile) -> Row:
    return (
        file.customer,
        file.region,
        ", ".join(file.cids),
        file.operator,
        ", ".join(file.tags),
        file.file,
    )


def _check_cells(check: CustomerCheck) -> Row:
    return (
        check.file.customer,
        check.file.region,
        check.cid,
        _yes_no(check.cid_expected),
        "works" if check.reading else "fails",
        check.open_alerts,
        check.quota_remaining,
        check.quota_limit,
    )


def _error(check: CustomerCheck) -> str:
    return f"{check.error.message} {check.error.hint}".rstrip() if check.error else ""


def _yes_no(value: bool | None) -> Cell:
    return {True: "yes", False: "no", None: "not known"}[value]
