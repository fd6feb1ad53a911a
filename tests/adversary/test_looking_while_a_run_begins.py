"""`runs` looks at the lock of a customer just when a run wants it."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock

from falcon_bulk.errors import Busy
from falcon_bulk.journal import lock
from falcon_bulk.journal.lock import hold_locks, running_run


def test_a_glance_at_the_lock_does_not_turn_a_run_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As long a glance as a busy machine makes of it.
    monkeypatch.setattr(lock, "PATIENCE", 200 * lock.PATIENCE)
    glance = FileLock(tmp_path / "acme.lock", thread_local=False)
    glance.acquire()
    threading.Timer(0.05, glance.release).start()
    with hold_locks(tmp_path, ["acme"], "run1"):
        assert running_run(tmp_path, "acme") == "run1"


def test_a_run_that_holds_the_lock_turns_another_away(tmp_path: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(hold_locks(tmp_path, ["acme"], "run1"))
        with pytest.raises(Busy, match="run1"):
            stack.enter_context(hold_locks(tmp_path, ["acme"], "run2"))
