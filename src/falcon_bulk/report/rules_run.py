"""What a run of closing rules does by each rule: in its result, its preview and across customers."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from falcon_bulk.model.closing_rule import RuleResult, RuleState
from falcon_bulk.model.plural import counted
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

_ID = Column("rule", min_width=12, wrap=True)
_STATE = Column("state", min_width=9)
_ALWAYS_SHOWN = (RuleState.INVALID, RuleState.SUSPENDED, RuleState.DUE)


class RuleRunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did by one rule, in `rules` of `falcon-bulk/run/1`. Numbers are alerts."""

    id: str
    state: str
    fits: int
    closes: int
    closed: int
    held: dict[str, int]
    differs: int
    outliers: int
    surge: bool
    suspended_by: tuple[str, ...]
    would_have_closed: int


def rule_run_documents(results: Iterable[RuleResult]) -> list[RuleRunDocument]:
    """Return what a run did by each rule."""
    return [msgspec.convert(rule, RuleRunDocument, from_attributes=True) for rule in results]


def rules_run_sheet(results: Sequence[RuleResult], *, dry: bool) -> Sheet:
    """Return a row for each rule that has anything to tell. dry: whether nothing was sent."""
    columns = (
        _ID,
        _STATE,
        Column("fits", right=True),
        Column("would close" if dry else "closed", right=True, min_width=11),
        Column("held", right=True),
        Column("why held", wrap=True, min_width=16),
    )
    shown = [rule for rule in results if rule.fits or rule.would_have_closed or rule.state in _ALWAYS_SHOWN]
    rows: list[Row] = [
        (
            rule.id,
            str(rule.state),
            rule.fits,
            rule.closes if dry else rule.closed,
            sum(rule.held.values()),
            ", ".join(f"{reason} {format_cell(number)}" for reason, number in rule.held.items()),
        )
        for rule in shown
    ]
    silent = len(results) - len(shown)
    notes = [f"{format_cell(silent)} of {format_cell(len(results))} rules match no alert."] if silent else []
    return Sheet("Rules" if results else "", columns if rows else (), rows, [*notes, *_rule_notes(results)])


def rules_across_sheet(results: Iterable[RuleResult], *, dry: bool) -> Sheet:
    """Return a row for each rule over several customers: those that somebody has to look at first.

    results: of all customers. dry: whether nothing was sent.
    """
    together: dict[str, RuleResult] = {}
    for result in results:
        other = together.get(result.id)
        together[result.id] = result if other is None else _added(other, result)
    ordered = sorted(together.values(), key=lambda rule: (not _needs_a_look(rule), -rule.closed, -rule.closes, rule.id))
    sheet = rules_run_sheet(ordered, dry=dry)
    return Sheet(
        sheet.title, sheet.columns, sheet.rows, sheet.notes[:1] if len(ordered) > len(list(sheet.rows)) else ()
    )


def _needs_a_look(rule: RuleResult) -> bool:
    return bool(rule.surge or rule.state in _ALWAYS_SHOWN or rule.differs or rule.outliers)


def _added(result: RuleResult, other: RuleResult) -> RuleResult:
    """Return what a rule did at two customers together."""
    reasons = dict.fromkeys((*result.held, *other.held))
    return RuleResult(
        id=result.id,
        state=result.state,
        fits=result.fits + other.fits,
        closes=result.closes + other.closes,
        closed=result.closed + other.closed,
        held={reason: result.held.get(reason, 0) + other.held.get(reason, 0) for reason in reasons},
        surge=result.surge or other.surge,
        suspended_by=result.suspended_by,
        would_have_closed=result.would_have_closed + other.would_have_closed,
    )


def _rule_notes(results: Iterable[RuleResult]) -> Iterator[str]:
    for rule in results:
        if rule.would_have_closed:
            yield f"{rule.id} is {rule.state}: it would have closed {format_cell(rule.would_have_closed)}."
        for other, number in rule.overlaps.items():
            fit = "fits" if number == 1 else "fit"
            yield f"{counted(number, 'alert')} of {rule.id} {fit} {other} too, which comes first."
        if rule.outlier_check and rule.closes:
            yield f"{rule.id} closes without an outlier check: {rule.outlier_check}."
        for reason, ids in rule.named.items():
            yield from (f"{rule.id}, {reason}: {composite_id}" for composite_id in ids)
