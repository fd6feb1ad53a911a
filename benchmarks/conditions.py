"""How large the benchmarks are, and how the tenants answer that they run on."""

from dataclasses import dataclass, replace

READERS = 32
LATENCIES = {"queries": 3.0, "entities": 4.5, "combined": 4.5, "patch": 10.0, "aggregates": 3.0}
"""Seconds that a real tenant was reported to take for ids, 1,000 documents and 1,000 updates; counts as for ids."""


@dataclass(frozen=True)
class Conditions:
    """How a tenant answers.

    what: completes the name of a run. part: of the reported latencies. concurrency: requests in flight beyond which it
    slows down. per_minute: requests that it allows a minute.
    """

    what: str = ""
    part: float = 0.1
    concurrency: int | None = None
    per_minute: int | None = None

    @property
    def latencies(self) -> dict[str, float]:
        """Return the latencies in seconds, by endpoint."""
        return {endpoint: round(seconds * self.part, 4) for endpoint, seconds in LATENCIES.items()}

    @property
    def switches(self) -> dict[str, float]:
        """Return the switches of the emulator that make it answer so."""
        limits = {"concurrency": self.concurrency, "rate_limit": self.per_minute}
        latencies = {f"latency_{endpoint}": seconds for endpoint, seconds in self.latencies.items()}
        return latencies | {name: number for name, number in limits.items() if number is not None}

    @property
    def at_once(self) -> int:
        """Return how many pages come in one latency."""
        return min(READERS, self.concurrency or READERS)

    def seconds_of_limit(self, requests: int) -> float:
        """Return the seconds that so many requests take where a minute allows only some."""
        return 60 * max(0.0, requests / self.per_minute - 1) if self.per_minute else 0.0


USUAL = Conditions()
REAL = Conditions("reported latencies", part=1.0)
BUSY = Conditions("slower beyond 10 in flight", concurrency=10)
SCARCE = Conditions("15 requests a minute", per_minute=15)


@dataclass(frozen=True)
class Scale:
    """The size of the benchmarks.

    part: fraction of the alerts and latencies. times: repetitions of a short run (five times as many for a very short
    one). timeout: seconds that each run may take.
    """

    part: float
    times: int
    timeout: float

    def alerts(self, full: int) -> int:
        """Return the number of alerts at this scale."""
        return round(full * self.part)

    def conditions(self, conditions: Conditions) -> Conditions:
        """Return the conditions at this scale."""
        return replace(conditions, part=conditions.part * self.part)


FULL = Scale(1.0, 2, 300.0)
QUICK = Scale(0.1, 1, 60.0)
