"""Run a program and tell the most memory that it held at a time."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit in which the system tells the peak."""

# A process counts as its peak also what the one that started it held, which may be a test run of gigabytes. So a
# process that holds little starts the program, and tells the peak in the last line of its stderr.
_SMALL_PARENT = (
    "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(code)"
)


def run_measured(
    argv: Sequence[str],
    *,
    timeout: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    code: int = 0,
    stdout: int = subprocess.PIPE,
) -> tuple[bytes, int]:
    """Run a program without input; return its output, if that goes to a pipe, and its peak memory in bytes.

    Raises AssertionError if it ends with another exit code, and subprocess.TimeoutExpired after `timeout` seconds.
    """
    done = subprocess.run(
        [sys.executable, "-c", _SMALL_PARENT, *argv],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment,
        timeout=timeout,
    )
    assert done.returncode == code, done.stderr.decode(errors="replace")
    return done.stdout or b"", int(done.stderr.splitlines()[-1]) * _UNIT
