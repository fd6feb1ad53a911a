"""Alerts by what is compared of them, counted as they come: a group keeps a number for each profile it has seen.

What is kept does not grow with the number of alerts, and does not depend on their order.
"""

from bisect import insort
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

import msgspec

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.operations.outliers.normalization import (
    BUILT_IN_SIDS,
    MAX_LENGTH,
    account_kind,
    folder_length,
    mask_numbers,
    normalize_arguments,
    normalize_disposition,
    normalize_file_name,
    normalize_folder,
    normalize_tactic,
    normalize_user,
    strip_volume,
)

MAX_EXAMPLES = 10
MAX_VALUES = 13
"""A field with more values than these in a group is given up there: it cannot be steady any more."""

Profile = tuple[str, ...]


class ComparedValues(msgspec.Struct, frozen=True, order=True, gc=False):
    """What an alert says of how it came about: the values as they stand in it, but for very long ones."""

    user: str
    sid: str
    filename: str
    path: str
    parent: str
    disposition: str
    disposition_in_words: str
    tactic: str
    cmdline: str

    @property
    def folder(self) -> str:
        """The folder of the path without its volume and its last separator."""
        path = strip_volume(self.path)
        end = folder_length(path)
        return path[: end - 1] if end > 1 else path[:end]


class ComparedField(NamedTuple):
    """A field of the profile: what of an alert's looks is shown, how a difference in it is put into words.

    alone: only one value of it can be usual in a group.
    """

    name: str
    value: Callable[[ComparedValues], str]
    words: str
    alone: bool = False


COMPARED_FIELDS = (
    ComparedField("user", lambda looks: looks.user or looks.sid, "run by {}", alone=True),
    ComparedField("kind of account", lambda looks: looks.user or looks.sid, "run by {}", alone=True),
    ComparedField("file name", lambda looks: looks.filename, "named {}"),
    ComparedField("folder", lambda looks: looks.folder, "in {}"),
    ComparedField("parent", lambda looks: looks.parent, "under {}"),
    ComparedField(
        "disposition", lambda looks: looks.disposition_in_words or looks.disposition, "with the disposition “{}”"
    ),
    ComparedField("tactic", lambda looks: looks.tactic, "with the tactic {}"),
    ComparedField("command line", lambda looks: looks.cmdline, "with the command line {}"),
)


def compared_values(alert: Alert) -> ComparedValues:
    """What an alert says; '' for what it does not."""
    return ComparedValues(
        _cut(alert.user_name),
        _cut(alert.user_id),
        _cut(alert.filename),
        _cut(alert.filepath),
        _cut(alert.parent_details.filename) if alert.parent_details else "",
        _cut(alert.pattern_disposition),
        _cut(alert.pattern_disposition_description),
        _cut(alert.tactic),
        _cut(alert.cmdline),
    )


def _cut(value: object) -> str:
    return value[:MAX_LENGTH] if isinstance(value, str) else text(value)


def alert_profile(alert: Alert) -> Profile:
    """The shapes of an alert's FIELDS, in their order; '' for what it does not have.

    The kind of account says who runs a program; at a login, say, there is none.
    """
    parent, sid = alert.parent_details, _cut(alert.user_id)
    values = (
        alert.user_name,
        sid if sid in BUILT_IN_SIDS else "",
        alert.filename,
        _cut(alert.filepath),
        parent.filename if parent else None,
        alert.pattern_disposition,
        alert.pattern_disposition_description,
        alert.tactic,
        mask_numbers(_cut(alert.cmdline)),
    )
    try:
        return _profile(*values)
    except TypeError:  # A list where there should be a text.
        return _profile.__wrapped__(*values)


# Typed, since 0 and False are equal and only one of them is a number.
@lru_cache(maxsize=4_096, typed=True)
def _profile(*values: Any) -> Profile:
    user, sid, filename, path, parent, disposition, in_words, tactic, line = map(_cut, values)
    return (
        normalize_user(user, sid),
        account_kind(user, sid) if filename or line else "",
        normalize_file_name(filename),
        normalize_folder(path),
        normalize_file_name(parent),
        normalize_disposition(disposition, in_words),
        normalize_tactic(tactic),
        normalize_arguments(line, filename),
    )


class ExampleAlert(msgspec.Struct, frozen=True, order=True, gc=False):
    """An alert as it is remembered. The older comes first."""

    created: str
    composite_id: str
    host: str
    looks: ComparedValues


class ProfileCount:
    """Alerts of one profile: how many, and the oldest of them."""

    __slots__ = ("alerts", "oldest")

    def __init__(self) -> None:
        self.alerts = 0
        self.oldest: list[ExampleAlert] = []

    def add(self, alert: Alert) -> None:
        """Count an alert."""
        self.alerts += 1
        created = text(alert.created_timestamp)
        if len(self.oldest) < MAX_EXAMPLES or created <= self.oldest[-1].created:
            insort(self.oldest, ExampleAlert(created, alert.composite_id, alert.host, compared_values(alert)))
            del self.oldest[MAX_EXAMPLES:]

    def join(self, other: "ProfileCount") -> None:
        """Count the alerts of another profile too."""
        self.alerts += other.alerts
        self.oldest = sorted([*self.oldest, *other.oldest])[:MAX_EXAMPLES]


class GroupProfiles:
    """The profiles of a group, without the fields that were given up.

    fields: the numbers of those that are left; a profile in `same` has a shape for each of them.
    """

    __slots__ = ("_kept", "_values", "fields", "same")

    def __init__(self) -> None:
        self.same: dict[Profile, ProfileCount] = {}
        self.fields = tuple(range(len(COMPARED_FIELDS)))
        self._kept: tuple[bool, ...] = ()
        self._values: dict[int, set[str]] = {}

    def add(self, full: Profile, alert: Alert, *, may_grow: bool) -> bool:
        """Count an alert; False if it would need a new profile and may not have one."""
        key = tuple(compress(full, self._kept)) if self._kept else full
        if (same := self.same.get(key)) is None:
            if not may_grow:
                return False
            same = self.same[key] = ProfileCount()
        same.add(alert)
        if same.alerts == 1 and (self._values or len(self.same) > MAX_VALUES):
            self._note_values(full)
        return True

    def counts(self, position: int) -> Counter[str]:
        """The alerts by the shape of the field at that position of `fields`, without those that have none."""
        counts: Counter[str] = Counter()
        for key, same in self.same.items():
            if key[position]:
                counts[key[position]] += same.alerts
        return counts

    def _note_values(self, full: Profile) -> None:
        if not self._values:
            self._values = {field: {key[at] for key in self.same} - {""} for at, field in enumerate(self.fields)}
        for field in self.fields:
            if full[field]:
                self._values[field].add(full[field])
                if len(self._values[field]) > MAX_VALUES:
                    self._give_up(field)

    def _give_up(self, field: int) -> None:
        position = self.fields.index(field)
        self.fields = self.fields[:position] + self.fields[position + 1 :]
        self._kept = tuple(number in self.fields for number in range(len(COMPARED_FIELDS)))
        del self._values[field]
        before, self.same = self.same, {}
        for key, same in before.items():
            shorter = key[:position] + key[position + 1 :]
            if (known := self.same.get(shorter)) is not None:
                known.join(same)
            else:
                self.same[shorter] = same
