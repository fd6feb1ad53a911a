"""The logins of a command: those with the same credentials share a token, and all share the pace of the endpoint."""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from falcon_bulk.config.secret import Secret
from falcon_bulk.falcon.responses import Token
from falcon_bulk.model.clock import Clock

MAX_LOGINS = 240
"""Logins in WINDOW seconds. The token endpoint takes 300 a minute from an IP address (gofalcon #364)."""
WINDOW = 60.0


class LoginKey(NamedTuple):
    """What a login is made with. member_cid: of Flight Control, else ''. base_url: the configured one."""

    client_id: str
    secret: Secret
    member_cid: str
    base_url: str


class Login(NamedTuple):
    """A token, the moment of the monotonic clock at which it should be renewed, and the base URL that it is for.

    clock_ahead: seconds by which Falcon's clock was ahead of this machine's; None if its answer had no date.
    """

    token: Token
    renew_at: float
    base_url: str
    clock_ahead: float | None


class SharedLogins:
    """Logins by what they are made with. Two threads never make the same one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[LoginKey, threading.Lock] = {}
        self._logins: dict[LoginKey, Login] = {}
        self._recent: deque[float] = deque()

    def get(self, key: LoginKey, stale: str, clock: Clock, log_in: Callable[[], Login]) -> Login:
        """Return a login that is not to be renewed yet and has another token than `stale`, made by `log_in` if needed.

        Raises what `log_in` raises, and Stopped during a wait.
        """
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            known = self._logins.get(key)
            if known and clock.monotonic() < known.renew_at and known.token.access_token != stale:
                return known
            self._wait_for_turn(clock)
            login = self._logins[key] = log_in()
            return login

    def _wait_for_turn(self, clock: Clock) -> None:
        while True:
            with self._lock:
                now = clock.monotonic()
                while self._recent and self._recent[0] <= now - WINDOW:
                    self._recent.popleft()
                if len(self._recent) < MAX_LOGINS:
                    self._recent.append(now)
                    return
                delay = self._recent[0] + WINDOW - now
            clock.wait(delay)
