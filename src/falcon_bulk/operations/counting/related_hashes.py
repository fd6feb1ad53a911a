"""Count the related hashes of alerts: of parents, quarantined, associated and written files."""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from typing import Any

from falcon_bulk.model.alert import CountedAlert
from falcon_bulk.model.hash_summary import RelatedHash
from falcon_bulk.model.hashes import HASH_FIELDS, RELATED_FIELDS, as_sha256, related_values

MAX_NAMES = 5
_MD5 = re.compile(r"[0-9a-f]{32}")
_NO_MD5 = "0" * 32
_RELATED = [(field.field, field.occurrences) for field in HASH_FIELDS if not field.own]


class _HashCounter:
    """The alerts, fields and MD5s of a hash. files: how many alerts have each file name, without its folder."""

    __slots__ = ("alerts", "fields", "files", "md5s")

    def __init__(self) -> None:
        self.alerts = 0
        self.fields: set[str] = set()
        self.md5s: set[str] = set()
        self.files: Counter[str] = Counter()

    @property
    def filenames(self) -> tuple[str, ...]:
        """The most frequent names of the file."""
        names = sorted((-alerts, name) for name, alerts in self.files.items() if name)
        return tuple(name for _, name in names[:MAX_NAMES])


class RelatedHashCounter:
    """Counts the related hashes of alerts as they are read."""

    def __init__(self) -> None:
        self._hashes: defaultdict[str, _HashCounter] = defaultdict(_HashCounter)

    def add(self, alerts: Sequence[CountedAlert]) -> None:
        """Count alerts. Alerts with equal values in these fields, which are most of them, are counted together."""
        values = list(map(related_values, alerts))
        try:
            representatives = dict(zip(values, alerts, strict=True))
        except TypeError:  # a document has a list or an object instead of text, which cannot be a key
            for alert, alert_values in zip(alerts, values, strict=True):
                self._add(alert, alert_values, 1)
        else:
            for alert_values, number in Counter(values).items():
                if any(alert_values):
                    self._add(representatives[alert_values], alert_values, number)

    def _add(self, alert: CountedAlert, values: Iterable[Any], number: int) -> None:
        """Count `number` alerts with these values; a hash in several fields of an alert counts once."""
        counted: set[str] = set()
        for (field, occurrences), value in zip(_RELATED, values, strict=True):
            for occurrence, md5, file in occurrences(alert, value) if value else ():
                if not (digest := as_sha256(occurrence)):
                    continue
                counter = self._hashes[digest]
                counter.fields.add(field)
                if isinstance(md5, str):
                    counter.md5s.add(md5)
                if isinstance(file, str):
                    counter.files[file.replace("\\", "/").rpartition("/")[2]] += number
                if digest not in counted:
                    counted.add(digest)
                    counter.alerts += number

    def related_fields(self, sha256: str) -> tuple[str, ...]:
        """Return the related fields that had the hash, in the order of HASH_FIELDS."""
        counter = self._hashes.get(sha256)
        return tuple(field for field in RELATED_FIELDS if field in counter.fields) if counter else ()

    def md5s(self, sha256: str) -> Iterable[str]:
        """Return the MD5s seen with the hash."""
        counter = self._hashes.get(sha256)
        return counter.md5s if counter else ()

    def counts(self, own: Container[str]) -> tuple[RelatedHash, ...]:
        """Return the hashes that are not in `own`, most frequent first."""
        counts = [
            RelatedHash(
                sha256=sha256,
                md5=agreed_md5(counter.md5s),
                alerts=counter.alerts,
                fields=self.related_fields(sha256),
                filenames=counter.filenames,
            )
            for sha256, counter in self._hashes.items()
            if sha256 not in own
        ]
        counts.sort(key=lambda count: (-count.alerts, count.sha256))
        return tuple(counts)


def agreed_md5(values: Iterable[str]) -> str | None:
    """Return the only MD5 seen with a hash; None if there is none or they contradict each other."""
    md5s = {value.lower() for value in values if _MD5.fullmatch(value.lower())} - {_NO_MD5}
    return md5s.pop() if len(md5s) == 1 else None
