"""The benchmark runs, their tenants and their limits."""

import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import plain_script
from benchmarks.child import FALCON_BULK, PLAIN_SCRIPT, Cost, measure
from benchmarks.conditions import BUSY, REAL, SCARCE, USUAL, Conditions, Scale
from benchmarks.local_tenant import LocalTenant, local_tenant

PAGE = 1_000
CPU_PER_PAGE = 0.035
"""Seconds of the client's CPU that a page of alerts may take: one core decodes all pages."""
COUNTS_IN_TURN = 3
"""By hour, by minute, by second; those of one kind are asked for at a time."""
WORKERS = 8
PACE = 0.5
FAST = ("--batch-delay", "0", "--workers", str(WORKERS))


@dataclass(frozen=True)
class Run:
    """One measured run. `floor` is the seconds that latency, pace, page size and the CPU of a page require."""

    what: str
    alerts: int
    cost: Cost
    requests: Counter[str]
    floor: float | None = None

    @property
    def ratio(self) -> float:
        """Return the wall-clock time as a multiple of the floor."""
        return self.cost.wall / self.floor if self.floor else math.nan

    @property
    def cpu_per_thousand(self) -> float:
        """Return milliseconds of client CPU per 1,000 alerts."""
        return 1000 * self.cost.cpu / (self.alerts / 1000)


@dataclass(frozen=True)
class Limit:
    """A measurement and its limit."""

    what: str
    measured: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Return whether the measurement is within the limit."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass
class Results:
    """All runs by key and all limits, in order. `page_bytes` is the size of 1,000 alerts on the wire."""

    runs: dict[str, Run] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    page_bytes: int = 0


class Benchmarks:
    """Runs all benchmarks. `say` is called with each run as it ends."""

    def __init__(self, scale: Scale, folder: Path, say: Callable[[Run], None]) -> None:
        self.scale = scale
        self.results = Results()
        self._folder = folder
        self._say = say

    def run_all(self) -> Results:
        """Run everything. Raises RuntimeError if a program fails or does not do what it should."""
        self._start_up()
        self._read_much()
        self._close_much()
        self._compare_with_plain_script()
        self._at_reported_latencies()
        self._under_other_conditions()
        return self.results

    def _read_much(self) -> None:
        with self._tenant(100_000) as tenant:
            self.results.page_bytes = tenant.page_bytes()
            even = self._hash_summary("even", tenant, spread="even")
            small = self._query_all("query", tenant)
        with self._tenant(100_000, "crowded") as tenant:
            crowded = self._hash_summary("crowded", tenant, spread="crowded")
        with self._tenant(400_000) as tenant:
            large = self._query_all("query large", tenant)
        for run in (even, crowded):
            self._limit(f"{run.what}: time", run.ratio, 1.4, "x floor")
        for run in (even, crowded):
            self._limit(f"{run.what}: client CPU", run.cpu_per_thousand, 35, "ms per 1,000 alerts")
        self._limit(f"{small.what}: client CPU", small.cpu_per_thousand, 25, "ms per 1,000 alerts")
        for run in (small, large):
            self._limit(f"{run.what}: peak memory", run.cost.memory, 220, "MB")
        growth = abs(large.cost.memory - small.cost.memory)
        self._limit("query --all: additional memory for four times the alerts", growth, 20, "MB")

    def _close_much(self) -> None:
        with self._tenant(20_000) as tenant:
            paced = self._bulk_close("close", tenant)
            fast = self._bulk_close("close fast", tenant, pace=FAST)
        self._limit(f"{paced.what}: time", paced.ratio, 1.2, "x floor")
        self._limit(f"{fast.what}: time", fast.ratio, 1.5, "x floor")

    def _compare_with_plain_script(self) -> None:
        with self._tenant(10_000) as tenant:
            plain = self._plain_script("plain", tenant)
            self._hash_summary("hash-summary small", tenant)
            new = self._bulk_close("close small", tenant)
            new_fast = self._bulk_close("close small fast", tenant, pace=FAST)
        for run, limit in ((new, 2.5), (new_fast, 5)):
            self._limit(
                f"{run.what}: faster than the plain script", plain.cost.wall / run.cost.wall, limit, "x", at_least=True
            )

    def _at_reported_latencies(self) -> None:
        with self._tenant(10_000, conditions=REAL) as tenant:
            self._plain_script("plain real", tenant)
            read = self._hash_summary("read 10,000", tenant)
            close = self._bulk_close("close 7,000", tenant, 7_000)
        with self._tenant(100_000, conditions=REAL) as tenant:
            read_all = self._hash_summary("read 100,000", tenant)
            close_all = self._bulk_close("close 70,000", tenant, 70_000)
        for run, limit in ((read, 8.5), (read_all, 22), (close, 28), (close_all, 95)):
            self._limit(f"{run.what}: time", run.cost.wall, limit * self.scale.part, "s")

    def _under_other_conditions(self) -> None:
        with self._tenant(100_000, conditions=BUSY) as tenant:
            self._hash_summary("busy", tenant)
        with self._tenant(20_000, conditions=SCARCE) as tenant:
            self._hash_summary("scarce", tenant)

    def _start_up(self) -> None:
        bare = self._run("python -c pass", "python", (sys.executable, "-c", "pass"), times=5 * self.scale.times)
        helped = self._run("falcon-bulk --help", "help", (*FALCON_BULK, "--help"), times=5 * self.scale.times)
        self._limit(
            "falcon-bulk --help: time beyond python -c pass", 1000 * (helped.cost.wall - bare.cost.wall), 150, "ms"
        )

    def _hash_summary(self, key: str, tenant: LocalTenant, *, spread: str = "") -> Run:
        what = f"hash-summary of {tenant.alerts:,}"
        return self._read(
            ", ".join(filter(None, (what, spread))), key, self._falcon_bulk("hash-summary", tenant), tenant
        )

    def _query_all(self, key: str, tenant: LocalTenant) -> Run:
        argv = self._falcon_bulk("query", tenant, "--all", "--format", "jsonl")
        return self._read(f"query --all of {tenant.alerts:,}", key, argv, tenant)

    def _read(self, what: str, key: str, argv: Sequence[str], tenant: LocalTenant) -> Run:
        def floor(requests: Counter[str]) -> float:
            return _reading_floor(tenant.alerts, requests, tenant.conditions)

        times = self.scale.times if tenant.conditions.part < 1 and not tenant.conditions.per_minute else 1
        return self._run(what, key, argv, tenant, tenant.alerts, floor, times=times)

    def _bulk_close(self, key: str, tenant: LocalTenant, full: int | None = None, *, pace: Sequence[str] = ()) -> Run:
        """Close that many alerts, or all: those that are new."""
        new = tenant.alerts if full is None else self.scale.alerts(full)
        tenant.set_new(new)
        argv = self._falcon_bulk("bulk-close", tenant, "--status", "new", "--override", "all", "--yes")
        batches = math.ceil(new / PAGE)
        latency = tenant.conditions.latencies

        def floor(requests: Counter[str]) -> float:
            if requests["patch"] != batches:
                raise RuntimeError(f"{requests['patch']} changes were sent instead of {batches}")
            sending = batches * latency["patch"] / WORKERS if pace else (batches - 1) * PACE + latency["patch"]
            return _reading_floor(new, requests, tenant.conditions) + sending + latency["entities"]

        what = f"bulk-close of {new:,}" + (f" of {tenant.alerts:,}" if new < tenant.alerts else "")
        what += f", {' '.join(pace)}" if pace else ""
        run = self._run(what, key, (*argv, "--expect", str(new), *pace), tenant, new, floor)
        if tenant.statuses() != Counter(closed=new) + Counter(in_progress=tenant.alerts - new):
            raise RuntimeError(f"{what} left alerts open: {tenant.statuses()}")
        return run

    def _plain_script(self, key: str, tenant: LocalTenant) -> Run:
        """Run the plain script, reading, then reading and closing; its requests are known beforehand."""
        tenant.set_new(tenant.alerts)
        latency = tenant.conditions.latencies
        pages, chunks = math.ceil(tenant.alerts / plain_script.ID_PAGE), math.ceil(tenant.alerts / plain_script.CHUNK)
        batches = math.ceil(tenant.alerts / plain_script.BATCH)
        reading = pages * latency["queries"] + chunks * latency["entities"]
        closing = batches * (latency["patch"] + plain_script.PAUSE)

        def floor_of(expected: Counter[str], seconds: float) -> Callable[[Counter[str]], float]:
            def floor(requests: Counter[str]) -> float:
                if requests != expected:
                    raise RuntimeError(f"the plain script made {dict(requests)} requests, not {dict(expected)}")
                return seconds

            return floor

        argv = (*PLAIN_SCRIPT, str(tenant.env_file))
        read = Counter(queries=pages, entities=chunks)
        what = f"plain script, reading {tenant.alerts:,}"
        self._run(what, f"{key} read", argv, tenant, tenant.alerts, floor_of(read, reading))
        what = f"plain script, reading and closing {tenant.alerts:,}"
        floor = floor_of(read + Counter(patch=batches), reading + closing)
        return self._run(what, f"{key} close", (*argv, "--close"), tenant, tenant.alerts, floor)

    def _run(
        self,
        what: str,
        key: str,
        argv: Sequence[str],
        tenant: LocalTenant | None = None,
        alerts: int = 0,
        floor: Callable[[Counter[str]], float] | None = None,
        *,
        times: int = 1,
    ) -> Run:
        """Run a program `times` times and return the fastest run. `floor` computes its floor from its requests."""
        what = f"{what}, {tenant.conditions.what}" if tenant is not None and tenant.conditions.what else what
        runs = []
        for _ in range(times):
            if tenant is not None:
                tenant.requests()
            cost = measure(argv, self._folder, timeout=self.scale.timeout)
            requests = tenant.requests() if tenant is not None else Counter()
            runs.append(Run(what, alerts, cost, requests, floor(requests) if floor else None))
        best = min(runs, key=lambda run: run.cost.wall)
        self.results.runs[key] = best
        self._say(best)
        return best

    def _limit(self, what: str, measured: float, limit: float, unit: str, *, at_least: bool = False) -> None:
        self.results.limits.append(Limit(what, measured, limit, unit, at_least))

    def _falcon_bulk(self, command: str, tenant: LocalTenant, *options: str) -> tuple[str, ...]:
        return (*FALCON_BULK, command, "--env-file", str(tenant.env_file), *options)

    def _tenant(
        self, full: int, spread: str = "even", conditions: Conditions = USUAL
    ) -> AbstractContextManager[LocalTenant]:
        alerts, scaled = self.scale.alerts(full), self.scale.conditions(conditions)
        return local_tenant(self._folder, alerts=alerts, spread=spread, conditions=scaled)


def _reading_floor(alerts: int, requests: Counter[str], conditions: Conditions) -> float:
    """Return the seconds that reading alerts takes at least."""
    latency = conditions.latencies
    pages = math.ceil(alerts / PAGE)
    counts = min(requests["aggregates"], COUNTS_IN_TURN)
    waits = math.ceil(pages / conditions.at_once) * latency["combined"] + counts * latency["aggregates"]
    return waits + pages * CPU_PER_PAGE + conditions.seconds_of_limit(requests.total())
