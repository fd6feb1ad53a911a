"""What a plan would do, counted: shown before every change and in every dry run."""

import msgspec

from falcon_bulk.model.indicator import HashOutcome
from falcon_bulk.model.outliers import OutlierReport


class TopValues(msgspec.Struct, frozen=True, kw_only=True):
    """A few of the planned alerts, by one property: value and number, most frequent first."""

    title: str
    counts: tuple[tuple[str, int], ...]
    others: int = 0
    """How many further distinct values there are."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in numbers. selected = planned + sum(skipped) + sum(held).

    skipped: by reason (`already`, `duplicate`, `not_found`); held: by guard rail.
    sent: the actions in words; warnings: what the analyst should know before saying yes.
    oldest and newest: created_timestamp of the planned alerts, '' if there are none. hashes: for indicators, each
    hash by itself. alike: for alerts selected by hash, which of them differ from the others.
    """

    selected: int
    planned: int
    skipped: dict[str, int]
    held: dict[str, int]
    samples: tuple[TopValues, ...]
    oldest: str
    newest: str
    sent: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    hashes: tuple[HashOutcome, ...] = ()
    alike: OutlierReport | None = None
