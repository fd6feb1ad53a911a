"""`python -m benchmarks`: run all benchmarks, print the tables, write the page."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.conditions import FULL, QUICK
from benchmarks.page import limits_table, page, runs_table
from benchmarks.runs import Benchmarks, Run


def main() -> None:
    """Run everything. A measurement above its limit is only shown; a wrong number of requests is an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time, requests, CPU and memory.")
    parser.add_argument("--quick", action="store_true", help="a trial with a tenth of the size and the latencies")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page with the results")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    with tempfile.TemporaryDirectory(prefix="falcon-bulk-benchmarks-") as folder:
        results = Benchmarks(scale, Path(folder), _report).run_all()
    print(f"{runs_table(results)}\n\n{limits_table(results)}")
    if arguments.write:
        arguments.write.write_text(page(results, scale), encoding="utf-8")


def _report(run: Run) -> None:
    print(f"{run.what}: {run.cost.wall:.2f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
