"""What is run, on which tenant, and what each run has to keep to."""

import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import old_way
from benchmarks.child import FALCON_BULK, OLD_WAY, Cost, measure
from benchmarks.local_tenant import LocalTenant, local_tenant

PAGE = 1_000
READERS = 8
WORKERS = 8
PACE = 0.5
LATENCIES = {"queries": 0.3, "entities": 0.45, "combined": 0.45, "patch": 1.0, "aggregates": 0.15}
FAST = ("--batch-delay", "0", "--workers", str(WORKERS))


@dataclass(frozen=True)
class Scale:
    """How large: `part` of the alerts and of the latencies, how often a short run is repeated (a very short
    one five times that), and the seconds that each may take."""

    part: float
    times: int
    timeout: float

    def alerts(self, full: int) -> int:
        """The number of alerts at this scale."""
        return round(full * self.part)

    @property
    def latencies(self) -> dict[str, float]:
        """Seconds by endpoint."""
        return {endpoint: round(seconds * self.part, 4) for endpoint, seconds in LATENCIES.items()}


FULL = Scale(1.0, 2, 300.0)
QUICK = Scale(0.1, 1, 60.0)


@dataclass(frozen=True)
class Run:
    """One measured run. floor: the seconds that latency, pace and page size alone take."""

    what: str
    alerts: int
    cost: Cost
    requests: Counter[str]
    floor: float | None = None

    @property
    def ratio(self) -> float:
        """Times the floor."""
        return self.cost.wall / self.floor if self.floor else math.nan

    @property
    def cpu_per_thousand(self) -> float:
        """Milliseconds of the client's CPU for 1,000 alerts."""
        return 1000 * self.cost.cpu / (self.alerts / 1000)


@dataclass(frozen=True)
class Limit:
    """A measured number and what it has to keep to."""

    what: str
    measured: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """True if it does."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass
class Results:
    """All runs and limits, by key and in order; page_bytes is what 1,000 alerts are on the wire."""

    runs: dict[str, Run] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    page_bytes: int = 0


class Benchmarks:
    """Takes the measure of everything. say: told of each run as it ends."""

    def __init__(self, scale: Scale, folder: Path, say: Callable[[Run], None]) -> None:
        self.scale = scale
        self.results = Results()
        self._folder = folder
        self._say = say

    def run_all(self) -> Results:
        """Run everything. Raises RuntimeError where a program fails or does not do what it was run for."""
        self._start_up()
        with self._tenant(100_000) as tenant:
            self.results.page_bytes = tenant.page_bytes()
            even = self._hash_summary("even", tenant, 100_000)
            small = self._query_all("query", tenant, 100_000)
        with self._tenant(100_000, "crowded") as tenant:
            crowded = self._hash_summary("crowded", tenant, 100_000)
        with self._tenant(400_000) as tenant:
            large = self._query_all("query large", tenant, 400_000)
        with self._tenant(20_000) as tenant:
            paced = self._bulk_close("close", tenant, 20_000)
            fast = self._bulk_close("close fast", tenant, 20_000, FAST)
        with self._tenant(10_000) as tenant:
            old = self._old_ways(tenant, 10_000)
            self._hash_summary("hash-summary small", tenant, 10_000)
            new = self._bulk_close("close small", tenant, 10_000)
            new_fast = self._bulk_close("close small fast", tenant, 10_000, FAST)
        for run in (even, crowded):
            self._limit(f"{run.what}: time", run.ratio, 1.4, "x floor")
        for run in (even, crowded):
            self._limit(f"{run.what}: client CPU", run.cpu_per_thousand, 35, "ms per 1,000 alerts")
        self._limit(f"{small.what}: client CPU", small.cpu_per_thousand, 30, "ms per 1,000 alerts")
        for run in (small, large):
            self._limit(f"{run.what}: peak memory", run.cost.memory, 200, "MB")
        growth = abs(large.cost.memory - small.cost.memory)
        self._limit("query --all: memory that four times the alerts take more", growth, 20, "MB")
        self._limit(f"{paced.what}: time", paced.ratio, 1.2, "x floor")
        self._limit(f"{fast.what}: time", fast.ratio, 1.5, "x floor")
        for run, limit in ((new, 2.5), (new_fast, 5)):
            self._limit(
                f"{run.what}: faster than the old way", old.cost.wall / run.cost.wall, limit, "x", at_least=True
            )
        return self.results

    def _start_up(self) -> None:
        bare = self._run("python -c pass", "python", (sys.executable, "-c", "pass"), times=5 * self.scale.times)
        helped = self._run("falcon-bulk --help", "help", (*FALCON_BULK, "--help"), times=5 * self.scale.times)
        self._limit(
            "falcon-bulk --help: more than python -c pass", 1000 * (helped.cost.wall - bare.cost.wall), 150, "ms"
        )

    def _hash_summary(self, key: str, tenant: LocalTenant, full: int) -> Run:
        spread = f", {key}" if key in ("even", "crowded") else ""
        argv = self._falcon_bulk("hash-summary", tenant)
        return self._read(f"hash-summary of {self._number(full)}{spread}", key, argv, tenant, full)

    def _query_all(self, key: str, tenant: LocalTenant, full: int) -> Run:
        argv = self._falcon_bulk("query", tenant, "--all", "--format", "jsonl")
        return self._read(f"query --all of {self._number(full)}", key, argv, tenant, full)

    def _read(self, what: str, key: str, argv: Sequence[str], tenant: LocalTenant, full: int) -> Run:
        alerts = self.scale.alerts(full)

        def floor(requests: Counter[str]) -> float:
            return self._reading_floor(alerts, requests)

        return self._run(what, key, argv, tenant, alerts, floor, times=self.scale.times)

    def _bulk_close(self, key: str, tenant: LocalTenant, full: int, pace: Sequence[str] = ()) -> Run:
        alerts = tenant.set_all("new")
        argv = self._falcon_bulk("bulk-close", tenant, "--status", "new", "--override", "all", "--yes")
        batches = math.ceil(alerts / PAGE)
        latency = self.scale.latencies

        def floor(requests: Counter[str]) -> float:
            if requests["patch"] != batches:
                raise RuntimeError(f"{requests['patch']} changes were sent instead of {batches}")
            sending = batches * latency["patch"] / WORKERS if pace else (batches - 1) * PACE + latency["patch"]
            return self._reading_floor(alerts, requests) + sending + latency["entities"]

        what = f"bulk-close of {self._number(full)}" + (f", {' '.join(pace)}" if pace else "")
        run = self._run(what, key, (*argv, "--expect", str(alerts), *pace), tenant, alerts, floor)
        if tenant.statuses() != {"closed": alerts}:
            raise RuntimeError(f"{what} left alerts open: {tenant.statuses()}")
        return run

    def _old_ways(self, tenant: LocalTenant, full: int) -> Run:
        """The old way, reading, then reading and closing; its requests are known beforehand."""
        alerts = tenant.set_all("new")
        latency = self.scale.latencies
        pages, chunks = math.ceil(alerts / old_way.ID_PAGE), math.ceil(alerts / old_way.CHUNK)
        batches = math.ceil(alerts / old_way.BATCH)
        reading = pages * latency["queries"] + chunks * latency["entities"]
        closing = batches * (latency["patch"] + old_way.PAUSE)

        def floor_of(expected: Counter[str], seconds: float) -> Callable[[Counter[str]], float]:
            def floor(requests: Counter[str]) -> float:
                if requests != expected:
                    raise RuntimeError(f"the old way made {dict(requests)} requests, not {dict(expected)}")
                return seconds

            return floor

        argv = (*OLD_WAY, str(tenant.env_file))
        read = Counter(queries=pages, entities=chunks)
        what = f"the old way, reading {self._number(full)}"
        self._run(what, "old read", argv, tenant, alerts, floor_of(read, reading))
        what = f"the old way, reading and closing {self._number(full)}"
        floor = floor_of(read + Counter(patch=batches), reading + closing)
        return self._run(what, "old close", (*argv, "--close"), tenant, alerts, floor)

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
        """The fastest of some runs. floor: takes the requests it made."""
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

    def _reading_floor(self, alerts: int, requests: Counter[str]) -> float:
        latency = self.scale.latencies
        pages = math.ceil(alerts / PAGE)
        return pages * latency["combined"] / READERS + requests["aggregates"] * latency["aggregates"]

    def _falcon_bulk(self, command: str, tenant: LocalTenant, *options: str) -> tuple[str, ...]:
        return (*FALCON_BULK, command, "--env-file", str(tenant.env_file), *options)

    def _number(self, full: int) -> str:
        return f"{self.scale.alerts(full):,}"

    def _tenant(self, full: int, spread: str = "even") -> AbstractContextManager[LocalTenant]:
        return local_tenant(self._folder, alerts=self.scale.alerts(full), spread=spread, latencies=self.scale.latencies)
