"""What is said of alerts that were compared with their like: which groups have some that differ, and those few."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from falcon_bulk.model.outliers import Comparison, Group, Likeness
from falcon_bulk.report.sheet import Column, Row, Sheet, shown

_GROUP_COLUMNS = (
    Column("alerts", right=True),
    Column("differ", right=True),
    Column("group", least=16),
    Column("sha256", style="hash", spare=1, least=12),
    Column("how", fold=True, least=24),
)
_FEW_COLUMNS = (
    Column("created", style="time", spare=2, least=16),
    Column("host", spare=1, least=8),
    Column("group", spare=3, least=12),
    Column("differs", fold=True, least=32),
    Column("composite_id", style="id", spare=4, least=16),
)
_LIKENESSES = {
    Likeness.ALIKE: "all alike",
    Likeness.MIXED: "mixed (most fields vary, so nothing stands out)",
    Likeness.SMALL: "too small to say what is usual",
}


def alike_sheets(comparison: Comparison, groups: int, alerts: int) -> list[Sheet]:
    """The groups with alerts that differ, and these; at most so many groups, and alerts of each.

    Of a single group only the alerts, and a single line where none differs.
    """
    differing = [group for group in comparison.groups if group.differ]
    notes = [*_others(comparison), *_left_out(comparison)]
    if not differing:
        alone = comparison.groups[0] if sum(comparison.by_likeness.values()) == 1 else None
        said = _alone(alone) if alone is not None else "no alert stands out"
        return [Sheet(f"Alike or not: {said}", (), (), notes if alone is None else ())]
    number = comparison.by_likeness[Likeness.DIFFER]
    listed = differing[:groups]
    if number > len(listed):
        notes.insert(0, f"Not shown: {shown(number - len(listed))} more groups that have alerts that differ.")
    few = [row for group in listed for row in _few(group, alerts)]
    rest = sum(group.differ for group in listed) - len(few)
    usual = [f"Usual of {group.name}: {_usual(group)}" for group in listed]
    told = Sheet("", _FEW_COLUMNS, few, [*([f"and {shown(rest)} more"] if rest else []), *usual])
    compared = sum(comparison.by_likeness.values())
    if compared == 1:
        (one,) = listed
        said = f"{shown(one.alerts - one.differ)} alike; {shown(one.differ)} differ: {how(one)}"
        return [replace(told, title=f"Alike or not: {said}")]
    title = f"Alike or not: in {shown(number)} of {shown(compared)} groups some alerts differ"
    rows = [(group.alerts, group.differ, group.name, group.sha256, how(group)) for group in listed]
    return [Sheet(title, _GROUP_COLUMNS, rows, notes), told]


def odd_sheet(comparison: Comparison) -> Sheet:
    """The alerts that differ as one table, as far as they are listed."""
    rows = [
        (group.name, group.sha256, group.alerts, group.differ, *row[:2], *row[3:])
        for group in comparison.groups
        for row in _few(group, len(group.few))
    ]
    columns = (*_FEW_COLUMNS[:2], *_FEW_COLUMNS[3:])
    return Sheet("", (*map(Column, ("group", "sha256", "alerts", "differ")), *columns), rows)


def alike_documents(comparison: Comparison) -> list[dict[str, Any]]:
    """The groups as JSON has them."""
    return [_document(group) for group in comparison.groups]


def outliers_document(comparison: Comparison) -> dict[str, Any]:
    """The groups that have alerts that differ, how many groups there are of each likeness, what was left out."""
    return {
        "outliers": [_document(group) for group in comparison.groups if group.differ],
        "outlier_groups": {str(likeness): comparison.by_likeness.get(likeness, 0) for likeness in Likeness},
        "not_compared": comparison.left_out,
    }


def how(group: Group) -> str:
    """In which ways the alerts of a group differ, the numbers only where there are several."""
    said = [(reason.alerts, reason.words) for reason in group.reasons]
    if rest := group.differ - sum(alerts for alerts, _ in said):
        said.append((rest, "in other ways"))
    return said[0][1] if len(said) == 1 else "; ".join(f"{shown(alerts)} {words}" for alerts, words in said)


def _few(group: Group, alerts: int) -> Iterator[Row]:
    for odd in group.few[:alerts]:
        words = ", ".join(difference.words for difference in odd.differences)
        yield odd.created, odd.host, group.name, words, odd.composite_id


def _usual(group: Group) -> str:
    """What most of the group have in the fields in which some differ."""
    usual = {difference.field: difference.usual for odd in group.few for difference in odd.differences}
    return "; ".join(f"{field} {value}" for field, value in usual.items())


def _alone(group: Group) -> str:
    match group.likeness:
        case Likeness.ALIKE:
            return f"all {shown(group.alerts)} alike" + (f", but for {', '.join(group.varied)}" if group.varied else "")
        case Likeness.MIXED:
            return f"{shown(group.alerts)} alerts, mixed: {', '.join(group.varied)} vary, so nothing stands out"
        case _:
            return f"{shown(group.alerts)} alerts, too few to say what is usual"


def _others(comparison: Comparison) -> list[str]:
    """The groups without alerts that differ, counted."""
    said = [
        f"{shown(number)} {words}"
        for likeness, words in _LIKENESSES.items()
        if (number := comparison.by_likeness.get(likeness, 0))
    ]
    return [f"Groups: {', '.join(said)}."] if said else []


def _left_out(comparison: Comparison) -> list[str]:
    number = comparison.left_out
    return [f"{shown(number)} alerts were not compared: there are too many different ones."] if number else []


def _document(group: Group) -> dict[str, Any]:
    judged = group.likeness in (Likeness.ALIKE, Likeness.DIFFER)
    return {
        "sha256": group.sha256 or None,
        "name": group.name,
        "alerts": group.alerts,
        "likeness": str(group.likeness),
        "alike": group.alerts - group.differ if judged else None,
        "differ": group.differ,
        "steady": list(group.steady),
        "varied": list(group.varied),
        "reasons": [{"alerts": reason.alerts, "words": reason.words} for reason in group.reasons],
        "few": [
            {
                "composite_id": odd.composite_id,
                "created": odd.created,
                "host": odd.host,
                "differences": [
                    {"field": one.field, "value": one.value, "usual": one.usual} for one in odd.differences
                ],
            }
            for odd in group.few
        ],
    }
