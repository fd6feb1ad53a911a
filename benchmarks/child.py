"""Run a program and measure it."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FALCON_BULK = (sys.executable, "-m", "falcon_bulk")
PLAIN_SCRIPT = (sys.executable, "-m", "benchmarks.plain_script")

# These would change how an installed program behaves, or which tenant it uses.
_REMOVED = ("FALCON_", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Cost:
    """The cost of one run: wall-clock seconds, CPU seconds (user and system), peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def environment(state: Path) -> dict[str, str]:
    """Return the environment of a program, with its own state folder and without proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_REMOVED) and not name.lower().endswith("_proxy")
    }
    return kept | {"FALCON_BULK_STATE_DIR": str(state)}


def measure(argv: Sequence[str], state: Path, *, timeout: float) -> Cost:
    """Run a program to its end and discard its output. Raises RuntimeError if it fails or takes too long.

    Peak memory includes what this process held when it started the program, so this process must stay small.
    """
    with tempfile.TemporaryFile() as messages:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=environment(state),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=messages,
        )
        watchdog = threading.Timer(timeout, os.kill, (process.pid, signal.SIGKILL))
        watchdog.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watchdog.cancel()
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            messages.seek(0)
            output = messages.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(argv[2:])} ended with {process.returncode} after {wall:.0f} s\n{output}")
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)
