"""The report on outliers: which groups have alerts unlike the others, and these alerts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from falcon_bulk.model.outliers import AlertGroup, GroupStatus, OutlierReason, OutlierReport
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

_GROUP_COLUMNS = (
    Column("alerts", right=True),
    Column("differ", right=True),
    Column("group", min_width=16),
    Column("sha256", style="hash", drop_order=1, min_width=12),
    Column("how", wrap=True, min_width=24),
)
_FEW_COLUMNS = (
    Column("created", style="time", drop_order=2, min_width=16),
    Column("host", drop_order=1, min_width=8),
    Column("group", drop_order=3, min_width=12),
    Column("differs", wrap=True, min_width=32),
    Column("composite_id", style="id", drop_order=4, min_width=16),
)
_LIKENESSES = {
    GroupStatus.ALIKE: "all alike",
    GroupStatus.MIXED: "inconclusive (too varied to compare; review manually)",
    GroupStatus.SMALL: "too small to say what is usual",
}


def outlier_sheets(comparison: OutlierReport, groups: int, alerts: int) -> list[Sheet]:
    """Return a sheet of the groups that have outliers and one of the outliers; groups, alerts: limits.

    A single group gets only the second; without outliers there is one line.
    """
    differing = [group for group in comparison.groups if group.differ]
    notes = [*_others(comparison), *_left_out(comparison)]
    if not differing:
        alone = comparison.groups[0] if sum(comparison.by_likeness.values()) == 1 else None
        finding = _alone(alone) if alone is not None else "no alert stands out"
        return [Sheet(f"Alike or not: {finding}", (), (), notes if alone is None else ())]
    number = comparison.by_likeness[GroupStatus.DIFFER]
    listed = differing[:groups]
    if number > len(listed):
        notes.insert(0, f"Not shown: {format_cell(number - len(listed))} more groups that have alerts that differ.")
    few = [row for group in listed for row in _few(group, alerts)]
    rest = sum(group.differ for group in listed) - len(few)
    usual = [f"Usual of {group.name}: {_usual(group)}" for group in listed]
    outliers = Sheet("", _FEW_COLUMNS, few, [*([f"and {format_cell(rest)} more"] if rest else []), *usual])
    compared = sum(comparison.by_likeness.values())
    if compared == 1:
        (one,) = listed
        numbers = f"{format_cell(one.alerts - one.differ)} alike; {format_cell(one.differ)} differ"
        return [replace(outliers, title=f"Alike or not: {numbers}: {describe_differences(one)}")]
    title = f"Alike or not: in {format_cell(number)} of {format_cell(compared)} groups some alerts differ"
    rows = [(group.alerts, group.differ, group.name, group.sha256, describe_differences(group)) for group in listed]
    return [Sheet(title, _GROUP_COLUMNS, rows, notes), outliers]


def outlier_rows_sheet(comparison: OutlierReport) -> Sheet:
    """Return the listed outliers as one table."""
    rows = [
        (group.name, group.sha256, group.alerts, group.differ, *row[:2], *row[3:])
        for group in comparison.groups
        for row in _few(group, len(group.few))
    ]
    columns = (*_FEW_COLUMNS[:2], *_FEW_COLUMNS[3:])
    return Sheet("", (*map(Column, ("group", "sha256", "alerts", "differ")), *columns), rows)


class DifferenceDocument(msgspec.Struct, frozen=True):
    """A field in which an alert differs, in JSON."""

    field: str
    value: str
    usual: str


class OutlierDocument(msgspec.Struct, frozen=True):
    """An alert that differs from its group, in JSON."""

    composite_id: str
    created: str
    host: str
    differences: tuple[DifferenceDocument, ...]


class GroupDocument(msgspec.Struct, frozen=True):
    """A group of alerts, in JSON. alike: None if the group is mixed or small and thus not judged."""

    sha256: str | None
    name: str
    alerts: int
    differ: int
    likeness: GroupStatus
    steady: tuple[str, ...]
    varied: tuple[str, ...]
    reasons: tuple[OutlierReason, ...]
    few: tuple[OutlierDocument, ...]
    alike: int | None


def alike_documents(comparison: OutlierReport) -> tuple[GroupDocument, ...]:
    """Return all groups for JSON."""
    return tuple(map(_document, comparison.groups))


def outlier_fields(comparison: OutlierReport | None) -> dict[str, Any]:
    """Return the fields of `summary/1` on outliers: the groups that have some, groups by likeness, alerts left out."""
    if comparison is None:
        return {"outliers": msgspec.UNSET}
    return {
        "outliers": tuple(_document(group) for group in comparison.groups if group.differ),
        "outlier_groups": {str(likeness): comparison.by_likeness.get(likeness, 0) for likeness in GroupStatus},
        "not_compared": comparison.left_out,
    }


def describe_differences(group: AlertGroup) -> str:
    """Describe how the alerts of a group differ, with numbers if there are several ways."""
    ways = [(reason.alerts, reason.words) for reason in group.reasons]
    if rest := group.differ - sum(alerts for alerts, _ in ways):
        ways.append((rest, "in other ways"))
    return ways[0][1] if len(ways) == 1 else "; ".join(f"{format_cell(alerts)} {words}" for alerts, words in ways)


def _few(group: AlertGroup, alerts: int) -> Iterator[Row]:
    for odd in group.few[:alerts]:
        words = ", ".join(difference.words for difference in odd.differences)
        yield odd.created, odd.host, group.name, words, odd.composite_id


def _usual(group: AlertGroup) -> str:
    """Describe what most of the group have in the fields in which some differ."""
    usual = {difference.field: difference.usual for odd in group.few for difference in odd.differences}
    return "; ".join(f"{field} {value}" for field, value in usual.items())


def _alone(group: AlertGroup) -> str:
    match group.likeness:
        case GroupStatus.ALIKE:
            return f"all {format_cell(group.alerts)} alike" + (
                f", but for {', '.join(group.varied)}" if group.varied else ""
            )
        case GroupStatus.MIXED:
            return f"{format_cell(group.alerts)} alerts, mixed: {', '.join(group.varied)} vary, so nothing stands out"
        case _:
            return f"{format_cell(group.alerts)} alerts, too few to say what is usual"


def _others(comparison: OutlierReport) -> list[str]:
    """Count the groups without outliers."""
    counts = [
        f"{format_cell(number)} {words}"
        for likeness, words in _LIKENESSES.items()
        if (number := comparison.by_likeness.get(likeness, 0))
    ]
    return [f"Groups: {', '.join(counts)}."] if counts else []


def _left_out(comparison: OutlierReport) -> list[str]:
    number = comparison.left_out
    return [f"{format_cell(number)} alerts were not compared: there are too many different ones."] if number else []


def _document(group: AlertGroup) -> GroupDocument:
    judged = group.likeness in (GroupStatus.ALIKE, GroupStatus.DIFFER)
    few = tuple(
        OutlierDocument(
            odd.composite_id,
            odd.created,
            odd.host,
            tuple(DifferenceDocument(one.field, one.value, one.usual) for one in odd.differences),
        )
        for odd in group.few
    )
    changed = {"sha256": group.sha256 or None, "few": few, "alike": group.alerts - group.differ if judged else None}
    return GroupDocument(**msgspec.structs.asdict(group) | changed)
