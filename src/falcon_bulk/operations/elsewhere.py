"""Counting the hashes that stand in alerts without being their own: of parents, quarantined and associated files."""

import re
from collections import Counter
from collections.abc import Container, Iterable

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hash_summary import HashElsewhere
from falcon_bulk.model.hashes import OTHER_FIELDS, PLACES, Standing, other_bearers, sha256_of

MOST_FREQUENT = 5
_MD5 = re.compile(r"[0-9a-f]{32}")
_NO_MD5 = "0" * 32


class _Hash:
    """What is known of a hash. last: the number of the alert counted last, since one may have it in several places."""

    __slots__ = ("alerts", "fields", "last", "md5s", "seen")

    def __init__(self) -> None:
        self.alerts = 0
        self.fields: set[str] = set()
        self.last = 0
        self.md5s: set[str] = set()
        self.seen: list[_Seen] = []

    @property
    def filenames(self) -> tuple[str, ...]:
        """The most frequent names of the file, without their folders."""
        names: Counter[str] = Counter()
        for one in self.seen:
            names[one.file.replace("\\", "/").rpartition("/")[2]] += one.times
        del names[""]
        ordered = sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(name for name, _ in ordered[:MOST_FREQUENT])


class _Seen:
    """How often a hash stood in a field in just this way."""

    __slots__ = ("file", "hash", "times")

    def __init__(self, one: _Hash, file: str) -> None:
        self.hash = one
        self.file = file
        self.times = 0


class Elsewhere:
    """The hashes in other places of the alerts read."""

    def __init__(self) -> None:
        self._read = 0
        self._hashes: dict[str, _Hash] = {}
        self._places = [(place.field, place.standings, dict[Standing, _Seen]()) for place in PLACES if not place.own]

    def add(self, alert: Alert) -> None:
        """Count an alert. Every alert read comes here, so what stood somewhere in just this way is not looked into."""
        self._read = number = self._read + 1
        bearers = other_bearers(alert)
        if not any(bearers):
            return
        for (field, standings, known), bearer in zip(self._places, bearers, strict=True):
            if bearer:
                for standing in standings(alert, bearer):
                    try:
                        seen = known[standing]
                    except (KeyError, TypeError):
                        if not (digest := sha256_of(standing[0])):
                            continue
                        seen = self._new(digest, field, standing, known)
                    seen.times += 1
                    one = seen.hash
                    if one.last != number:
                        one.last = number
                        one.alerts += 1

    def _new(self, digest: str, field: str, standing: Standing, known: dict[Standing, _Seen]) -> _Seen:
        one = self._hashes.setdefault(digest, _Hash())
        value, md5, file = (part if isinstance(part, str) else None for part in standing)
        one.fields.add(field)
        one.md5s.add(md5 or "")
        seen = known.setdefault((value, md5, file), _Seen(one, file or ""))
        if not seen.times:
            one.seen.append(seen)
        return seen

    def fields_of(self, sha256: str) -> tuple[str, ...]:
        """The other places in which a hash stood, in the order of the table."""
        one = self._hashes.get(sha256)
        return tuple(field for field in OTHER_FIELDS if field in one.fields) if one else ()

    def md5s_of(self, sha256: str) -> Iterable[str]:
        """What stood beside a hash as its MD5."""
        one = self._hashes.get(sha256)
        return one.md5s if one else ()

    def apart_from(self, own: Container[str]) -> tuple[HashElsewhere, ...]:
        """The hashes that are nobody's own, most frequent first."""
        found = [
            HashElsewhere(
                sha256=sha256,
                md5=md5_of(one.md5s),
                alerts=one.alerts,
                fields=self.fields_of(sha256),
                filenames=one.filenames,
            )
            for sha256, one in self._hashes.items()
            if sha256 not in own
        ]
        found.sort(key=lambda one: (-one.alerts, one.sha256))
        return tuple(found)


def md5_of(values: Iterable[str]) -> str:
    """The one MD5 among what stood beside a hash; '' where there is none, or where they contradict each other."""
    found = {value.lower() for value in values if _MD5.fullmatch(value.lower())} - {_NO_MD5}
    return found.pop() if len(found) == 1 else ""
