"""Read SHA256 hashes from a file: text, a table or JSON, as tools and publications write them."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.hash_json import entries_of_json
from falcon_bulk.operations.inputs.hash_labels import pair_of, says_hash, says_sha256, value_of_type
from falcon_bulk.operations.inputs.hash_text import LONE_HASH, Entry, entries_of_text, hashes_in
from falcon_bulk.operations.inputs.input_files import Table, check_text, is_json, parse_json, read_table, text_lines

MAX_BYTES = 128 * 2**20
MAX_HASHES = 100_000
MAX_ERRORS_SHOWN = 5
"""Bad lines quoted in the message; further ones are counted."""
# Columns of alerts, which may have no hash.
_ALERT_COLUMNS = frozenset({"compositeid", "aggregateid", "severityname", "createdtimestamp", "devicehostname"})


class HashList(NamedTuple):
    """The hashes of a file in its order, in lower case, including repetitions, and how many entries were left out."""

    hashes: tuple[str, ...]
    left_out: int = 0


def read_hashes(data: bytes, name: str) -> tuple[str, ...]:
    """Return the hashes of a file in which every entry is a SHA256; see `read_hash_list`."""
    return read_hash_list(data, name).hashes


def read_hash_list(data: bytes, name: str, *, only_sha256: bool = False) -> HashList:
    """Return the SHA256 hashes of the file `name`, from places that say that they are a file's own.

    Text: a hash per line or several; `#` starts a comment. CSV: the column that says SHA256 or hash, or a pair of
    type and value. JSON or JSON lines: strings, API answers, MISP events, STIX bundles, the document of `hash-summary`.
    only_sha256: leave out and count entries without one.
    Raises UsageProblem, which quotes the first bad entries, if an entry has none or there is no hash at all.
    """
    if len(data) > MAX_BYTES:
        raise UsageProblem(f"{name} is larger than {MAX_BYTES // 2**20} MiB.", "Split it into several files.")
    found: list[str] = []
    known: dict[str, str] = {}
    bad: list[str] = []
    left_out = 0
    for entry in _entries(data, name):
        for digest in entry.hashes:
            found.append(known.setdefault(digest, digest))
        if len(known) > MAX_HASHES:
            raise UsageProblem(f"{name} contains more than {MAX_HASHES:,} hashes.", "Split it into several files.")
        if entry.problem:
            left_out += 1
            bad += [f"{entry.where}: {entry.problem}"] if len(bad) < MAX_ERRORS_SHOWN else []
    if bad and not only_sha256:
        more = f"; and {left_out - MAX_ERRORS_SHOWN:,} more" if left_out > MAX_ERRORS_SHOWN else ""
        raise UsageProblem(
            f"{name} has entries that are not SHA256 hashes: {'; '.join(bad)}{more}.",
            "Add --only-sha256 to leave them out. A SHA256 has 64 hex digits; in CSV its column is named sha256."
            if found
            else "Falcon alerts are selected by SHA256: 64 hex digits; in CSV the column is named sha256 or hash.",
        )
    if not found:
        raise UsageProblem(f"{name} contains no SHA256.", "List SHA256 hashes as text, CSV or JSON.")
    return HashList(tuple(found), left_out)


def _entries(data: bytes, name: str) -> Iterator[Entry]:
    check_text(data, name, "SHA256 hashes")
    if is_json(data):
        yield from entries_of_json(parse_json(data, name))
        return
    lines = partial(text_lines, data)
    table = read_table(lines, name, _has_hashes)
    yield from _entries_of_table(table) if table is not None else entries_of_text(lines())


def _has_hashes(header: list[str]) -> bool:
    return any(says_sha256(column) or says_hash(column) for column in header) or (
        len(header) > 1 and pair_of(header) is not None
    )


def _entries_of_table(table: Table) -> Iterator[Entry]:
    header = table.header
    columns = [number for number, column in enumerate(header) if says_sha256(column)]
    columns.sort(key=lambda number: header[number] != "sha256")
    pair = pair_of(header) if not columns else None
    if not columns and pair is None:
        columns = [number for number, column in enumerate(header) if says_hash(column)]
    of_alerts = not _ALERT_COLUMNS.isdisjoint(header)
    for line, cells in table.rows:
        where = f"line {line}"
        if pair is not None:
            kind, value = (cells[number] if number < len(cells) else "" for number in pair)
            digest = value_of_type(kind, value)
            yield Entry(where, *_cell(digest)) if digest else Entry(where, (), f"{kind[:40]!r}, not a SHA256")
            continue
        cell = next((cells[number] for number in columns if number < len(cells) and cells[number]), "")
        if cell or not of_alerts:
            yield Entry(where, *_cell(cell))


def _cell(cell: str) -> tuple[tuple[str, ...], str]:
    """Return the hash that a cell is, quotes aside; a cell with other text around it is none."""
    if LONE_HASH.fullmatch(cell):
        return (cell.lower(),), ""
    bare = cell.strip("'\"` ")
    hashes, problem = hashes_in(bare)
    if hashes and (len(hashes) > 1 or len(bare) != len(hashes[0])):
        return (), "more than a SHA256 in the cell"
    return hashes, problem
