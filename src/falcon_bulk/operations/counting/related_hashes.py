"""Counting the hashes that stand in alerts without being their own: of parents, quarantined and associated files."""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from typing import Any

from falcon_bulk.model.alert import BriefAlert
from falcon_bulk.model.hash_summary import RelatedHash
from falcon_bulk.model.hashes import HASH_FIELDS, RELATED_FIELDS, as_sha256, related_values

MAX_NAMES = 5
_MD5 = re.compile(r"[0-9a-f]{32}")
_NO_MD5 = "0" * 32
_PLACES = [(place.field, place.standings) for place in HASH_FIELDS if not place.own]


class _Hash:
    """What is known of a hash. files: how often a file stood beside it, by its name without its folder."""

    __slots__ = ("alerts", "fields", "files", "md5s")

    def __init__(self) -> None:
        self.alerts = 0
        self.fields: set[str] = set()
        self.md5s: set[str] = set()
        self.files: Counter[str] = Counter()

    @property
    def filenames(self) -> tuple[str, ...]:
        """The most frequent names of the file."""
        named = sorted((-times, name) for name, times in self.files.items() if name)
        return tuple(name for _, name in named[:MAX_NAMES])


class RelatedHashCounter:
    """The hashes in other places of the alerts read."""

    def __init__(self) -> None:
        self._hashes: defaultdict[str, _Hash] = defaultdict(_Hash)

    def add(self, alerts: Sequence[BriefAlert]) -> None:
        """Count alerts. Most have in these places what others have, and are counted together with them."""
        bearers = list(map(related_values, alerts))
        try:
            alike = dict(zip(bearers, alerts, strict=True))
        except TypeError:  # a document has a list or an object where a text should be
            for alert, found in zip(alerts, bearers, strict=True):
                self._add(alert, found, 1)
        else:
            for found, times in Counter(bearers).items():
                if any(found):
                    self._add(alike[found], found, times)

    def _add(self, alert: BriefAlert, bearers: Iterable[Any], times: int) -> None:
        """Count an alert that stands for so many; a hash in several places of it counts once."""
        counted: set[str] = set()
        for (field, standings), bearer in zip(_PLACES, bearers, strict=True):
            for value, md5, file in standings(alert, bearer) if bearer else ():
                if not (digest := as_sha256(value)):
                    continue
                one = self._hashes[digest]
                one.fields.add(field)
                if isinstance(md5, str):
                    one.md5s.add(md5)
                if isinstance(file, str):
                    one.files[file.replace("\\", "/").rpartition("/")[2]] += times
                if digest not in counted:
                    counted.add(digest)
                    one.alerts += times

    def fields_of(self, sha256: str) -> tuple[str, ...]:
        """The other places in which a hash stood, in the order of the table."""
        one = self._hashes.get(sha256)
        return tuple(field for field in RELATED_FIELDS if field in one.fields) if one else ()

    def md5s_of(self, sha256: str) -> Iterable[str]:
        """What stood beside a hash as its MD5."""
        one = self._hashes.get(sha256)
        return one.md5s if one else ()

    def apart_from(self, own: Container[str]) -> tuple[RelatedHash, ...]:
        """The hashes that are nobody's own, most frequent first."""
        found = [
            RelatedHash(
                sha256=sha256,
                md5=agreed_md5(one.md5s),
                alerts=one.alerts,
                fields=self.fields_of(sha256),
                filenames=one.filenames,
            )
            for sha256, one in self._hashes.items()
            if sha256 not in own
        ]
        found.sort(key=lambda one: (-one.alerts, one.sha256))
        return tuple(found)


def agreed_md5(values: Iterable[str]) -> str | None:
    """Return the one MD5 seen beside a hash; None if there is none or they contradict each other."""
    found = {value.lower() for value in values if _MD5.fullmatch(value.lower())} - {_NO_MD5}
    return found.pop() if len(found) == 1 else None
