"""Counting alerts per own SHA256."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from operator import itemgetter

from falcon_bulk.model.alert import BriefAlert, text
from falcon_bulk.model.hash_summary import HashCount, HashSummary
from falcon_bulk.model.hashes import OWN_FIELDS
from falcon_bulk.operations.counting.related_hashes import MAX_NAMES, RelatedHashCounter, agreed_md5
from falcon_bulk.operations.reading.read_all import AlertDocument


class _HashCounter:
    """The numbers of one hash. There may be tens of thousands, and a `Counter` takes long to make."""

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

    def add(self, found: AlertDocument[BriefAlert], places: Iterable[str]) -> None:
        """Count an alert."""
        alert = found.alert
        self.alerts += 1
        self.statuses[text(alert.status)] += 1
        self.products[text(alert.product)] += 1
        if resolution := text(alert.resolution):
            self.resolutions[resolution] += 1
        if title := alert.title:
            self.names[title] += 1
        if filename := text(alert.filename):
            self.filenames[filename] += 1
        if host := alert.host:
            self.hosts.add(host)
        self.fields.update(places)
        if "sha256" in places and isinstance(alert.sha256, str) and isinstance(alert.md5, str):
            self.md5s.add(alert.md5)
        number = alert.severity_number
        if number is not None and (self.severity is None or number > self.severity):
            self.severity = number
        if created := text(alert.created_timestamp):
            self.first = min(self.first or created, created)
            self.last = max(self.last, created)

    def count(self, sha256: str, elsewhere: RelatedHashCounter) -> HashCount:
        """The result for this hash. elsewhere: where hashes stand without being own."""
        return HashCount(
            sha256=sha256,
            alerts=self.alerts,
            by_status=_most_first(self.statuses),
            by_product=_most_first(self.products),
            hosts=len(self.hosts),
            max_severity=self.severity,
            first_seen=self.first,
            last_seen=self.last,
            names=tuple(_most_first(self.names))[:MAX_NAMES],
            filenames=tuple(_most_first(self.filenames))[:MAX_NAMES],
            by_resolution=_most_first(self.resolutions),
            fields=tuple(place for place in OWN_FIELDS if place in self.fields),
            other_fields=elsewhere.fields_of(sha256),
            md5=agreed_md5([*self.md5s, *elsewhere.md5s_of(sha256)]),
        )


def summarize_hashes(
    pages: Iterable[list[AlertDocument[BriefAlert]]], *, customer: str, generated_at: str, selection: str
) -> HashSummary:
    """Hashes with their numbers, most frequent first; an alert with several hashes counts once for each."""
    tallies: dict[str, _HashCounter] = {}
    elsewhere = RelatedHashCounter()
    severities: Counter[str] = Counter()
    products: Counter[str] = Counter()
    days: Counter[str] = Counter()
    read = with_hash = 0
    for page in pages:
        severities.update(found.alert.severity_label for found in page)
        products.update(text(found.alert.product) for found in page)
        days.update(found.alert.day for found in page)
        elsewhere.add([found.alert for found in page])
        for found in page:
            read += 1
            own = found.own_hashes
            with_hash += bool(own)
            for sha256, places in own.items():
                if sha256 not in tallies:
                    tallies[sha256] = _HashCounter()
                tallies[sha256].add(found, places)
    counts = [tally.count(sha256, elsewhere) for sha256, tally in tallies.items()]
    counts.sort(key=lambda count: (-count.alerts, count.sha256))
    return HashSummary(
        customer=customer,
        generated_at=generated_at,
        filter=selection,
        alerts_read=read,
        alerts_with_hash=with_hash,
        hashes=tuple(counts),
        related=elsewhere.apart_from(tallies),
        by_severity=_most_first(severities),
        by_product=_most_first(products),
        by_day=dict(sorted(days.items())),
    )


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    """The counts, most frequent first; what is as frequent, in the order it was met."""
    return dict(sorted(counts.items(), key=itemgetter(1), reverse=True))
