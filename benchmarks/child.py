"""Running a program and taking its measure."""

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
OLD_WAY = (sys.executable, "-m", "benchmarks.old_way")

# What would make a program other than it is when installed, or lead it elsewhere.
_LEFT_OUT = ("FALCON_", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds on the wall, seconds of CPU (user and system), peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def environment(state: Path) -> dict[str, str]:
    """The environment of a program, with a state folder of its own and no proxy."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_LEFT_OUT) and not name.lower().endswith("_proxy")
    }
    return kept | {"FALCON_BULK_STATE_DIR": str(state)}


def measure(argv: Sequence[str], state: Path, *, timeout: float) -> Cost:
    """Run a program to its end, its output thrown away. Raises RuntimeError if it fails or takes too long.

    The peak memory counts what this process held when it started the program, so this one must stay small.
    """
    with tempfile.TemporaryFile() as messages:
        begun = time.perf_counter()
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
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            messages.seek(0)
            said = messages.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(argv[2:])} ended with {process.returncode} after {wall:.0f} s\n{said}")
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)
