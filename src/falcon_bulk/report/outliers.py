"""The report on outliers: which groups have alerts unlike the others, and these alerts."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from falcon_bulk.model.outliers import AlertGroup, GroupStatus, OutlierReason, OutlierReport
from falcon_bulk.model.plural import counted
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell, hash_column, host_column, id_column

_GROUP_COLUMNS = (
    Column("alerts", right=True),
    Column("outliers", right=True),
    Column("group", min_width=16),
    hash_column("sha256", drop_order=1),
    Column("how", wrap=True, min_width=24),
)
_OUTLIER_COLUMNS = (
    Column("created", style="time", drop_order=2, min_width=19),
    host_column("host", drop_order=1),
    Column("group", drop_order=3, min_width=12),
    Column("differs", wrap=True, min_width=32),
    id_column("composite_id", drop_order=4),
)
_DETAILS = "--details lists them."
_GROUPS_WITHOUT_OUTLIERS = {
    GroupStatus.UNIFORM: "uniform",
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
            (group,) = report.groups[:1]
            notes = _not_compared(report)
            if group.status is GroupStatus.INCONCLUSIVE:
                return [Sheet("Outliers", (), (), notes, [_warn_single(group)])]
            return [Sheet(f"Outliers: {_describe_single(group)}", (), (), notes)]
        return [Sheet("Outliers: none found", (), (), notes, _inconclusive(report))]
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
    return [Sheet(title, _GROUP_COLUMNS, group_rows, notes, _inconclusive(report)), outliers]


def outlier_findings(report: OutlierReport) -> tuple[str, list[str]]:
    """Return a line on the groups that compare well or not at all, and warnings of the others."""
    compared = sum(report.by_status.values())
    if not compared:
        return "", []
    with_outliers = [group for group in report.groups if group.outliers]
    if compared == 1:
        (group,) = report.groups[:1]
        if group.status in (GroupStatus.OUTLIERS, GroupStatus.INCONCLUSIVE):
            return "", [_warn_single(group)]
        return _describe_single(group), []
    found = report.by_status.get(GroupStatus.OUTLIERS, 0)
    warnings = [f"{format_cell(found)} of {format_cell(compared)} groups have outliers. {_DETAILS}"] if found else []
    warnings += [
        f"{format_cell(group.outliers)} of {format_cell(group.alerts)} alerts of {group.sha256 or group.name} are "
        f"unlike the others: {describe_reasons(group)}."
        for group in with_outliers[:1]
    ]
    warnings += _inconclusive(report)
    rest = [
        f"{format_cell(number)} {_GROUPS_WITHOUT_OUTLIERS[status]}"
        for status in (GroupStatus.UNIFORM, GroupStatus.TOO_SMALL)
        if (number := report.by_status.get(status, 0))
    ]
    return f"of {format_cell(compared)} groups {', '.join(rest)}" if rest else "", warnings


def _inconclusive(report: OutlierReport) -> list[str]:
    """Return a warning of the groups that cannot be compared: nothing found there does not mean nothing to find."""
    number = report.by_status.get(GroupStatus.INCONCLUSIVE, 0)
    compared = sum(report.by_status.values())
    text = (
        f"{format_cell(number)} of {format_cell(compared)} groups are too varied to compare: no outliers can be told "
        "there. Review them by hand."
    )
    return [text] if number else []


def _warn_single(group: AlertGroup) -> str:
    number = format_cell(group.alerts)
    if group.status is GroupStatus.OUTLIERS:
        found = f"{format_cell(group.outliers)} of {number} alerts"
        return f"{found} are unlike the others: {describe_reasons(group)}. {_DETAILS}"
    varied = ", ".join(group.varied_fields)
    return f"The {number} alerts are too varied to compare ({varied}): no outliers can be told. Review them by hand."


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
    """Describe the only group, which has no outliers and is not inconclusive."""
    if group.status is not GroupStatus.UNIFORM:
        return f"too few alerts to compare ({format_cell(group.alerts)})"
    varied = f"; not compared, because they vary: {', '.join(group.varied_fields)}" if group.varied_fields else ""
    return f"none in {format_cell(group.alerts)} alerts{varied}"


def _groups_without_outliers(report: OutlierReport) -> list[str]:
    counts = [
        f"{format_cell(number)} {description}"
        for status, description in _GROUPS_WITHOUT_OUTLIERS.items()
        if (number := report.by_status.get(status, 0))
    ]
    return [f"Other groups: {', '.join(counts)}."] if counts else []


def _not_compared(report: OutlierReport) -> list[str]:
    number = counted(report.not_compared, "alert")
    return [f"Not compared, because there are too many different ones: {number}."] if report.not_compared else []
