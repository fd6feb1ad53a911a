"""Plans allow-list indicators: every hash is looked up first, and nothing that is there is ever overwritten."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from falcon_bulk.errors import FalconAnswer, MissingScope, Refused
from falcon_bulk.model.alert import CountedAlert, text
from falcon_bulk.model.hash_summary import HashCount
from falcon_bulk.model.indicator import HashOutcome, Indicator, IndicatorSpec
from falcon_bulk.model.plan import IndicatorPlan, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import NamedItem, Outcome
from falcon_bulk.model.vocabulary import Resolution
from falcon_bulk.operations.changes.interpreters import is_interpreter
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.counting.hash_summary import summarize_hashes
from falcon_bulk.operations.reading.by_hash import read_by_hashes
from falcon_bulk.operations.reading.read_all import AlertReader
from falcon_bulk.operations.reading.read_progress import ReadProgress

MAX_NAMED = 20
MAX_WARNINGS = 4

UNBOUNDED_WARNING = (
    "Global and without an end, this is a hole: whoever gets this file to run, on any host, at any time, passes. "
    "Rather give it an end (--expires) or host groups (--host-group)."
)


class IndicatorReader(Protocol):
    """The part of `falcon.indicators.Indicators` that a plan needs."""

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]: ...
    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]: ...


class Decision(NamedTuple):
    """What is done about a hash: its outcome, the reason it is counted under ('' where it is planned), and details."""

    outcome: Outcome
    reason: str = ""
    details: str = ""


def plan_creation(indicators: IndicatorReader, hashes: Sequence[str], spec: IndicatorSpec, sink: PlanSink) -> Preview:
    """Look the hashes up, plan an indicator for each that has none, and return the plan counted.

    Raises Refused, naming them, if any of them has an indicator that detects or prevents.
    """
    found = indicators.find(hashes)
    _check_none_blocks(found)
    decisions = {digest: decide_hash(found.get(digest, ()), spec) for digest in hashes}
    for digest, decision in decisions.items():
        if decision.outcome == Outcome.NOT_SENT:
            sink.add(PlannedItem(digest, None))
        else:
            sink.leave(digest, decision.outcome, decision.reason)
    ends = spec.expiration
    where = ", ".join(spec.host_groups) or "all, globally"
    return _preview(
        decisions,
        found,
        actions=(
            "action: allow",
            f"platforms: {', '.join(spec.platforms)}",
            f"host groups: {where}",
            f"expires: {ends or 'never'}",
            f"description: {spec.description}",
        ),
        warnings=() if ends or spec.host_groups else (UNBOUNDED_WARNING,),
    )


def add_alerts_of_hashes(
    preview: Preview, alerts: AlertReader, hashes: Sequence[str], progress: ReadProgress, readers: int
) -> Preview:
    """Return the preview with the alerts of each hash counted, and warnings of what speaks against allowing them."""
    try:
        pages = read_by_hashes(alerts, "", hashes, progress, CountedAlert, readers=readers)
        summary = summarize_hashes(pages, customer="", generated_at="", selection="")
    except (FalconAnswer, MissingScope) as error:
        warning = f"What alerts these hashes have is not known: {error.message}"
        return msgspec.structs.replace(preview, warnings=(warning, *preview.warnings))
    wanted = frozenset(hashes)
    counts = tuple(count for count in summary.hashes if count.sha256 in wanted)
    warnings = tuple(warning for count in counts for warning in _hash_warnings(count))
    shown = warnings[:MAX_WARNINGS]
    if rest := len(warnings) - len(shown):
        shown += (f"{rest:,} more such warnings; see the hashes below.",)
    return msgspec.structs.replace(preview, hash_counts=counts, warnings=(*shown, *preview.warnings))


def _hash_warnings(count: HashCount) -> Iterator[str]:
    if names := [name for name in count.filenames if is_interpreter(name)]:
        yield f"{count.sha256} is that of {', '.join(names)}, an interpreter or system program: do not allow it."
    if confirmed := count.by_resolution.get(Resolution.TRUE_POSITIVE):
        yield f"{confirmed:,} alerts of {count.sha256} were resolved as true_positive here."


def decide_hash(existing: Sequence[Indicator], spec: IndicatorSpec) -> Decision:
    """Decide about a hash from the indicators it has: one is created only where there is none."""
    allowing = [indicator for indicator in existing if indicator.allows]
    for indicator in allowing:
        if not indicator.missing_scope(spec):
            return Decision(Outcome.SKIPPED, "already", f"already: {indicator.summary}")
    if allowing:
        return Decision(Outcome.HELD, "narrower", f"allowed already, {'; '.join(allowing[0].missing_scope(spec))}")
    if existing:
        return Decision(Outcome.HELD, "no-action", f"has an indicator already: {existing[0].summary}")
    return Decision(Outcome.NOT_SENT)


def plan_removal(
    indicators: IndicatorReader, created: Sequence[PlannedItem[Indicator]], former: IndicatorPlan, sink: PlanSink
) -> Preview:
    """Plan the deletion of what a run created. One that somebody changed since goes into the plan as drifted."""
    now = indicators.by_id([item.remote_id for item in created])
    decisions: dict[str, Decision] = {}
    for item in created:
        if (current := now.get(item.remote_id)) is None:
            decisions[item.item_id] = Decision(Outcome.SKIPPED, "not_found", "its indicator is gone")
            sink.leave(item.item_id, Outcome.SKIPPED, "not_found")
            continue
        drift = "; ".join(drift_since_run(item, former, current))
        outcome = Outcome.DRIFTED if drift else Outcome.NOT_SENT
        sink.add(PlannedItem(item.item_id, current, remote_id=item.remote_id), outcome, drift)
        decisions[item.item_id] = Decision(outcome, "", drift)
    drifted = sum(decision.outcome == Outcome.DRIFTED for decision in decisions.values())
    warning = f"{drifted:,} of these indicators were changed by someone since and will be left alone."
    return _preview(
        decisions,
        {indicator.sha256: (indicator,) for indicator in now.values()},
        actions=("deletes the indicators",),
        warnings=("From then on Falcon detects and prevents these files again.", *([warning] if drifted else [])),
    )


def drift_since_run(item: PlannedItem[Indicator], former: IndicatorPlan, current: Indicator) -> tuple[str, ...]:
    """Describe what somebody changed of an indicator since a run created it; empty if nothing.

    Where the run could not read it back, it is compared with what the run was told to create.
    """
    if current.sha256 != item.item_id or former.marker not in text(current.description):
        return ("it does not have the run's marker any more",)
    if item.before is not None:
        return item.before.drift_to(current)
    return () if current.matches(former.spec) else ("it is not what the run was told to create",)


def _check_none_blocks(found: dict[str, tuple[Indicator, ...]]) -> None:
    blocking = [
        (digest, indicator) for digest, indicators in found.items() for indicator in indicators if indicator.blocks
    ]
    if not blocking:
        return
    named = [f"{digest} ({indicator.summary}, id {text(indicator.id)})" for digest, indicator in blocking[:MAX_NAMED]]
    more = f" and {len(blocking) - MAX_NAMED:,} more" if len(blocking) > MAX_NAMED else ""
    raise Refused(
        f"Indicators that detect or prevent are there already: {', '.join(named)}{more}. Nothing was sent.",
        "Somebody decided against these files: resolve that first, or leave them out.",
    )


def _preview(
    decisions: dict[str, Decision],
    found: dict[str, tuple[Indicator, ...]],
    *,
    actions: tuple[str, ...],
    warnings: tuple[str, ...],
) -> Preview:
    def counted(outcome: Outcome) -> dict[str, int]:
        return dict(Counter(decision.reason for decision in decisions.values() if decision.outcome == outcome))

    skipped, held = counted(Outcome.SKIPPED), counted(Outcome.HELD)
    return Preview(
        selected=len(decisions),
        planned=len(decisions) - sum(skipped.values()) - sum(held.values()),
        skipped=skipped,
        held=held,
        samples=(),
        oldest="",
        newest="",
        actions=actions,
        warnings=warnings,
        hashes=tuple(
            HashOutcome(
                sha256=digest,
                outcome=decision.outcome,
                reason=decision.details,
                indicator_id=text(found[digest][0].id) if digest in found else "",
            )
            for digest, decision in decisions.items()
        ),
        items=tuple(
            NamedItem(sha256=digest, outcome=decision.outcome, reason=decision.reason)
            for digest, decision in decisions.items()
            if decision.outcome in (Outcome.SKIPPED, Outcome.HELD)
        ),
    )
