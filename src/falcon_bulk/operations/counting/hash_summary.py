"""Count alerts by their own SHA256 hashes."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from falcon_bulk.model.alert import CountedAlert, text
from falcon_bulk.model.hash_summary import HashCount, HashSummary
from falcon_bulk.model.hashes import OWN_FIELDS
from falcon_bulk.operations.counting.related_hashes import MAX_NAMES, RelatedHashCounter, agreed_md5
from falcon_bulk.operations.reading.alert_document import AlertDocument


class _HashCounter:
    """The counts of a hash. Has no `Counter`, which is slow to create: there may be tens of thousands of hashes."""

    __slots__ = (
        "alerts",
        "fields",
        "filenames",
        "first",
        "hosts",
        "last",
        "md5s",
        "names",
        "products",
        "resolutions",
        "severity",
        "statuses",
    )

    def __init__(self) -> None:
        self.alerts = 0
        self.statuses: defaultdict[str, int] = defaultdict(int)
        self.products: defaultdict[str, int] = defaultdict(int)
        self.resolutions: defaultdict[str, int] = defaultdict(int)
        self.names: defaultdict[str, int] = defaultdict(int)
        self.filenames: defaultdict[str, int] = defaultdict(int)
        self.hosts: set[str] = set()
        self.fields: set[str] = set()
        self.md5s: set[str] = set()
        self.severity: float | None = None
        self.first = self.last = ""

    def add(self, alert: CountedAlert, fields: Iterable[str]) -> None:
        """Count an alert that has the hash in these fields."""
        self.alerts += 1
        self.statuses[alert.status_name] += 1
        self.products[text(alert.product)] += 1
        if resolution := text(alert.resolution):
            self.resolutions[resolution] += 1
        if title := alert.title:
            self.names[title] += 1
        if filename := text(alert.filename):
            self.filenames[filename] += 1
        if host := alert.host:
            self.hosts.add(host)
        self.fields.update(fields)
        if "sha256" in fields and isinstance(alert.sha256, str) and isinstance(alert.md5, str):
            self.md5s.add(alert.md5)
        number = alert.severity_number
        if number is not None and (self.severity is None or number > self.severity):
            self.severity = number
        if created := text(alert.created_timestamp):
            self.first = min(self.first or created, created)
            self.last = max(self.last, created)

    def count(self, sha256: str, related: RelatedHashCounter) -> HashCount:
        """Return the counts of this hash. related: of the same alerts."""
        return HashCount(
            sha256=sha256,
            alerts=self.alerts,
            by_status=_sort_by_count(self.statuses),
            by_product=_sort_by_count(self.products),
            hosts=len(self.hosts),
            max_severity=self.severity,
            first_seen=self.first,
            last_seen=self.last,
            names=tuple(_sort_by_count(self.names))[:MAX_NAMES],
            filenames=tuple(_sort_by_count(self.filenames))[:MAX_NAMES],
            by_resolution=_sort_by_count(self.resolutions),
            fields=tuple(field for field in OWN_FIELDS if field in self.fields),
            other_fields=related.related_fields(sha256),
            md5=agreed_md5([*self.md5s, *related.md5s(sha256)]),
        )


def summarize_hashes(
    pages: Iterable[list[AlertDocument[CountedAlert]]], *, customer: str, generated_at: str, selection: str
) -> HashSummary:
    """Return the hashes with their counts, most frequent first; an alert with several hashes counts once for each."""
    counters: dict[str, _HashCounter] = {}
    related = RelatedHashCounter()
    severities: Counter[str] = Counter()
    products: Counter[str] = Counter()
    days: Counter[str] = Counter()
    read = with_hash = 0
    for page in pages:
        severities.update(item.alert.severity_label for item in page)
        products.update(text(item.alert.product) for item in page)
        days.update(item.alert.day for item in page)
        related.add([item.alert for item in page])
        for item in page:
            read += 1
            own = item.own_hashes
            with_hash += bool(own)
            for sha256, fields in own.items():
                if sha256 not in counters:
                    counters[sha256] = _HashCounter()
                counters[sha256].add(item.alert, fields)
    counts = [counter.count(sha256, related) for sha256, counter in counters.items()]
    counts.sort(key=lambda count: (-count.alerts, count.sha256))
    return HashSummary(
        customer=customer,
        generated_at=generated_at,
        filter=selection,
        alerts_read=read,
        alerts_with_hash=with_hash,
        hashes=tuple(counts),
        related=related.counts(own=counters),
        by_severity=_sort_by_count(severities),
        by_product=_sort_by_count(products),
        by_day=dict(sorted(days.items())),
    )


def _sort_by_count(counts: dict[str, int]) -> dict[str, int]:
    """Return the counts, most frequent first, equal counts by name: pages come in any order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
