"""The report on outliers: which groups have alerts unlike the others, and these alerts."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from falcon_bulk.model.outliers import AlertGroup, GroupStatus, OutlierReason, OutlierReport
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

_GROUP_COLUMNS = (
    Column("alerts", right=True),
    Column("outliers", right=True),
    Column("group", min_width=16),
    Column("sha256", style="hash", drop_order=1, min_width=12),
    Column("how", wrap=True, min_width=24),
)
_OUTLIER_COLUMNS = (
    Column("created", style="time", drop_order=2, min_width=16),
    Column("host", drop_order=1, min_width=8),
    Column("group", drop_order=3, min_width=12),
    Column("differs", wrap=True, min_width=32),
    Column("composite_id", style="id", drop_order=4, min_width=16),
)
_GROUPS_WITHOUT_OUTLIERS = {
    GroupStatus.UNIFORM: "uniform",
    GroupStatus.INCONCLUSIVE: "inconclusive (too varied to compare; review manually)",
    GroupStatus.TOO_SMALL: "with too few alerts to compare",
}


def outlier_sheets(report: OutlierReport, groups: int, alerts: int) -> list[Sheet]:
    """Return a sheet of the groups that have outliers and one of the outliers; groups, alerts: limits.

    A single group gets only the second; without outliers there is one line.
    """
    with_outliers = [group for group in report.groups if group.outliers]
    notes = [*_groups_without_outliers(report), *_not_compared(report)]
    compared = sum(report.by_status.values())
    if not with_outliers:
        if compared == 1:
            return [Sheet(f"Outliers: {_describe_single(report.groups[0])}", (), (), _not_compared(report))]
        return [Sheet("Outliers: none found", (), (), notes)]
    number = report.by_status[GroupStatus.OUTLIERS]
    listed = with_outliers[:groups]
    if number > len(listed):
        notes.insert(0, f"Not shown: {format_cell(number - len(listed))} more groups with outliers.")
    rows = [row for group in listed for row in _outlier_rows(group, alerts)]
    rest = sum(group.outliers for group in listed) - len(rows)
    usual = [f"Usual of {group.name}: {_usual(group)}" for group in listed]
    more = [f"and {format_cell(rest)} more"] if rest else []
    outliers = Sheet("", _OUTLIER_COLUMNS, rows, [*more, *usual])
    if compared == 1:
        (group,) = listed
        numbers = f"{format_cell(group.outliers)} of {format_cell(group.alerts)} alerts"
        title = f"Outliers: {numbers}: {describe_reasons(group)}"
        return [replace(outliers, title=title, notes=[*more, *usual, *_not_compared(report)])]
    title = f"Outliers: in {format_cell(number)} of {format_cell(compared)} groups"
    group_rows = [(group.alerts, group.outliers, group.name, group.sha256, describe_reasons(group)) for group in listed]
    return [Sheet(title, _GROUP_COLUMNS, group_rows, notes), outliers]


def outlier_rows_sheet(report: OutlierReport) -> Sheet:
    """Return the listed outliers as one table."""
    rows = [
        (group.name, group.sha256, group.alerts, group.outliers, *row[:2], *row[3:])
        for group in report.groups
        for row in _outlier_rows(group, len(group.examples))
    ]
    columns = (*_OUTLIER_COLUMNS[:2], *_OUTLIER_COLUMNS[3:])
    return Sheet("", (*map(Column, ("group", "sha256", "alerts", "outliers")), *columns), rows)


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
    """A group of alerts, in JSON."""

    sha256: str | None
    name: str
    alerts: int
    status: GroupStatus
    outliers: int
    compared_fields: tuple[str, ...]
    varied_fields: tuple[str, ...]
    reasons: tuple[OutlierReason, ...]
    examples: tuple[OutlierDocument, ...]


class OutliersDocument(msgspec.Struct, frozen=True):
    """The value of `outliers` in the JSON of `summary` and of a dry run."""

    groups: tuple[GroupDocument, ...]
    by_status: dict[GroupStatus, int]
    not_compared: int


def outliers_document(report: OutlierReport) -> OutliersDocument:
    """Return a report for JSON."""
    return msgspec.convert(report, OutliersDocument, from_attributes=True)


def groups_with_outliers(report: OutlierReport) -> OutlierReport:
    """Return the report with only the groups that have outliers; the counts stay those of all groups."""
    return msgspec.structs.replace(report, groups=tuple(group for group in report.groups if group.outliers))


def describe_reasons(group: AlertGroup) -> str:
    """Describe how the outliers of a group differ, with numbers if there are several reasons."""
    reasons = [(reason.alerts, reason.description) for reason in group.reasons]
    if rest := group.outliers - sum(alerts for alerts, _ in reasons):
        reasons.append((rest, "in other ways"))
    if len(reasons) == 1:
        return reasons[0][1]
    return "; ".join(f"{format_cell(alerts)} {description}" for alerts, description in reasons)


def _outlier_rows(group: AlertGroup, limit: int) -> Iterator[Row]:
    for outlier in group.examples[:limit]:
        differs = ", ".join(difference.description for difference in outlier.differences)
        yield outlier.created, outlier.host, group.name, differs, outlier.composite_id


def _usual(group: AlertGroup) -> str:
    """Describe what most of the group have in the fields in which some differ."""
    usual = {difference.field: difference.usual for outlier in group.examples for difference in outlier.differences}
    return "; ".join(f"{field} {value}" for field, value in usual.items())


def _describe_single(group: AlertGroup) -> str:
    """Describe the only group, which has no outliers."""
    alerts, varied = f"{format_cell(group.alerts)} alerts", ", ".join(group.varied_fields)
    match group.status:
        case GroupStatus.UNIFORM:
            return f"none in {alerts}" + (f"; not compared, because they vary: {varied}" if varied else "")
        case GroupStatus.INCONCLUSIVE:
            return f"inconclusive: {alerts} are too varied to compare ({varied}); review manually"
        case _:
            return f"too few alerts to compare ({format_cell(group.alerts)})"


def _groups_without_outliers(report: OutlierReport) -> list[str]:
    counts = [
        f"{format_cell(number)} {description}"
        for status, description in _GROUPS_WITHOUT_OUTLIERS.items()
        if (number := report.by_status.get(status, 0))
    ]
    return [f"Other groups: {', '.join(counts)}."] if counts else []


def _not_compared(report: OutlierReport) -> list[str]:
    number = report.not_compared
    return [f"{format_cell(number)} alerts were not compared: too many different ones."] if number else []
