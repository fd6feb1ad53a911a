"""Count the alerts of a group by profile: by the normalized values of the compared fields.

Memory does not grow with the number of alerts, and the result does not depend on their order.
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
"""A field with more values than this in a group is dropped there: it varies too much to be compared."""

Profile = tuple[str, ...]


class ComparedValues(msgspec.Struct, frozen=True, order=True, gc=False):
    """The compared values of an alert as Falcon sent them, cut to MAX_LENGTH."""

    user: str
    sid: str
    filename: str
    path: str
    parent: str
    disposition: str
    disposition_description: str
    tactic: str
    cmdline: str

    @property
    def folder(self) -> str:
        """The folder of the path without its volume and its last separator."""
        path = strip_volume(self.path)
        end = folder_length(path)
        return path[: end - 1] if end > 1 else path[:end]


class ComparedField(NamedTuple):
    """A compared field, and a function that returns its value for display.

    phrase: a template that describes an alert by its value. needs_majority: a value is usual only if more than half
    of the alerts have it.
    """

    name: str
    phrase: str
    value: Callable[[ComparedValues], str]
    needs_majority: bool = False


COMPARED_FIELDS = (
    ComparedField("user", "run by {}", lambda values: values.user or values.sid, needs_majority=True),
    ComparedField("kind of account", "run by {}", lambda values: values.user or values.sid, needs_majority=True),
    ComparedField("file name", "named {}", lambda values: values.filename),
    ComparedField("folder", "in {}", lambda values: values.folder),
    ComparedField("parent", "under {}", lambda values: values.parent),
    ComparedField(
        "disposition", "with the disposition “{}”", lambda values: values.disposition_description or values.disposition
    ),
    ComparedField("tactic", "with the tactic {}", lambda values: values.tactic),
    ComparedField("command line", "with the command line {}", lambda values: values.cmdline),
)


def compared_values(alert: Alert) -> ComparedValues:
    """Return the compared values of an alert; '' for what it does not have."""
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
    """Return the normalized values of COMPARED_FIELDS, in their order; '' for what the alert does not have.

    The kind of account is compared only where a program ran; a login, for example, has none.
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
    except TypeError:  # a list where there should be text cannot be cached
        return _profile.__wrapped__(*values)


def profile_of_values(values: ComparedValues) -> Profile:
    """Return the profile of an alert of which only the compared values are known."""
    sid = values.sid if values.sid in BUILT_IN_SIDS else ""
    return _profile(
        values.user,
        sid,
        values.filename,
        values.path,
        values.parent,
        values.disposition,
        values.disposition_description,
        values.tactic,
        mask_numbers(values.cmdline),
    )


# Typed because 0 == False, and only the first is a number.
@lru_cache(maxsize=4_096, typed=True)
def _profile(*values: Any) -> Profile:
    user, sid, filename, path, parent, disposition, description, tactic, cmdline = map(_cut, values)
    return (
        normalize_user(user, sid),
        account_kind(user, sid) if filename or cmdline else "",
        normalize_file_name(filename),
        normalize_folder(path),
        normalize_file_name(parent),
        normalize_disposition(disposition, description),
        normalize_tactic(tactic),
        normalize_arguments(cmdline, filename),
    )


class ExampleAlert(msgspec.Struct, frozen=True, order=True, gc=False):
    """What is kept of an alert to show it as an example. Older alerts sort first."""

    created: str
    composite_id: str
    host: str
    values: ComparedValues


class ProfileCount:
    """The number of alerts of one profile, and the oldest of them."""

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

    def add_known(self, values: ComparedValues) -> None:
        """Count an alert of which only the compared values are known; it is the example if there is no other."""
        self.alerts += 1
        if not self.oldest:
            self.oldest.append(ExampleAlert("", "", "", values))

    def merge(self, other: "ProfileCount") -> None:
        """Add the alerts of another profile."""
        self.alerts += other.alerts
        self.oldest = sorted([*self.oldest, *other.oldest])[:MAX_EXAMPLES]


class GroupProfiles:
    """The profiles of a group, without the fields that were dropped because they vary.

    fields: the numbers of the remaining fields; a profile in `profiles` has a value for each of them.
    """

    __slots__ = ("_kept", "_values", "fields", "profiles")

    def __init__(self) -> None:
        self.profiles: dict[Profile, ProfileCount] = {}
        self.fields = tuple(range(len(COMPARED_FIELDS)))
        self._kept: tuple[bool, ...] = ()
        self._values: dict[int, set[str]] = {}

    def add(self, full: Profile, alert: Alert, *, may_grow: bool) -> bool:
        """Count an alert of the profile `full`, which has all fields.

        may_grow: whether a new profile may be added. Returns False if one is needed and may not be added.
        """
        profile = self.reduced(full)
        if (count := self.profiles.get(profile)) is None:
            if not may_grow:
                return False
            count = self.profiles[profile] = ProfileCount()
        count.add(alert)
        self._note_new(full, count)
        return True

    def add_known(self, values: ComparedValues) -> None:
        """Count an alert of which only the compared values are known."""
        full = profile_of_values(values)
        profile = self.reduced(full)
        count = self.profiles.get(profile) or self.profiles.setdefault(profile, ProfileCount())
        count.add_known(values)
        self._note_new(full, count)

    def reduced(self, full: Profile) -> Profile:
        """Return a profile of all fields without those that were dropped."""
        return tuple(compress(full, self._kept)) if self._kept else full

    def value_counts(self, position: int) -> Counter[str]:
        """Count the alerts by their value of the field at `position` of `fields`; those that have none do not count."""
        counts: Counter[str] = Counter()
        for profile, count in self.profiles.items():
            if profile[position]:
                counts[profile[position]] += count.alerts
        return counts

    def _note_new(self, full: Profile, count: ProfileCount) -> None:
        if count.alerts == 1 and (self._values or len(self.profiles) > MAX_VALUES):
            self._note_values(full)

    def _note_values(self, full: Profile) -> None:
        if not self._values:
            self._values = {
                field: {profile[position] for profile in self.profiles} - {""}
                for position, field in enumerate(self.fields)
            }
        for field in self.fields:
            if full[field]:
                self._values[field].add(full[field])
                if len(self._values[field]) > MAX_VALUES:
                    self._drop_field(field)

    def _drop_field(self, field: int) -> None:
        position = self.fields.index(field)
        self.fields = self.fields[:position] + self.fields[position + 1 :]
        self._kept = tuple(number in self.fields for number in range(len(COMPARED_FIELDS)))
        del self._values[field]
        before, self.profiles = self.profiles, {}
        for profile, count in before.items():
            shorter = profile[:position] + profile[position + 1 :]
            if (existing := self.profiles.get(shorter)) is not None:
                existing.merge(count)
            else:
                self.profiles[shorter] = count
