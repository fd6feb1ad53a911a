"""The benchmarks, a tenth of their size: that they run and count right. How long they take is for `make bench`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

RUNS = {
    "python -c pass": {},
    "falcon-bulk --help": {},
    "hash-summary of 10,000, even": {"aggregates": 1},
    "query --all of 10,000": {"aggregates": 1},
    "hash-summary of 10,000, crowded": {},
    "query --all of 40,000": {"aggregates": 1},
    "bulk-close of 2,000": {"patch": 2, "entities": 2},
    "bulk-close of 2,000, --batch-delay 0 --workers 8": {"patch": 2, "entities": 2},
    "plain script, reading 1,000": {"queries": 1, "entities": 1},
    "plain script, reading and closing 1,000": {"queries": 1, "entities": 1, "patch": 1},
    "hash-summary of 1,000": {},
    "bulk-close of 1,000": {"patch": 1, "entities": 1},
    "bulk-close of 1,000, --batch-delay 0 --workers 8": {"patch": 1, "entities": 1},
    "plain script, reading 1,000, reported latencies": {"queries": 1, "entities": 1},
    "plain script, reading and closing 1,000, reported latencies": {"queries": 1, "entities": 1, "patch": 1},
    "hash-summary of 1,000, reported latencies": {},
    "bulk-close of 700 of 1,000, reported latencies": {"patch": 1, "entities": 1},
    "hash-summary of 10,000, reported latencies": {"aggregates": 1},
    "bulk-close of 7,000 of 10,000, reported latencies": {"patch": 7, "entities": 7},
    "hash-summary of 10,000, slower beyond 10 in flight": {"aggregates": 1},
    "hash-summary of 2,000, 15 requests a minute": {"combined": 3},
}
LIMITS = 17


@pytest.mark.slow
def test_the_benchmarks_measure_everything_and_count_the_requests(tmp_path: Path) -> None:
    written = tmp_path / "benchmarks.md"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--write", str(written)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    page = written.read_text(encoding="utf-8")
    runs, limits = (rows(page, heading) for heading in ("Runs", "Limits"))

    assert [row[0] for row in runs] == list(RUNS)
    for row in runs:
        requests = {endpoint: int(number) for number, endpoint in re.findall(r"(\d+) (\w+)", row[-1])}
        assert requests.items() >= RUNS[row[0]].items()
        if "plain script" in row[0]:
            assert requests == RUNS[row[0]]
        assert float(row[1]) > 0
        assert float(row[6]) > 1
    assert len(limits) == LIMITS
    assert [row[0] for row in rows(page, "How long it takes")] == [
        "read 1,000",
        "read 10,000",
        "read 1,000,000",
        "read and close 700, read back",
        "read and close 1,000",
        "read and close 7,000, read back",
        "read and close 1,000,000, read back",
    ]
    assert {row[-1] for row in limits} <= {"yes", "no"}
    for row in [*runs, *limits]:
        assert f"| {' | '.join(row)} |" in done.stdout
    assert str(ROOT) not in page
    assert str(tmp_path) not in page


def rows(page: str, heading: str) -> list[list[str]]:
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]
