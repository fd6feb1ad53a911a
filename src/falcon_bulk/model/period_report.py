"""The result of report: what came in at a customer in a period, what became of it, and what runs did there."""

from enum import StrEnum

import msgspec


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A span of time; until is exclusive. Both in UTC, RFC 3339."""

    since: str
    until: str


class ClosedAs(msgspec.Struct, frozen=True, kw_only=True):
    """Closed alerts by resolution. none: without one."""

    false_positive: int = 0
    true_positive: int = 0
    ignored: int = 0
    none: int = 0

    @property
    def total(self) -> int:
        """The number of closed alerts."""
        return self.false_positive + self.true_positive + self.ignored + self.none


class FrequentValue(msgspec.Struct, frozen=True, kw_only=True):
    """An alert name or a host, and what became of its alerts: alerts = open + the closed ones."""

    value: str
    alerts: int
    open: int
    closed_as: ClosedAs


class FrequentHash(msgspec.Struct, frozen=True, kw_only=True):
    """A SHA256 that is the alerts' own, and what became of them. filename: the most frequent one, '' if not known."""

    sha256: str
    filename: str
    alerts: int
    open: int
    closed_as: ClosedAs


class Proposal(StrEnum):
    """What to do about alerts that recur."""

    CLOSING_RULE = "closing_rule"
    """All that were decided were false positives or ignored."""
    NARROW_RULE = "narrow_rule"
    """As closing_rule, but the file runs other people's code: a rule for its hash would close too much."""
    FIND_CAUSE = "find_cause"
    """All that were decided were true positives."""
    REVIEW = "review"
    """Some were true positives, others were not."""
    DECIDE = "decide"
    """Too few were decided to tell."""


class Recurring(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one hash, or of one name where they have no hash, that came on several days.

    sha256, filename: '' for alerts without one. days, hosts: how many.
    """

    sha256: str
    filename: str
    name: str
    alerts: int
    days: int
    hosts: int
    open: int
    closed_as: ClosedAs
    proposal: Proposal


class OpenByAge(msgspec.Struct, frozen=True, kw_only=True):
    """Open alerts by the time since they were created."""

    under_1_day: int = 0
    under_7_days: int = 0
    under_30_days: int = 0
    older: int = 0


class StillOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts that are not closed. oldest: created_timestamp, None if there are none."""

    alerts: int
    oldest: str | None
    by_age: OpenByAge


class RuleClosings(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that runs of a closing rule closed. reason, expires: as the rule has them, '' if not known."""

    rule: str
    closed: int
    reason: str = ""
    expires: str = ""


class ReportedRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that began in the period. operator: '' unless operators are to be named."""

    run_id: str
    started: str
    command: str
    planned: int
    changed: int
    operator: str = ""


class OwnWork(msgspec.Struct, frozen=True, kw_only=True):
    """What runs did in a period, by the journals of one machine, whenever the alerts were created.

    runs: how many began. closed, undone: different alerts that runs closed, and that undos changed back.
    journals: the CIDs whose journals were read; machine: where they are.
    """

    runs: int = 0
    closed: int = 0
    undone: int = 0
    journals: tuple[str, ...] = ()
    machine: str = ""


class JournalPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the journals have of a period. held: different alerts by the guardrail that held them."""

    ours: OwnWork = OwnWork()
    held: dict[str, int] = {}
    by_rule: tuple[RuleClosings, ...] = ()
    runs: tuple[ReportedRun, ...] = ()


class FalsePositiveRate(msgspec.Struct, frozen=True, kw_only=True):
    """False positives as a share of those closed as false or true positives; rate is None if there are neither."""

    false_positive: int
    true_positive: int
    rate: float | None

    @classmethod
    def of(cls, closed_as: ClosedAs) -> "FalsePositiveRate":
        """Return the rate among closed alerts."""
        decided = closed_as.false_positive + closed_as.true_positive
        return cls(
            false_positive=closed_as.false_positive,
            true_positive=closed_as.true_positive,
            rate=round(closed_as.false_positive / decided, 4) if decided else None,
        )


class ResolutionSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """Falcon's time to resolution of closed alerts, in seconds; None if no alert has one. alerts: how many have one."""

    median: float | None
    p90: float | None
    alerts: int


class PeriodCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts that were created in a period, as they are now. `''` counts alerts without a value.

    by_resolution: of the closed ones. names, hosts, hashes, recurring: the most frequent ones.
    """

    created: int
    by_severity: dict[str, int]
    by_product: dict[str, int]
    by_day: dict[str, int]
    by_status: dict[str, int]
    by_resolution: ClosedAs
    open: StillOpen
    false_positive_rate: FalsePositiveRate
    resolution_seconds: ResolutionSeconds
    names: tuple[FrequentValue, ...]
    hosts: tuple[FrequentValue, ...]
    hashes: tuple[FrequentHash, ...]
    recurring: tuple[Recurring, ...]


class PeriodReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer is told about a period. as_of: when the alerts were read (UTC, RFC 3339)."""

    customer: str
    period: Period
    as_of: str
    counts: PeriodCounts
    journal: JournalPart
