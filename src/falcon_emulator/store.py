"""The tenant's alerts, newest first, with indexes by id and by hash."""

import heapq
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from falcon_emulator.alert_records import Alert, State
from falcon_emulator.generator import crawl_due, is_crawled
from falcon_emulator.timestamps import HOUR, MILLISECOND, MINUTE, SECOND

HASH_FIELDS = ("sha256", "ioc_value", "entities.sha256")


def newest_first(alert: Alert) -> tuple[int, str]:
    """Return the key of the default order: created_timestamp descending, ties by composite_id."""
    return -alert.created_ms, alert.composite_id


class AlertStore:
    """All alerts of one tenant. `version` grows with every change that the search can see."""

    def __init__(self, alerts: Iterable[Alert], now: int) -> None:
        self.newest_first = sorted(alerts, key=newest_first)
        self.by_id = {alert.composite_id: alert for alert in self.newest_first}
        self.version = 0
        self._by_hash: dict[str, list[Alert]] = {}
        self._to_index: deque[tuple[int, Alert, State]] = deque()
        self._to_crawl: list[tuple[int, str]] = []
        for alert in self.newest_first:
            self._index_hashes(alert)
        self._schedule_crawls(self.newest_first[: self._since(now - HOUR - MINUTE)])

    def add(self, alerts: Sequence[Alert]) -> None:
        """Add new alerts; the search finds them at once."""
        for alert in alerts:
            insort(self.newest_first, alert, key=newest_first)
            self.by_id[alert.composite_id] = alert
            self._index_hashes(alert)
        self._schedule_crawls(alerts)
        self.version += 1

    def change(self, alert: Alert, state: State, now: int, lag: float) -> None:
        """Set the state of `alert`; the search sees it `lag` seconds after `now` (ns)."""
        alert.state = state
        if lag > 0 or self._to_index:
            self._to_index.append((now + int(lag * SECOND), alert, state))
        else:
            alert.indexed = state
            self.version += 1

    def process_due(self, now: int) -> None:
        """Index the changes and run the crawls that are due at `now` (ns)."""
        while self._to_index and self._to_index[0][0] <= now:
            _, alert, state = self._to_index.popleft()
            alert.indexed = state
            self.version += 1
        while self._to_crawl and self._to_crawl[0][0] <= now:
            due, composite_id = heapq.heappop(self._to_crawl)
            self.crawl([self.by_id[composite_id]], due)

    def crawl(self, alerts: Iterable[Alert], moment: int) -> None:
        """Set crawled_timestamp and updated_timestamp to `moment` (ns), as the crawler does (equal in real samples)."""
        for alert in alerts:
            self.change(alert, msgspec.structs.replace(alert.state, crawled=moment, updated=moment), moment, 0)

    def with_hash(self, sha256: str) -> list[Alert]:
        """Return the alerts with the hash in one of HASH_FIELDS, newest first."""
        return sorted(self._by_hash.get(sha256, ()), key=newest_first)

    def created_between(self, earliest_ms: int | None, latest_ms: int | None) -> list[Alert]:
        """Return the alerts created from `earliest_ms` to `latest_ms`, both included, newest first."""
        start = 0 if latest_ms is None else bisect_left(self.newest_first, (-latest_ms, ""), key=newest_first)
        end = None if earliest_ms is None else bisect_left(self.newest_first, (1 - earliest_ms, ""), key=newest_first)
        return self.newest_first[start:end]

    def _since(self, moment: int) -> int:
        return bisect_left(self.newest_first, (-moment // MILLISECOND, ""), key=newest_first)

    def _schedule_crawls(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            if is_crawled(alert) and alert.state.crawled == alert.created:
                heapq.heappush(self._to_crawl, (crawl_due(alert.created), alert.composite_id))

    def _index_hashes(self, alert: Alert) -> None:
        for sha256 in alert.evidence.own_hashes():
            self._by_hash.setdefault(sha256, []).append(alert)
