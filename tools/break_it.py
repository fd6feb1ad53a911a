"""Breaks a copy of the code in one line and expects a test to fail: a test that cannot fail proves nothing.

The breaks stand in breaks.toml. Exit status 1 if a break goes unnoticed, or a test fails without one.

    python tools/break_it.py            all of them, some minutes
    python tools/break_it.py WORD...    those whose promise, file or test contains a word
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("src", "tests", "pyproject.toml")
PASSED, FAILED = 0, 1
"""Exit statuses of pytest; all others (no such test, an error while collecting) prove nothing."""


class Break(NamedTuple):
    """One line to replace in one file, and the test that must fail then."""

    promise: str
    file: str
    old: str
    new: str
    test: str


def breaks() -> list[Break]:
    """Those of breaks.toml, in its order."""
    table = tomllib.loads((ROOT / "tools" / "breaks.toml").read_text(encoding="utf-8"))
    return [Break(**entry) for entry in table["break"]]


def main(words: list[str]) -> int:
    """Try the breaks that contain one of the words, or all; the exit status."""
    chosen = [break_ for break_ in breaks() if not words or any(word in " ".join(break_) for word in words)]
    with tempfile.TemporaryDirectory(prefix="breaks-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy / name)
        whole = pytest(copy, *dict.fromkeys(break_.test for break_ in chosen))
        if whole.returncode != PASSED:
            print(f"{whole.stdout}\nThe tests do not pass as it is; nothing was broken.")
            return 1
        return int(sum([not noticed(copy, break_) for break_ in chosen]) > 0)


def noticed(copy: Path, break_: Break) -> bool:
    """True if the break's test fails because of it; the copy is as before afterwards."""
    file = copy / break_.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(break_.old) != 1:
        raise ValueError(f"{break_.file} does not have exactly one {break_.old!r}")
    file.write_text(whole.replace(break_.old, break_.new), encoding="utf-8")
    try:
        seen = pytest(copy, break_.test).returncode == FAILED
    finally:
        file.write_text(whole, encoding="utf-8")
    print(f"{'noticed  ' if seen else 'UNNOTICED'}  {break_.promise}", flush=True)
    return seen


def pytest(copy: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """What became of the tests, run on the copy."""
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
