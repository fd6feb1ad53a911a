"""Closing rules: approved, owned, expiring decisions to close what matches, as the rule files have them."""

from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from falcon_bulk.model.vocabulary import Resolution

RULES_FORMAT = "falcon-bulk/rules/1"
DEFAULT_MAX_PER_RUN = 500
DEFAULT_MAX_LIFE = 180
"""Days from `reviewed` to `expires` at most, if the policy of the file says nothing."""
DUE_DAYS = 14
"""A rule that ends within so many days is due: somebody has to decide again."""


HOLD_REASONS = ("closed-before", "suspended", "differs", "surge", "outlier")
"""Why rules hold an alert that they match, besides guardrails, in the order in which it is asked."""


class RuleState(StrEnum):
    """What a rule may do today, in the order in which the states are asked: the first that holds counts."""

    INVALID = "invalid"
    REVOKED = "revoked"
    EXPIRED = "expired"
    STARTS = "starts"
    SUSPENDED = "suspended"
    DUE = "due"
    LIVE = "live"

    @property
    def is_active(self) -> bool:
        """Whether alerts are selected for the rule: it is valid, has begun, and has neither ended nor been revoked."""
        return self in (RuleState.SUSPENDED, RuleState.DUE, RuleState.LIVE)


class RuleMatch(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts a rule is about. AND between the fields, OR within one; an empty field asks nothing."""

    sha256: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    pattern_id: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    type: tuple[str, ...] = ()


class RuleExpect(msgspec.Struct, frozen=True, kw_only=True):
    """The circumstances that were approved. AND between the fields, OR within one; an empty field asks nothing.

    All are globs but max_severity, the name of the worst severity that may be closed.
    """

    path: tuple[str, ...] = ()
    filename: tuple[str, ...] = ()
    cmdline: tuple[str, ...] = ()
    parent: tuple[str, ...] = ()
    parent_cmdline: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    tactic: tuple[str, ...] = ()
    technique: tuple[str, ...] = ()
    disposition: tuple[str, ...] = ()
    max_severity: str = ""


class RuleClose(msgspec.Struct, frozen=True, kw_only=True):
    """How a rule closes. overrides: the guardrails that do not hold its alerts."""

    resolution: Resolution = Resolution.FALSE_POSITIVE
    max_per_run: int = DEFAULT_MAX_PER_RUN
    overrides: tuple[str, ...] = ()


class RuleProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a rule file. rule: its id, '' where it concerns the file. fatal: False for a mere note."""

    path: str
    line: int
    rule: str
    message: str
    fatal: bool = True


class ClosingRule(msgspec.Struct, frozen=True, kw_only=True):
    """A closing rule. expires is its last day (UTC); revoked: since when it has been taken back.

    path, line: where it is written. file: the number of its file, in the order of reading.
    """

    id: str
    title: str
    owner: str
    reviewer: str
    ticket: str
    why: str
    reviewed: date
    expires: date
    starts: date | None = None
    revoked: date | None = None
    customers: tuple[str, ...]
    reviewed_alerts: frozenset[str] = frozenset()
    match: RuleMatch
    expect: RuleExpect
    close: RuleClose
    path: Path
    line: int = 0

    def state_on(self, today: date, *, suspended: bool = False) -> RuleState:
        """Return the state of a valid rule. today: in UTC. suspended: whether a true positive contradicts it."""
        if self.revoked is not None:
            return RuleState.REVOKED
        if today > self.expires:
            return RuleState.EXPIRED
        if self.starts is not None and today < self.starts:
            return RuleState.STARTS
        if suspended:
            return RuleState.SUSPENDED
        return RuleState.DUE if self.expires - today <= timedelta(days=DUE_DAYS) else RuleState.LIVE

    def concerns(self, customer: str, tags: frozenset[str]) -> bool:
        """Return whether the rule is for a customer, by its name or one of its tags; an exclusion always wins."""
        names = {"*", customer.casefold(), *(f"tag:{tag.casefold()}" for tag in tags)}
        listed = [entry.casefold() for entry in self.customers]
        if any(entry.startswith("!") and entry[1:] in names for entry in listed):
            return False
        return any(entry in names for entry in listed)


class InvalidRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that cannot be used, as far as it could be read. id: '' where it has none."""

    id: str
    owner: str = ""
    ticket: str = ""
    customers: tuple[str, ...] = ()
    expires: date | None = None
    path: Path
    line: int


class RuleFile(msgspec.Struct, frozen=True, kw_only=True):
    """A rule file. sha256: of its bytes. clean_git: whether its policy takes it only as committed at HEAD.

    commit: the commit that HEAD names, '' outside git; uncommitted: why the file is not as committed, '' if it is.
    max_life: days from `reviewed` to `expires` that its policy allows.
    """

    path: Path
    sha256: str
    rules: tuple[ClosingRule, ...] = ()
    invalid: tuple[InvalidRule, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    clean_git: bool = False
    max_life: int = DEFAULT_MAX_LIFE
    commit: str = ""
    uncommitted: str = ""


class RuleFileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A rule file as a run used it: its path, the SHA-256 of its bytes, and the commit, '' outside git."""

    path: str
    sha256: str
    commit: str = ""


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did by one rule at one customer.

    fits: alerts of the asked statuses that its match fits. closes: those that it is the first to close; closed: those
    that it closed. held: alerts that it matches and that are held, by reason. suspended_by: composite ids of the true
    positives that contradict it. would_have_closed: of a rule that has ended, is revoked or has not begun.
    used: alerts that it fits wholly, also where another rule came first. values: for each field, how many of these
    alerts each value of its list fitted. overlaps: the rules that came first, with the number of alerts.
    named: of those held as `differs` or `outlier`, the first composite ids. outlier_check: why the outlier check could
    not judge what it closes, '' if it could.
    """

    id: str
    state: RuleState
    fits: int = 0
    closes: int = 0
    closed: int = 0
    held: dict[str, int] = {}
    surge: bool = False
    suspended_by: tuple[str, ...] = ()
    would_have_closed: int = 0
    used: int = 0
    values: dict[str, dict[str, int]] = {}
    overlaps: dict[str, int] = {}
    named: dict[str, tuple[str, ...]] = {}
    outlier_check: str = ""

    @property
    def differs(self) -> int:
        """The alerts that were held because they differ from what the rule expects."""
        return self.held.get("differs", 0)

    @property
    def outliers(self) -> int:
        """The alerts that were held as outliers."""
        return self.held.get("outlier", 0)


class ListedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as lists show it, valid or not, also in `falcon-bulk/rules/1`."""

    id: str
    state: RuleState
    title: str = ""
    owner: str = ""
    reviewer: str = ""
    ticket: str = ""
    customers: tuple[str, ...] = ()
    reviewed: date | None = None
    starts: date | None = None
    expires: date | None = None
    revoked: date | None = None
    suspended_by: tuple[str, ...] = ()
    path: str = msgspec.field(name="file")
    line: int


class RuleTest(msgspec.Struct, frozen=True, kw_only=True):
    """A rule held against the alerts of a customer, also in `falcon-bulk/rules-test/1`.

    fits: alerts that its match fits; would_close: those that it would have closed when they were new; held: those that
    a guardrail would have held; differs: those that fit no more than its match, with the first of their composite ids.
    by_resolution: of the alerts that fit wholly. true_positives: those that contradict it.
    """

    id: str
    state: RuleState
    fits: int = 0
    would_close: int = 0
    held: dict[str, int] = {}
    differs: int = 0
    differing: tuple[str, ...] = ()
    by_resolution: dict[str, int] = {}
    true_positives: tuple[str, ...] = ()
