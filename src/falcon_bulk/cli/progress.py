"""One line on the terminal for what a command waits for: redrawn in time, and gone before anything else is shown."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from falcon_bulk.textsafe import printable

DELAY = 0.3
"""Seconds of work before the line appears: quick work shows none, and slow work shows it within a second."""
INTERVAL = 0.1
"""Seconds between two drawings: time passes, even if no answer comes."""
_ERASE = "\r\x1b[K"


class ProgressTask:
    """One thing that is waited for: call it with the numbers of items done and expected, as soon as they are known."""

    def __init__(self, customer: str, label: str, unit: str) -> None:
        self.customer = customer
        self.label = label
        self.unit = unit
        self.started = time.monotonic()
        self.done = 0
        self.expected = 0
        self.text = ""

    def __call__(self, done: int, expected: int) -> None:
        """Set how many items are done, and how many are expected."""
        self.done, self.expected = done, expected

    def note(self, text: str) -> None:
        """Show a text beside the bar; '' removes it."""
        self.text = text


class ProgressLine:
    """The line, shared by all customers of a command and safe to use from their threads. shown: whether to draw it."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._stream = stream
        self._shown = shown
        self._lock = threading.RLock()
        self._tasks: list[ProgressTask] = []
        self._began = 0.0
        self._ended = float("-inf")
        self._is_drawn = False
        self._hidden = 0
        self._idle = threading.Event()

    @contextmanager
    def task(self, label: str, unit: str = "alerts", customer: str = "") -> Iterator[ProgressTask]:
        """Show what is waited for while the block runs. customer: whose it is, if there are several."""
        task = ProgressTask(customer, label, unit)
        self._begin(task)
        try:
            yield task
        finally:
            self._end(task)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Keep the line away while the block writes to the terminal."""
        with self._lock:
            self._hidden += 1
            self._erase()
        try:
            yield
        finally:
            with self._lock:
                self._hidden -= 1

    def _begin(self, task: ProgressTask) -> None:
        with self._lock:
            if not self._tasks:
                if task.started - self._ended > DELAY:  # else it goes on with what was waited for just before
                    self._began = task.started
                self._idle = threading.Event()
                if self._shown:
                    threading.Thread(
                        target=self._draw_in_time, args=(self._idle,), name="progress", daemon=True
                    ).start()
            self._tasks.append(task)

    def _end(self, task: ProgressTask) -> None:
        with self._lock:
            self._tasks.remove(task)
            if not self._tasks:
                self._ended = time.monotonic()
                self._idle.set()
                self._erase()

    def _draw_in_time(self, idle: threading.Event) -> None:
        while not idle.wait(INTERVAL):
            with self._lock:
                is_due = self._tasks and not self._hidden and time.monotonic() - self._began >= DELAY
                if is_due and not idle.is_set():
                    self._stream.write(_ERASE + self._text(shutil.get_terminal_size().columns - 1))
                    self._stream.flush()
                    self._is_drawn = True

    def _erase(self) -> None:
        if self._is_drawn:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._is_drawn = False

    def _text(self, columns: int) -> str:
        """Return the line: of the innermost task of each customer, what they count together."""
        current = list({task.customer: task for task in self._tasks}.values())
        counting = [task for task in current if task.expected] or current
        first = counting[0]
        together = [task for task in counting if task.unit == first.unit]
        who = first.customer if len(current) == 1 else f"{len(current)} customers"
        prefix = printable(f"{who}: {first.label}" if who else first.label)
        elapsed = time.monotonic() - min(task.started for task in together)
        done, expected = sum(task.done for task in together), sum(task.expected for task in together)
        if not (done or expected):
            return f"{prefix}… {elapsed:.0f} s"[:columns]
        from tqdm import tqdm

        notes = printable(", ".join(task.text for task in together if task.text))
        return tqdm.format_meter(
            done, expected, elapsed, ncols=columns, prefix=prefix, unit=f" {first.unit}", postfix=notes
        )
