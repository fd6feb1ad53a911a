"""`python -m benchmarks`: run them all, print the tables, write the page."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.page import limits_table, page, runs_table
from benchmarks.runs import FULL, QUICK, Benchmarks, Run


def main() -> None:
    """Run everything; a number beyond its limit is shown, a wrong number of requests ends it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time, requests, CPU and memory.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size and the latencies, to try it out")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page with the results")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    with tempfile.TemporaryDirectory(prefix="falcon-bulk-benchmarks-") as folder:
        results = Benchmarks(scale, Path(folder), _say).run_all()
    print(f"{runs_table(results)}\n\n{limits_table(results)}")
    if arguments.write:
        arguments.write.write_text(page(results, scale), encoding="utf-8")


def _say(run: Run) -> None:
    print(f"{run.what}: {run.cost.wall:.2f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
