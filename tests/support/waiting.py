"""Wait for what another thread or process does."""

import time
from collections.abc import Callable
from contextlib import suppress


def wait_until(condition: Callable[[], bool], *, seconds: float = 60.0, why: str = "") -> None:
    """Return as soon as the condition holds; fail with `why` if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, why or "the condition did not come true"
        with suppress(InterruptedError):
            time.sleep(0.002)
