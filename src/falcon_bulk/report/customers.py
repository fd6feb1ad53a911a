"""What `customers` prints: the customers' files, and what a login with each of them showed."""

from collections.abc import Iterable
from typing import Any

from falcon_bulk.model.customer import CustomerCheck, CustomerFile
from falcon_bulk.report.error import customer_error_document
from falcon_bulk.report.sheet import Cell, Column, Row, Sheet

_FILE_COLUMNS = (
    Column("customer", least=16),
    Column("region", spare=2),
    Column("cids", spare=4, least=32),
    Column("operator", spare=3),
    Column("tags", spare=1),
    Column("file", spare=5, least=20),
    Column("problems", fold=True, least=24),
)
_CHECK_COLUMNS = (
    Column("customer", least=16),
    Column("region", spare=4),
    Column("cid", spare=3, least=32),
    Column("cid expected", spare=5, least=12),
    Column("reading"),
    Column("open alerts", right=True, least=11),
    Column("quota left", right=True, spare=1, least=10),
    Column("quota", right=True, spare=2, least=5),
    Column("error", fold=True, least=24),
)


def customer_files_sheet(files: Iterable[CustomerFile]) -> Sheet:
    """A line for each file."""
    return Sheet("", _FILE_COLUMNS, map(_file_cells, files))


def customer_checks_sheet(checks: Iterable[CustomerCheck]) -> Sheet:
    """A line for each customer."""
    return Sheet("", _CHECK_COLUMNS, map(_check_cells, checks))


def customer_files_document(files: Iterable[CustomerFile]) -> dict[str, Any]:
    """`falcon-bulk/customers/1` of `customers list` and `add`."""
    return {"schema": "falcon-bulk/customers/1", "customers": list(map(_file_entry, files))}


def customer_checks_document(checks: Iterable[CustomerCheck]) -> dict[str, Any]:
    """`falcon-bulk/customers/1` of `customers check`."""
    return {"schema": "falcon-bulk/customers/1", "customers": list(map(_check_entry, checks))}


def _file_entry(file: CustomerFile) -> dict[str, Any]:
    return {
        "customer": file.customer,
        "file": file.file,
        "region": file.region,
        "cids": list(file.cids),
        "operator": file.operator,
        "tags": list(file.tags),
        "problems": list(file.problems),
    }


def _check_entry(check: CustomerCheck) -> dict[str, Any]:
    return _file_entry(check.file) | {
        "cid": check.cid,
        "cid_expected": check.cid_expected,
        "open_alerts": check.open_alerts,
        "quota_limit": check.quota_limit,
        "quota_remaining": check.quota_remaining,
        "reading": check.reading,
        "exit_code": int(check.exit_code),
        "error": customer_error_document(check.error),
    }


def _file_cells(file: CustomerFile) -> Row:
    return (
        file.customer,
        file.region,
        ", ".join(file.cids),
        file.operator,
        ", ".join(file.tags),
        file.file,
        " ".join(file.problems),
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
        f"{check.error.message} {check.error.hint}".rstrip() if check.error else "",
    )


def _yes_no(value: bool | None) -> Cell:
    return {True: "yes", False: "no", None: "not known"}[value]
