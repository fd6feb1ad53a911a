"""Format the results as Markdown: what a user waits for first, with estimates for what was not run."""

import os
import platform
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.conditions import BUSY, LATENCIES, READERS, REAL, SCARCE, USUAL, Scale
from benchmarks.plain_script import BATCH, CHUNK, ID_PAGE, MAX_OFFSET, PAUSE
from benchmarks.runs import CPU_PER_PAGE, PACE, PAGE, WORKERS, Limit, Results, Run

QUOTA = 6_000
MILLION = 1_000
CUSTOMERS = 500
EACH = 10_000
LINE = 100.0


def page(results: Results, scale: Scale) -> str:
    """Return all of docs/benchmarks.md."""
    parts = [
        "# Benchmarks",
        "```console\n$ make bench\n```",
        *_setting(scale),
        "## How long it takes",
        *_overview(results, scale),
        "## Runs",
        _paragraph(_RUNS),
        runs_table(results),
        "## Limits",
        limits_table(results),
        "## A million alerts",
        *_million(results),
        "## 500 customers",
        *_customers(results),
    ]
    return "\n\n".join(parts) + "\n"


_RUNS = f"""
    Unless a run says otherwise, the latencies are a tenth of the reported ones. `floor` adds up the latencies of
    pages of {PAGE:,} alerts with {READERS} readers, the pace of changes ({PACE:g} s between batches, unless stated),
    and {1000 * CPU_PER_PAGE:g} ms of CPU a page; a run that computes while it waits can be faster. CPU and peak memory
    are the client's. Logins are not counted.
    "{BUSY.what}": with more requests in flight all take longer in proportion, so that {READERS} readers gain nothing.
    "{SCARCE.what}": what is beyond is refused (429) for a minute."""


def runs_table(results: Results) -> str:
    """Return a table with a row for each run."""
    titles = ("run", "seconds", "floor", "ratio", "client CPU, s", "ms per 1,000", "peak MB", "requests")
    return _table(titles, map(_run_row, results.runs.values()))


def limits_table(results: Results) -> str:
    """Return a table with a row for each limit."""
    return _table(("what", "measured", "limit", "kept"), map(_limit_row, results.limits))


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _run_row(run: Run) -> tuple[str, ...]:
    requests = ", ".join(f"{number} {endpoint}" for endpoint, number in sorted(run.requests.items()))
    return (
        run.what,
        f"{run.cost.wall:.2f}",
        f"{run.floor:.2f}" if run.floor else "",
        f"{run.ratio:.2f}" if run.floor else "",
        f"{run.cost.cpu:.2f}",
        f"{run.cpu_per_thousand:.0f}" if run.alerts else "",
        f"{run.cost.memory:.0f}",
        requests,
    )


def _limit_row(limit: Limit) -> tuple[str, ...]:
    bound = "at least" if limit.at_least else "at most"
    digits = 0 if limit.unit.startswith(("ms", "MB")) else 1 if limit.unit == "s" else 2
    measured = f"{limit.measured:.{digits}f} {limit.unit}"
    return limit.what, measured, f"{bound} {limit.limit:g}", "yes" if limit.kept else "no"


def _setting(scale: Scale) -> Iterator[str]:
    small = (
        "" if scale.part == 1 else f" With {scale.part:g} of the size and latencies this is a trial, not a benchmark."
    )
    yield _paragraph(f"""
        wrote this page on {_machine()}.{small} The tenant is the emulator, in its own process on the same machine.
        Reading runs at short latencies are the fastest of {scale.times}.""")
    yield _paragraph(f"""
        The plain script uses FalconPy without a session: ids by offset, {ID_PAGE:,} at a time, details in chunks of
        {CHUNK:,}, updates one after another in batches of {BATCH:,} with a pause of {PAUSE:g} s. It cannot read more
        than {MAX_OFFSET:,} alerts. `bulk-close` also reads the alerts, and reads back what it changed.""")


def _overview(results: Results, scale: Scale) -> Iterator[str]:
    """Yield how long a user waits, beside a plain script and what others report."""
    latency = scale.conditions(REAL).latencies
    yield _paragraph(f"""
        With the latencies that a real tenant was reported to have: {latency["queries"]:g} s for 1,000 ids,
        {latency["combined"]:g} s for 1,000 documents, {latency["patch"]:g} s for 1,000 updates. For counts, of which
        nothing is reported, {latency["aggregates"]:g} s are taken.""")
    read, read_all = results.runs["read 10,000"], results.runs["read 100,000"]
    close, close_all = results.runs["close 7,000"], results.runs["close 70,000"]
    plain_read, plain_close = results.runs["plain real read"], results.runs["plain real close"]
    beyond = f"ends at {plain_read.alerts:,}"
    ten_pages = 10 * (LATENCIES["queries"] + LATENCIES["combined"])
    hundred_updates = 100 * LATENCIES["patch"]
    rows = [
        (f"read {read.alerts:,}", _clock(read), _clock(plain_read), f"{ten_pages:g} s for 10,000: listed, then read"),
        (f"read {read_all.alerts:,}", _clock(read_all), beyond, ""),
        ("read 1,000,000", f"about {_of_a_million(read_all)}", beyond, ""),
        (f"read and close {close.alerts:,}, read back", _clock(close), "", ""),
        (f"read and close {plain_close.alerts:,}", "", _clock(plain_close), ""),
        (
            f"read and close {close_all.alerts:,}, read back",
            _clock(close_all),
            beyond,
            f"{_duration(hundred_updates)} for 100,000: updates alone",
        ),
        ("read and close 1,000,000, read back", f"about {_of_a_million(close_all)}", beyond, ""),
    ]
    yield _table(("alerts", "falcon-bulk", "plain script", "as reported, one request after another"), rows)
    yield _paragraph(f"""
        A million is estimated from {read_all.alerts:,} and from {close_all.alerts:,}; all else was run.""")


def _machine() -> str:
    cpu = platform.machine()
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        names = [line.partition(":")[2].strip() for line in listed.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return f"{cpu} with {os.cpu_count()} cores, Python {platform.python_version()}"


def _million(results: Results) -> Iterator[str]:
    reading, closing, fast = (results.runs[key] for key in ("read 100,000", "close 70,000", "close fast"))
    waits = MILLION * LATENCIES["combined"] / READERS
    cpu = reading.cpu_per_thousand
    changed = _requests_per_page(closing) * MILLION
    fast_sending = MILLION * USUAL.latencies["patch"] / WORKERS
    requests = _requests_per_page(reading) * MILLION
    megabytes = results.page_bytes * MILLION / 1e6
    rows = [
        ("latency", f"{LATENCIES['combined']:g} s a page, {READERS} at a time", _duration(waits)),
        ("CPU of one core", f"{cpu:.0f} ms a page", _duration(cpu * MILLION / 1000)),
        ("bandwidth", f"{megabytes:,.0f} MB gzipped, at {LINE:g} Mbit/s", _duration(megabytes * 8 / LINE)),
        ("quota", f"{requests:,.0f} requests, half of {QUOTA:,} a minute", _duration(requests / QUOTA * 120)),
    ]
    yield _paragraph(f"""
        Reading a million alerts takes {MILLION:,} pages; at the speed measured here, with the reported latencies,
        {_of_a_million(reading)}. The bounds:""")
    yield _table(("bound", "from", "takes at least"), rows)
    yield _paragraph("""
        The largest bound decides. More readers shorten only the first; one core unpacks and decodes all pages.""")
    yield _paragraph(f"""
        Closing a million alerts takes {MILLION:,} batches and, including reading and reading back, {changed:,.0f}
        requests. At the default pace the batches take {_duration(MILLION * PACE)}, however fast the answers are; with
        `--batch-delay 0 --workers {WORKERS}` and {USUAL.latencies["patch"]:g} s per answer, {_duration(fast_sending)}.
        At the speed measured here it takes {_of_a_million(closing)} with the reported latencies, and
        {_of_a_million(fast)} with a tenth of them and without a pace. The quota is not a bound:
        {_per_minute(closing):,.0f} and {_per_minute(fast):,.0f} requests a minute, of the {QUOTA:,} that all
        integrations of a customer share.""")


def _customers(results: Results) -> Iterator[str]:
    small = results.runs["hash-summary small"]
    pages = CUSTOMERS * EACH / PAGE
    share = EACH / small.alerts
    one_by_one = CUSTOMERS * small.cost.wall * share
    megabytes = results.page_bytes * pages / 1e6
    rows = [
        ("one after another", _duration(one_by_one)),
        ("CPU of one core", _duration(CUSTOMERS * small.cost.cpu * share)),
        (f"bandwidth of {LINE:g} Mbit/s ({megabytes:,.0f} MB)", _duration(megabytes * 8 / LINE)),
    ]
    yield _paragraph(f"""
        Each CID has its own quota, so customers do not use up each other's. `hash-summary` of {EACH:,} alerts took
        {small.cost.wall * share:.1f} s here and {small.cost.cpu * share:.1f} s of CPU, including the start; for
        {CUSTOMERS} such customers:""")
    yield _table(("bound", "takes"), rows)
    yield _paragraph("""
        Working on several customers at once uses the waiting time of one for the others, up to the limits of CPU and
        bandwidth. All share the token endpoint, with 300 logins a minute from one address.""")


def _requests_per_page(run: Run) -> float:
    return sum(run.requests.values()) / (run.alerts / PAGE)


def _per_minute(run: Run) -> float:
    return 60 * sum(run.requests.values()) / run.cost.wall


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _clock(run: Run) -> str:
    return _duration(run.cost.wall)


def _of_a_million(run: Run) -> str:
    return _duration(run.cost.wall * 1e6 / run.alerts)


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)
