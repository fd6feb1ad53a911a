"""Limit how fast requests are sent: one pace, one cooldown and one retry budget for all threads of a customer.

The limit is 6,000 requests a minute per CID over a sliding window, shared by every client of the customer;
every answer has `X-Ratelimit-Limit` and `X-Ratelimit-Remaining` (swagger and public reports).
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from falcon_bulk.model.clock import Clock
from falcon_bulk.model.plural import counted

MIN_COOLDOWN = 1.0
MAX_COOLDOWN = 120.0
MAX_SPACING = 2.0
"""Seconds between requests once nothing of the rate limit is left, or after a first refusal."""
ANNOUNCED = 2.0
"""Seconds: a longer wait is announced."""
MIN_ANSWERS = 5
"""So many answers of a minute show how many a minute allows."""
WINDOW = 60.0
"""Seconds of the sliding window that the rate limit counts in."""
MIN_EPOCH_MILLISECONDS = 1e11
MAX_DIGITS = 15
"""Of a number in a header: a longer one says nothing, and is no float."""


class RequestPacer:
    """Delay requests during a cooldown, and space them out once the quota is used up or after a refusal (429).

    After a refusal requests leave no faster than were answered in the minute before it, after a second one that does
    not say how long to wait, not before the oldest of these is a minute old. Every minute without another refusal lets
    a few more through, until answers show that more than the quota is left.

    quota: share of the limit that may be used, 0 to 1. on_wait: called with the reason for a wait of over two seconds.
    """

    def __init__(self, clock: Clock, *, quota: float = 0.5, on_wait: Callable[[str], None] = lambda _: None) -> None:
        self._clock = clock
        self._quota = quota
        self._on_wait = on_wait
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._spacing = 0.0
        self._answered: deque[float] = deque()
        self._per_minute: float | None = None
        self._refused_at = float("-inf")
        self._probed_at = 0.0
        self._step = 1.0
        self._has_unseen_limit = False
        self._reserve = 0.0
        self._remaining: int | None = None
        self.requests = 0
        self.limit: int | None = None
        self.lowest_remaining: int | None = None

    def before_request(self) -> None:
        """Wait until a request may be sent, and count it. Raises Stopped."""
        self._clock.wait(0.0)  # raises Stopped, unless this thread is finishing what is in flight
        while True:
            with self._lock:
                now = self._clock.monotonic()
                delay = self._not_before - now
                if delay <= 0:
                    self._not_before = now + self._seconds_between(now)
                    self.requests += 1
                    return
            self._clock.wait(delay)

    def after_answer(self, headers: Mapping[str, str]) -> None:
        """Adapt the spacing to the rate limit headers of an answer."""
        limit = _as_int(headers.get("X-Ratelimit-Limit"))
        remaining = _as_int(headers.get("X-Ratelimit-Remaining"))
        if not limit or remaining is None:
            return
        reserve = limit * (1 - self._quota)
        with self._lock:
            self.limit = limit
            self._reserve, self._remaining = reserve, remaining
            self.lowest_remaining = min(
                remaining, remaining if self.lowest_remaining is None else self.lowest_remaining
            )
            shortfall = max(0.0, reserve - remaining) / reserve if reserve else 0.0
            self._spacing = MAX_SPACING * shortfall

    def answered(self) -> None:
        """Note an answer that is no refusal."""
        with self._lock:
            now = self._clock.monotonic()
            self._answered.append(now)
            self._forget(now)

    def refused(self, sent: float, *, is_told: bool = False) -> None:
        """Space requests out after a 429.

        sent: when its request left; one of many sent together is enough. is_told: whether it says how long to wait.
        """
        with self._lock:
            now = self._clock.monotonic()
            if sent < self._refused_at:
                return
            self._forget(now)
            again = now - self._refused_at < 2 * WINDOW
            # Where nearly all is refused, the answers do not show a rate: the time that Falcon asks for is waited then.
            shows_rate = not is_told or len(self._answered) >= MIN_ANSWERS
            slowest = 1.0 if again and shows_rate else WINDOW / MAX_SPACING
            self._per_minute = max(slowest, float(len(self._answered)))
            wait = self._answered[0] + WINDOW - now if again and self._answered and not is_told else 0.0
            self._not_before = max(self._not_before, now + wait)
            self._has_unseen_limit = self._remaining is not None and self._remaining > self._reserve
            self._refused_at = self._probed_at = now
            self._step = 1.0
        if wait > ANNOUNCED:
            self._on_wait(f"Falcon's rate limit is reached again: waiting {wait:.0f} s.")

    def headroom(self) -> int | None:
        """Return how many requests the quota leaves for now, None if no answer has said."""
        with self._lock:
            return None if self._remaining is None else max(0, int(self._remaining - self._reserve))

    def _seconds_between(self, now: float) -> float:
        """Return the seconds until the next request may leave."""
        if self._per_minute is None:
            return self._spacing
        if now - self._probed_at >= WINDOW:
            self._per_minute += self._step
            self._step *= 2
            self._probed_at = now
        if self._remaining is not None and self._remaining > self._reserve and not self._has_unseen_limit:
            self._per_minute = None
            return self._spacing
        return max(self._spacing, WINDOW / self._per_minute)

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0] <= now - WINDOW:
            self._answered.popleft()

    @property
    def usage_summary(self) -> str:
        """A sentence: how many requests were sent, and the lowest remaining quota."""
        lowest = "unknown" if self.lowest_remaining is None else f"{self.lowest_remaining:,}"
        return f"{counted(self.requests, 'request')} in all, lowest remaining quota seen: {lowest}."

    def cool_down(self, seconds: float, reason: str) -> None:
        """Keep all threads from sending for that many seconds."""
        if seconds > ANNOUNCED:
            self._on_wait(f"{reason}: waiting {seconds:.0f} s.")
        with self._lock:
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)


class RetryBudget:
    """A budget of retries that all threads share, so that a broken server gets few extra requests.

    Each retry takes one; each good answer gives half a retry back.
    """

    def __init__(self, size: float = 10.0) -> None:
        self._size = self._left = size
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one retry; return False if none is left."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def give_back(self) -> None:
        """Return half a retry to the budget, after a good answer."""
        with self._lock:
            self._left = min(self._size, self._left + 0.5)


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a 429 asks to wait, 1 to 120; None if its header is absent, past or invalid.

    now: seconds since the epoch. X-RateLimit-RetryAfter is milliseconds since the epoch in the swagger and seconds in
    PSFalcon; its size tells which.
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
    """Return the seconds by which an answer's Date header is ahead of the local clock; None without a valid one."""
    try:
        return (parsedate_to_datetime(date) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # TypeError: no time zone; OverflowError: the year 99999
        return None


def backoff(tries: int, chance: float, *, base: float = 0.5, cap: float = 8.0) -> float:
    """Return the seconds to wait after `tries` failed tries: exponential with full jitter. chance: 0 to 1."""
    return chance * min(cap, base * 2.0 ** (tries - 1))


def _as_int(value: str | None) -> int | None:
    return int(value) if value and len(value) <= MAX_DIGITS and value.isdecimal() else None
