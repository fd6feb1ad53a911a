"""What a plan would do, counted: shown before every change and in every dry run."""

import msgspec

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


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in numbers. selected = planned + sum(skipped) + sum(held).

    skipped: by reason (`already`, `duplicate`, `not_found`); held: by guardrail.
    actions: what each item gets, as text; warnings: what the analyst should know before confirming.
    oldest and newest: created_timestamp of the planned alerts, '' if there are none. hashes: the outcome of each hash
    of an indicator plan. outliers: of alerts selected by hash, those unlike the others. items: those given by name
    and not planned. incomplete: why the data was not whole.
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
    hashes: tuple[HashOutcome, ...] = ()
    outliers: OutlierReport | None = None
    items: tuple[NamedItem, ...] = ()
    incomplete: tuple[str, ...] = ()
