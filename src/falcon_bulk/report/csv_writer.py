"""Writes a sheet as CSV, for spreadsheets and scripts."""

import csv
from collections.abc import Iterable
from itertools import islice
from typing import TextIO

from falcon_bulk.report.sheet import Cell, Sheet
from falcon_bulk.textsafe import csv_cell


def write(sheets: Iterable[Sheet], stream: TextIO) -> None:
    """Write the first sheet, or its `csv_sheet`: header and rows, one by one, without title and notes.

    RFC 4180 with line feeds. Numbers are plain digits; text cannot run as a formula.
    """
    writer = csv.writer(stream, lineterminator="\n")
    for sheet in (first.csv_sheet or first for first in islice(sheets, 1)):
        writer.writerow(csv_cell(column.title) for column in sheet.columns)
        writer.writerows(map(_plain, row) for row in sheet.rows)


def _plain(cell: Cell) -> str | int | float | None:
    if isinstance(cell, str):
        return csv_cell(cell)
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell
