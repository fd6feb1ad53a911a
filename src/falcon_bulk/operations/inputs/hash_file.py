"""Read SHA256 hashes from a file: text, a table or JSON, as tools and publications write them."""

from collections.abc import Iterator
from typing import IO, NamedTuple

from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.hashes import hint_for_other_hash
from falcon_bulk.operations.inputs.hash_json import entries_of_json
from falcon_bulk.operations.inputs.hash_labels import pair_of, says_hash, says_sha256, value_of_type
from falcon_bulk.operations.inputs.hash_text import SEARCHED_LENGTHS, Entry, Finding, entries_of_text, hash_of_value
from falcon_bulk.operations.inputs.input_json import is_json, json_values
from falcon_bulk.operations.inputs.input_table import Table, read_table
from falcon_bulk.operations.inputs.input_text import InputText

MAX_HASHES = 100_000
MAX_ERRORS_SHOWN = 5
"""Bad lines quoted in the message; further ones are counted."""
# Columns of alerts, which may have no hash.
_ALERT_COLUMNS = frozenset({"compositeid", "aggregateid", "severityname", "createdtimestamp", "devicehostname"})


class HashList(NamedTuple):
    """The hashes of a file in its order, in lower case, including repetitions, and how many entries were left out."""

    hashes: tuple[str, ...]
    left_out: int = 0


def read_hash_list(file: IO[bytes], name: str, *, only_sha256: bool = False) -> HashList:
    """Return the SHA256 hashes of the file `name`, from places that say that they are a file's own.

    Text: a hash per line or several; `#` starts a comment. CSV: the column that says SHA256 or hash, or a pair of
    type and value. JSON or JSON lines: strings, API answers, MISP events, STIX bundles, the document of `hash-summary`.
    only_sha256: leave out and count entries without one.
    Raises UsageProblem, which quotes the first bad entries, if an entry has none or there is no hash at all.
    """
    found: list[str] = []
    known: dict[str, str] = {}
    bad: list[str] = []
    left_out, other = 0, ""
    for entry in _entries(InputText(file, name, "SHA256 hashes")):
        for digest in entry.finding.hashes:
            found.append(known.setdefault(digest, digest))
        if len(known) > MAX_HASHES:
            raise UsageProblem(f"{name} contains more than {MAX_HASHES:,} hashes.", "Split it into several files.")
        if entry.finding.problem:
            left_out += 1
            other = other or entry.finding.other
            bad += [f"{entry.unit} {entry.number}: {entry.finding.problem}"] if len(bad) < MAX_ERRORS_SHOWN else []
    if bad and not only_sha256:
        more = f"; and {left_out - MAX_ERRORS_SHOWN:,} more" if left_out > MAX_ERRORS_SHOWN else ""
        raise UsageProblem(
            f"{name} has entries that are not SHA256 hashes: {'; '.join(bad)}{more}.", _hint(bool(found), other)
        )
    if not found:
        raise UsageProblem(f"{name} contains no SHA256.", "List SHA256 hashes as text, CSV or JSON.")
    return HashList(tuple(found), left_out)


def _hint(found: bool, other: str) -> str:
    """Return what to do with a file that has other entries. found: whether it has a SHA256; other: an MD5 or SHA1."""
    if found:
        hint = "Add --only-sha256 to leave them out. A SHA256 has 64 hex digits; in CSV its column is named sha256."
    else:
        hint = "Falcon alerts are selected by SHA256: 64 hex digits; in CSV the column is named sha256 or hash."
    return f"{hint} {hint_for_other_hash(other)}".rstrip()


def _entries(text: InputText) -> Iterator[Entry]:
    if is_json(text):
        return entries_of_json(json_values(text))
    table = read_table(text, _has_hashes)
    return entries_of_text(text.lines()) if table is None else _entries_of_table(table)


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
    for line in table.titles:
        yield Entry(line, Finding(problem="text above the table"))
    for row in table.rows:
        line, cells = row
        if table.has_extra_cells(row):
            yield Entry(line, Finding(problem="more cells than the header"))
        elif pair is not None:
            kind = cells[pair.kind] if pair.kind < len(cells) else ""
            value = cells[pair.value] if pair.value < len(cells) else ""
            if kind or value or not of_alerts:
                yield Entry(line, _of_pair(kind, value))
        else:
            cell = next((cells[number] for number in columns if number < len(cells) and cells[number]), "")
            if cell or not of_alerts:
                yield Entry(line, hash_of_value(cell))


def _of_pair(kind: str, value: str) -> Finding:
    if digest := value_of_type(kind, value):
        return hash_of_value(digest)
    return Finding(problem=f"{kind[:40]!r}, not a SHA256", other=value if len(value) in SEARCHED_LENGTHS else "")
