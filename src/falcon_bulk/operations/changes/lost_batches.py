"""Batches whose answer was lost: their request may still take effect, so they wait before they are sent again.

A gateway gives up before the servers behind it do, and hands a request on seconds later. `append_comment` is not
idempotent. So nothing is sent again before the request is as old as its own timeout; until then the items are read.
"""

import threading
from datetime import datetime
from typing import Generic, NamedTuple

from falcon_bulk.model.clock import Clock, Stopwatch
from falcon_bulk.model.plan import PlannedItem, State
from falcon_bulk.model.timing import MAX_LATENESS

LOOK_INTERVAL = 10.0
"""Seconds between two looks at the items of a lost batch."""
MAX_WAIT = 1.0
"""The longest wait at once, in seconds: what is waited for counts down."""
ROUNDING = 1.0
"""Seconds by which a time of the journal, which has whole seconds, may be too early."""


class LostBatch(NamedTuple, Generic[State]):
    """Items whose request may still take effect: how often they were sent, and the time since it was last."""

    items: list[PlannedItem[State]]
    tries: int
    sent: Stopwatch


class _Waiting(NamedTuple, Generic[State]):
    batch: LostBatch[State]
    looked: Stopwatch


class LostBatches(Generic[State]):
    """The lost batches of a run. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[_Waiting[State]] = []
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, batch: LostBatch[State]) -> None:
        """Add a batch that was just looked at."""
        with self._lock:
            self._waiting.append(_Waiting(batch, Stopwatch(self._clock)))

    def take_due(self) -> list[LostBatch[State]]:
        """Return and remove the batches to look at by now."""
        with self._lock:
            due = [waiting for waiting in self._waiting if self._seconds_to_look(waiting) <= 0]
            self._waiting = [waiting for waiting in self._waiting if waiting not in due]
        return [waiting.batch for waiting in due]

    def is_expired(self, batch: LostBatch[State]) -> bool:
        """Return whether the request of a batch is too old to take effect."""
        return batch.sent.shortest >= MAX_LATENESS

    def age_of(self, sent: str) -> float:
        """Return how old a request of the journal is in seconds, at the least; 0 if that is not known.

        sent: when it was intended (UTC, RFC 3339), '' if not known.
        """
        if not sent:
            return 0.0
        return (self._clock.now() - datetime.fromisoformat(sent)).total_seconds() - ROUNDING

    @property
    def items(self) -> int:
        """How many items wait."""
        with self._lock:
            return sum(len(waiting.batch.items) for waiting in self._waiting)

    @property
    def seconds_left(self) -> float:
        """Seconds until the last of the requests is too old to take effect."""
        with self._lock:
            return max((MAX_LATENESS - waiting.batch.sent.shortest for waiting in self._waiting), default=0.0)

    @property
    def seconds_to_next_look(self) -> float:
        """Seconds until a batch is due, one at most."""
        with self._lock:
            seconds = min(map(self._seconds_to_look, self._waiting), default=0.0)
        return min(max(seconds, 0.0), MAX_WAIT)

    def _seconds_to_look(self, waiting: _Waiting[State]) -> float:
        left = MAX_LATENESS - waiting.batch.sent.shortest
        return min(left, LOOK_INTERVAL - waiting.looked.shortest)
