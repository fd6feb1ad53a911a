"""What a plan would do, counted: shown before every change and in every dry run."""

import msgspec

from falcon_bulk.model.closing_rule import RuleResult
from falcon_bulk.model.hash_summary import HashCount
from falcon_bulk.model.indicator import HashOutcome
from falcon_bulk.model.outliers import OutlierReport
from falcon_bulk.model.run import NamedItem


class TopValues(msgspec.Struct, frozen=True, kw_only=True):
    """The most frequent values of one property of the planned alerts, with their numbers.

    others: how many further distinct values there are.
    """

    title: str
    counts: tuple[tuple[str, int], ...]
    others: int = 0


class ActionCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the planned alerts get an action."""

    name: str
    value: str
    alerts: int


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in numbers. selected = planned + sum(skipped) + sum(held).

    skipped: by reason (`already`, `closed`, `duplicate`, `not_found`); held: by guardrail.
    actions: what each item gets, as text; warnings: what the analyst should know before confirming.
    effects: the actions of the planned alerts but for comments; closed: how many of these alerts are closed now.
    oldest and newest: created_timestamp of the planned alerts, '' if there are none. hashes: the outcome of each hash
    of an indicator plan; hash_counts: the alerts of those hashes that have some. outliers: of alerts selected by hash,
    those unlike the others. items: those given by name and not planned. incomplete: why the data was not whole.
    rules: what each closing rule does, in a run of rules.
    """

    selected: int
    planned: int
    skipped: dict[str, int]
    held: dict[str, int]
    samples: tuple[TopValues, ...]
    oldest: str
    newest: str
    actions: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    effects: tuple[ActionCount, ...] = ()
    closed: int = 0
    hashes: tuple[HashOutcome, ...] = ()
    hash_counts: tuple[HashCount, ...] = ()
    outliers: OutlierReport | None = None
    items: tuple[NamedItem, ...] = ()
    incomplete: tuple[str, ...] = ()
    rules: tuple[RuleResult, ...] = ()
