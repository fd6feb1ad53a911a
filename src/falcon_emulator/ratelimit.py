"""Rate limits over sliding windows of one minute, per CID or, without a valid token, per address."""

from collections import defaultdict, deque

from falcon_emulator.http import ApiError
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import MILLISECOND, MINUTE, SECOND

EXCEEDED = "API rate limit exceeded."


class RateLimit:
    """Counts requests and refuses those above a limit."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self._windows: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)

    def count(self, kind: str, key: str, limit: int, now: int) -> dict[str, str]:
        """Count one request against `limit` and return the headers for its answer.

        Raises ApiError 429 above the limit. A refused request is not counted; the window opens as the oldest
        counted requests leave it.
        """
        window = self._windows[kind, key]
        while window and window[0] <= now - MINUTE:
            window.popleft()
        remaining = limit - len(window)
        headers = {"X-Ratelimit-Limit": str(limit), "X-Ratelimit-Remaining": str(max(0, remaining - 1))}
        if self.switches.rate_headers == "absent":
            headers.clear()
        if remaining <= 0:
            opens = (window[0] if window else now) + MINUTE
            raise ApiError(429, EXCEEDED, headers | retry_after(self.switches.retry_after, opens, now))
        window.append(now)
        return headers


def retry_after(style: str, opens: int, now: int) -> dict[str, str]:
    """Return X-RateLimit-RetryAfter for a window that opens at `opens` (ns), in the unit named by `style`.

    The swagger says milliseconds since 1970, PSFalcon reads seconds, one report saw no header.
    """
    values = {
        "milliseconds": str(opens // MILLISECOND),
        "seconds": str(-(-opens // SECOND)),
        "nonsense": "soon",
        "past": str(now // SECOND - 3600),
    }
    return {"X-Ratelimit-Retryafter": values[style]} if style in values else {}
