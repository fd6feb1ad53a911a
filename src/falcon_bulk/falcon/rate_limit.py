"""How fast requests may leave: one pace, one cooldown and one retry budget for all threads of a customer.

The limit is 6,000 requests a minute per CID over a sliding window, shared by every client of the customer;
`X-Ratelimit-Limit` and `X-Ratelimit-Remaining` come with all answers (swagger and public reports).
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from falcon_bulk.model.clock import Clock

MIN_COOLDOWN = 1.0
MAX_COOLDOWN = 120.0
MAX_SPACING = 2.0
MIN_EPOCH_MILLISECONDS = 1e11


class RequestPacer:
    """Holds requests back during a cooldown, and spaces them once the customer's share is used up.

    quota: the part of the limit that may be used (0 to 1). on_wait: told why a wait of over two seconds happens.
    """

    def __init__(self, timing: Clock, *, quota: float = 0.5, on_wait: Callable[[str], None] = lambda _: None) -> None:
        self._timing = timing
        self._quota = quota
        self._on_wait = on_wait
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._spacing = 0.0
        self.requests = 0
        self.failures = 0
        self.limit: int | None = None
        self.lowest_remaining: int | None = None

    def before_request(self) -> None:
        """Wait until a request may leave, and count it. Raises Stopped."""
        self._timing.wait(0.0)  # a stop ends the work here too, unless it finishes what is in flight
        while True:
            with self._lock:
                now = self._timing.monotonic()
                delay = self._not_before - now
                if delay <= 0:
                    self._not_before = now + self._spacing
                    self.requests += 1
                    return
            self._timing.wait(delay)

    def after_answer(self, headers: Mapping[str, str]) -> None:
        """Learn from the rate headers of an answer."""
        limit = _whole(headers.get("X-Ratelimit-Limit"))
        remaining = _whole(headers.get("X-Ratelimit-Remaining"))
        if not limit or remaining is None:
            return
        reserve = limit * (1 - self._quota)
        with self._lock:
            self.limit = limit
            self.lowest_remaining = min(
                remaining, remaining if self.lowest_remaining is None else self.lowest_remaining
            )
            shortfall = max(0.0, reserve - remaining) / reserve if reserve else 0.0
            self._spacing = MAX_SPACING * shortfall

    @property
    def usage_summary(self) -> str:
        """In words: how many requests were made, and the least that was left of the limit."""
        least = "unknown" if self.lowest_remaining is None else f"{self.lowest_remaining:,}"
        return f"{self.requests:,} requests in all, lowest remaining quota seen: {least}."

    def record_failure(self) -> None:
        """Falcon is overloaded: a 429, a server error, a lost answer. `failures` counts them."""
        with self._lock:
            self.failures += 1

    def cool_down(self, seconds: float, why: str) -> None:
        """Let no thread send anything for that long."""
        if seconds > 2:
            self._on_wait(f"{why}: waiting {seconds:.0f} s.")
        with self._lock:
            self._not_before = max(self._not_before, self._timing.monotonic() + seconds)


class RetryBudget:
    """Retries that all threads share, so that a broken server gets few requests more than the work has.

    Each retry takes one from the budget; each good answer gives half of one back.
    """

    def __init__(self, size: float = 10.0) -> None:
        self._size = self._left = size
        self._lock = threading.Lock()

    def take(self) -> bool:
        """True if one more retry may be made."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def give_back(self) -> None:
        """An answer was good."""
        with self._lock:
            self._left = min(self._size, self._left + 0.5)


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds a 429 tells to wait, 1 to 120; None if its header is absent, past or nonsense.

    now: seconds since the epoch. The swagger calls X-RateLimit-RetryAfter milliseconds since the epoch,
    PSFalcon reads seconds: told apart by size.
    """
    try:
        instant = float(headers.get("X-RateLimit-RetryAfter", ""))
    except ValueError:
        return None
    seconds = (instant / 1000 if instant > MIN_EPOCH_MILLISECONDS else instant) - now
    if not 0 < seconds < float("inf"):
        return None
    return min(max(seconds, MIN_COOLDOWN), MAX_COOLDOWN)


def clock_offset(date: str, now: datetime) -> float | None:
    """By how many seconds an answer's Date header is ahead of the local clock; None if there is none to read."""
    try:
        return (parsedate_to_datetime(date) - now).total_seconds()
    except (ValueError, TypeError):  # TypeError: a date without a time zone
        return None


def backoff(tries: int, chance: float, *, base: float = 0.5, cap: float = 8.0) -> float:
    """Full-jitter backoff in seconds after that many failed tries."""
    return chance * min(cap, base * 2.0 ** (tries - 1))


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() else None
