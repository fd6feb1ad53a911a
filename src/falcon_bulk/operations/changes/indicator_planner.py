"""Planning allow-list indicators: every hash is looked up first, and nothing that is there is ever overwritten."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from falcon_bulk.errors import Refused
from falcon_bulk.model.alert import text
from falcon_bulk.model.indicator import HashOutcome, Indicator, IndicatorSpec, PlannedIndicator
from falcon_bulk.model.plan import Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import Outcome

MAX_NAMED = 20
SKIPPED, HELD = "skipped", "held"

CLOSES_NOTHING = "This closes no alert: `falcon-bulk close-hash` does."
HASH_ONLY = (
    "It suppresses what Falcon decides by the hash (custom indicators, machine learning), not by behaviour (IOA)."
)
UNBOUNDED_WARNING = (
    "Global and without an end, this is a hole: whoever gets this file to run, on any host, at any time, passes. "
    "Rather give it an end (--expires) or host groups (--host-group)."
)


class IndicatorReader(Protocol):
    """The half of `falcon.indicators.Indicators` that a plan needs."""

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]: ...
    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]: ...


class IndicatorSink(Protocol):
    """Where a plan about indicators goes: nowhere, or the journal."""

    def add_indicator(
        self, planned: PlannedIndicator, outcome: Outcome = Outcome.NOT_SENT, reason: str = ""
    ) -> None: ...


class Decision(NamedTuple):
    """What is done about a hash: an outcome, the word it is counted under (none where it is planned), and why."""

    outcome: str
    word: str
    reason: str


def plan_creation(
    indicators: IndicatorReader, hashes: Sequence[str], allowance: IndicatorSpec, sink: IndicatorSink
) -> Preview:
    """Look the hashes up and plan an indicator for each that has none.

    Raises Refused, naming them, if any of them has an indicator that detects or prevents.
    """
    found = indicators.find(hashes)
    _check_none_blocks(found)
    decisions = {digest: decide_hash(found.get(digest, ()), allowance) for digest in hashes}
    for digest, decision in decisions.items():
        if decision.outcome == Outcome.NOT_SENT:
            sink.add_indicator(PlannedIndicator(sha256=digest))
    ends = allowance.expiration
    return _preview(
        decisions,
        found,
        sent=(
            "action: allow",
            f"platforms: {', '.join(allowance.platforms)}",
            f"host groups: {', '.join(allowance.host_groups)}"
            if allowance.host_groups
            else "host groups: all, globally",
            f"expires: {ends}" if ends else "expires: never",
            f"description: {allowance.description}",
        ),
        warnings=(CLOSES_NOTHING, HASH_ONLY, *([] if ends or allowance.host_groups else [UNBOUNDED_WARNING])),
    )


def decide_hash(existing: Sequence[Indicator], wanted: IndicatorSpec) -> Decision:
    """What is done about a hash, from the indicators it has: one is created only where there is none."""
    allowing = [one for one in existing if one.allows]
    for one in allowing:
        if not one.lacks(wanted):
            return Decision(SKIPPED, "already", f"already: {one.words}")
    if allowing:
        return Decision(HELD, "narrower", f"allowed already, {'; '.join(allowing[0].lacks(wanted))}")
    if existing:
        return Decision(HELD, "no-action", f"has an indicator already: {existing[0].words}")
    return Decision(Outcome.NOT_SENT, "", "")


def plan_removal(
    indicators: IndicatorReader, made: Sequence[PlannedIndicator], former: Plan, sink: IndicatorSink
) -> Preview:
    """Plan the deletion of what a run made. One that somebody changed since goes into the plan as drifted."""
    now = indicators.by_id([row.indicator_id for row in made])
    decisions: dict[str, Decision] = {}
    for row in made:
        if (seen := now.get(row.indicator_id)) is None:
            decisions[row.sha256] = Decision(SKIPPED, "not_found", "its indicator is gone")
            continue
        drift = drift_since_run(row, former, seen)
        outcome = Outcome.DRIFTED if drift else Outcome.NOT_SENT
        sink.add_indicator(
            PlannedIndicator(sha256=row.sha256, indicator_id=row.indicator_id, before=seen), outcome, "; ".join(drift)
        )
        decisions[row.sha256] = Decision(outcome, "", "; ".join(drift))
    drifted = sum(decision.outcome == Outcome.DRIFTED for decision in decisions.values())
    left = f"{drifted:,} of these indicators were changed by someone since and will be left alone."
    return _preview(
        decisions,
        {one.sha256: (one,) for one in now.values()},
        sent=("deletes the indicators",),
        warnings=("From then on Falcon detects and prevents these files again.", *([left] if drifted else [])),
    )


def drift_since_run(row: PlannedIndicator, former: Plan, seen: Indicator) -> tuple[str, ...]:
    """What somebody changed of an indicator since a run made it, in words.

    Where the run could not read it back, what it was told to make is what counts.
    """
    if seen.sha256 != row.sha256 or former.marker not in text(seen.description):
        return ("it does not bear the run's mark any more",)
    if row.before is not None:
        return row.before.drift_to(seen)
    as_made = former.allowance is not None and seen.is_as_wanted(former.allowance)
    return () if as_made else ("it is not what the run was told to make",)


def _check_none_blocks(found: dict[str, tuple[Indicator, ...]]) -> None:
    blocking = [(digest, one) for digest, ones in found.items() for one in ones if one.blocks]
    if not blocking:
        return
    named = [f"{digest} ({one.words}, id {text(one.id)})" for digest, one in blocking[:MAX_NAMED]]
    more = f" and {len(blocking) - MAX_NAMED:,} more" if len(blocking) > MAX_NAMED else ""
    raise Refused(
        f"Indicators that detect or prevent are there already: {', '.join(named)}{more}. Nothing was sent.",
        "Somebody decided against these files: settle that first, or leave them out.",
    )


def _preview(
    decisions: dict[str, Decision],
    found: dict[str, tuple[Indicator, ...]],
    *,
    sent: tuple[str, ...],
    warnings: tuple[str, ...],
) -> Preview:
    def counted(outcome: str) -> dict[str, int]:
        return dict(Counter(one.word for one in decisions.values() if one.outcome == outcome))

    skipped, held = counted(SKIPPED), counted(HELD)
    return Preview(
        selected=len(decisions),
        planned=len(decisions) - sum(skipped.values()) - sum(held.values()),
        skipped=skipped,
        held=held,
        samples=(),
        oldest="",
        newest="",
        sent=sent,
        warnings=warnings,
        hashes=tuple(
            HashOutcome(
                sha256=digest,
                outcome=one.outcome,
                reason=one.reason,
                indicator_id=text(found[digest][0].id) if digest in found else "",
            )
            for digest, one in decisions.items()
        ),
    )
