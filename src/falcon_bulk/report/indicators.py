"""What allow-hash and its undo show: the plan, the outcome of each hash, and what the indicators look like."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from falcon_bulk.model.indicator import HashOutcome, IndicatorSpec
from falcon_bulk.model.plan import IndicatorPlan
from falcon_bulk.model.plural import counted
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import IndicatorRunResult, Outcome
from falcon_bulk.report.count_rows import count_columns
from falcon_bulk.report.facts import FACT_COLUMNS
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell, hash_column

INDICATOR_COLUMNS = count_columns("indicators")
MAX_HASHES = 50
_NOTES = (
    "This closes no alert: `falcon-bulk close-hash` does.",
    "It suppresses what Falcon decides by the hash (custom indicators, machine learning), not by behaviour (IOA).",
)

_HASH_COLUMNS = (
    hash_column("sha256"),
    Column("outcome", min_width=8),
    Column("reason", wrap=True, drop_order=1, min_width=20),
    Column("indicator", drop_order=2, min_width=12),
)
_REASONS = {
    "already": "the same or a wider scope is allowed",
    "not_found": "its indicator is gone",
    "narrower": "allowed in a narrower scope; change that indicator in the console",
    "no-action": "an indicator without an action is there, expired perhaps; delete it first",
}


class IndicatorDocument(msgspec.Struct, frozen=True):
    """What the indicators of a run look like, in JSON."""

    action: str
    platforms: tuple[str, ...]
    applied_globally: bool
    host_groups: tuple[str, ...]
    expiration: str | None
    description: str


class HashDocument(msgspec.Struct, frozen=True):
    """The outcome of a hash, in JSON."""

    sha256: str
    outcome: str
    reason: str
    indicator_id: str | None


class Verb(NamedTuple):
    """What a run does to indicators: `create` and `created`, or `delete` and `deleted`."""

    infinitive: str
    participle: str


def verb_of(undo: bool) -> Verb:
    """Return what a run does to indicators. undo: whether it is the undo of another."""
    return Verb("delete", "deleted") if undo else Verb("create", "created")


def indicator_preview_sheets(plan: IndicatorPlan, preview: Preview, title: str) -> list[Sheet]:
    """Return the plan for a person to confirm: each hash in full, with what its alerts say about it."""
    rows = [*_facts(plan, preview), *_hash_rows(plan, preview)]
    return [Sheet(title, FACT_COLUMNS, rows, [] if plan.undoes else _NOTES, preview.warnings)]


def _hash_rows(plan: IndicatorPlan, preview: Preview) -> Iterator[Row]:
    """Yield two rows for each hash: the hash, and its outcome with its alerts, hosts, file names and resolutions."""
    names = {Outcome.NOT_SENT: f"to {verb_of(bool(plan.undoes)).infinitive}"}
    counts = {count.sha256: count for count in preview.hash_counts}
    for item in preview.hashes[:MAX_HASHES]:
        yield "hash", item.sha256
        described = [_name(item.outcome, names) + (f" ({item.reason})" if item.reason else "")]
        if count := counts.get(item.sha256):
            described.append(f"{counted(count.alerts, 'alert')} on {counted(count.hosts, 'host')}")
            described.append(", ".join(count.filenames) or "no file name")
            given = [f"{resolution} {format_cell(number)}" for resolution, number in count.by_resolution.items()]
            described.append(f"resolved {', '.join(given)}" if given else "never resolved")
        elif not plan.undoes:
            described.append("no alerts known")
        yield "", "; ".join(described)
    if (rest := len(preview.hashes) - MAX_HASHES) > 0:
        yield "", f"and {format_cell(rest)} more hashes"


def result_hashes_sheet(result: IndicatorRunResult, limit: int | None = None) -> Sheet:
    """Return the outcome of each hash of a run, of at most `limit`."""
    names = {Outcome.CHANGED: verb_of(result.command == "undo").participle, Outcome.NOT_SENT: "not sent"}
    return _hashes_sheet(result.hashes, names, limit)


def skipped_and_held_hashes(skipped: dict[str, int], held: dict[str, int]) -> Iterator[tuple[int, str, str]]:
    """Yield a row for each reason to skip or hold hashes."""
    for outcome, counts in (("skipped", skipped), ("held", held)):
        for reason, number in counts.items():
            yield number, f"{outcome}: {reason}", _REASONS.get(reason, "")


def indicator_document(spec: IndicatorSpec) -> IndicatorDocument:
    """Return what the indicators of a run look like, for JSON."""
    return IndicatorDocument(
        "allow", spec.platforms, not spec.host_groups, spec.host_groups, spec.expiration or None, spec.description
    )


def hash_documents(result: IndicatorRunResult) -> list[HashDocument]:
    """Return the outcome of each hash, for JSON."""
    names = {Outcome.CHANGED: verb_of(result.command == "undo").participle}
    return [
        HashDocument(item.sha256, _name(item.outcome, names), item.reason, item.indicator_id or None)
        for item in result.hashes
    ]


def _hashes_sheet(hashes: Iterable[HashOutcome], names: Mapping[Outcome, str], limit: int | None) -> Sheet:
    """Return a row for each hash, of at most `limit`. names: how outcomes are called."""
    rows = [(item.sha256, _name(item.outcome, names), item.reason, item.indicator_id) for item in hashes]
    notes = [f"and {format_cell(len(rows) - limit)} more"] if limit is not None and len(rows) > limit else []
    return Sheet("", _HASH_COLUMNS, rows[:limit], notes)


def _name(outcome: str, names: Mapping[Outcome, str]) -> str:
    return next((name for known, name in names.items() if known == outcome), outcome)


def _facts(plan: IndicatorPlan, preview: Preview) -> Iterator[Row]:
    yield "tenant", f"{plan.cid} at {plan.cloud}"
    if plan.undoes:
        yield "undoes", plan.undoes
        yield "comment", plan.comment
    for line in preview.actions:
        field, _, value = line.partition(": ")
        yield (field, value) if value else ("sends", field)
    for number, outcome, reason in skipped_and_held_hashes(preview.skipped, preview.held):
        yield outcome, f"{counted(number, 'hash', 'hashes')}: {reason}"
    yield "operator", plan.operator
    yield "run", plan.run_id
