"""`doctor --probe` finds every read switch of the emulator that is set, in any combination, and is never wrong.

What one switch hides of another is listed in `is_hidden`: there, and nowhere else, "cannot tell" is an answer.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest

from falcon_bulk.model.doctor import CANNOT_TELL, Finding
from falcon_bulk.operations.doctor.probe.run import probe
from falcon_emulator import Server, Switches, Tenant
from tests.support.clients import client_for
from tests.support.fake_clock import FakeClock
from tests.support.sampling import quick_first

ALERTS = 1_300
Setting = dict[str, Any]

SETTINGS: tuple[Setting, ...] = (
    {"errors_when_none": "empty"},
    {"errors_when_none": "absent"},
    {"resources_when_none": "null"},
    {"resources_when_none": "absent"},
    {"last_after": "absent"},
    {"partial_pages": "once"},
    {"partial_pages": "once", "partial_code": 429},
    {"partial_pages": "always"},
    {"partial_pages": "always", "partial_code": 404},
    {"empty_page": "last"},
    {"empty_page": "once"},
    {"empty_page": "always"},
    {"after_seconds": 1e-6},
    {"after_seconds": 1e-6, "after_expired": "200"},
    {"slow_page": 300},
    {"slow_page": 60},
    {"combined_mode": "missing_404"},
    {"combined_mode": "refuse_403"},
    {"failing_fields": "entities.sha256"},
    {"failing_fields": "show_in_ui"},
    {"failing_fields": "created_timestamp status"},
    {"entities_max_ids": 500},
    {"entities_max_ids": 20},
    {"url_limit": 4_000},
    {"window_error": 400},
    {"queries_max_limit": 1_000},
    {"combined_hidden": "omitted"},
    {"unknown_field": "empty_clause"},
    {"negation": "needs_field"},
    {"entities_sha256": "no_match"},
    {"entities_sha256": "unknown_field"},
    {"nested_hash_fields": True},
    {"bare_mix": "left_to_right"},
    {"bare_mix": "refuse"},
    {"time_precision": "ns"},
    {"unknown_entity": "errors"},
    {"rate_headers": "absent"},
    {"rate_limit": 3_000},
    {"region": "eu-1"},
    {"region": "none"},
    {"deprecation": "this version will go"},
    {"clock_ahead": 600.0},
    {"aggregates_mode": "refuse_500"},
    {"aggregates_mode": "refuse_403"},
    {"aggregates_mode": "undercount"},
    {"aggregates_mode": "lower_case"},
    {"aggregates_mode": "empty"},
    {"minute_histogram": "works"},
    {"aggregate_entities": True},
    {"aggregates_max_size": 500},
    {"aggregates_over_size": "lowered"},
    {"aggregates_max_size": 500, "aggregates_over_size": "lowered"},
    {"sum_other": "absent"},
)


@dataclass
class Probed:
    """A tenant whose switches are set anew for each probe."""

    server: Server
    tenant: Tenant

    def findings(self, setting: Mapping[str, Any]) -> dict[str, Finding]:
        """Set these switches and no others, and probe the tenant without waiting."""

        def set_switches() -> None:
            switches = Switches(**setting)
            for name in Switches.__struct_fields__:
                setattr(self.tenant.switches, name, getattr(switches, name))
            self.tenant.cut_endpoints.clear()
            self.tenant.emptied.clear()
            self.tenant.rate._windows.clear()

        self.server.call(set_switches)
        client = client_for(self.tenant, self.server)
        try:
            found = probe(client.observer(), FakeClock(chance=0.5), lambda: client.clock_ahead, quick=True)
        finally:
            client.close()
        return {finding.question: finding for finding in found}


@pytest.fixture(scope="module")
def probed() -> Iterator[Probed]:
    tenant = Tenant(alerts=ALERTS, seed=3)
    with Server(tenant) as server:
        yield Probed(server, tenant)


def expected(switches: Switches) -> dict[str, str]:
    """Return how the answer to each question begins, by switch."""
    refused = switches.aggregates_mode.startswith("refuse_")
    status = {"refuse_500": 500, "refuse_403": 403}.get(switches.aggregates_mode)
    failing = set(switches.failing_fields.split())
    part = {"never": "never", "once": "once", "always": "always"}[switches.partial_pages]
    combined = {"works": "works", "missing_404": "missing", "refuse_403": "forbidden"}[switches.combined_mode]
    entities = {"matches": "matches", "no_match": "no_match", "unknown_field": "not_searched"}
    largest_limit = "too slow (504)" if switches.slow_page else "answered"
    size, lowered = switches.aggregates_max_size, switches.aggregates_over_size == "lowered"
    return {
        "no errors": switches.errors_when_none,
        "no resources": switches.resources_when_none,
        "last page": switches.last_after,
        "answers in part": part if part == "never" else f"{part} ({switches.partial_code})",
        "empty pages": switches.empty_page,
        "life of `after`": f"expires ({switches.after_expired})" if switches.after_seconds else CANNOT_TELL,
        "large requests": "504" if switches.slow_page else "answered",
        "combined search": combined,
        "the tool's own filters": "fails" if failing else "answered",
        "ids in a request": "413" if switches.entities_max_ids < 1_000 else "answered",
        "long filters in a URL": "answered" if switches.url_limit > 6_500 else "refused (414)",
        "beyond 10,000 ids": str(switches.window_error),
        "`limit` of 10,000 ids": largest_limit if switches.queries_max_limit == 10_000 else "refused (400)",
        "hidden alerts": switches.combined_hidden,
        "unknown field in an OR": switches.unknown_field,
        "`!` and missing fields": switches.negation,
        "`entities.sha256`": "fails" if "entities.sha256" in failing else entities[switches.entities_sha256],
        "hashes of related files": "searched" if switches.nested_hash_fields else "not_searched",
        "`,` and `+` without parentheses": "refused" if switches.bare_mix == "refuse" else switches.bare_mix,
        "precision of times": switches.time_precision,
        "an unknown id": switches.unknown_entity,
        "rate limit headers": "absent" if switches.rate_headers == "absent" else f"shown ({switches.rate_limit})",
        "region header": "absent" if switches.region == "none" else switches.region,
        "deprecation headers": "shown" if switches.deprecation else "absent",
        "clock": "-10 min" if switches.clock_ahead else "same",
        "counts (aggregates)": f"refused ({status})"
        if refused
        else {"undercount": "differ", "empty": "empty"}.get(switches.aggregates_mode, "correct"),
        "`minute` histograms": "works" if switches.minute_histogram == "works" else "refused (500)",
        "buckets of a count": f"{size}, more {'lowered' if lowered else 'refused'}",
        "alerts in no bucket": switches.sum_other,
        "capitals in counted values": "lower_case" if switches.aggregates_mode == "lower_case" else "kept",
        "counts by `entities.sha256`": "works"
        if switches.aggregate_entities and switches.entities_sha256 == "matches"
        else "no_buckets",
        "unknown fields": "looked at",
        "latency": "measured",
    }


def is_hidden(question: str, switches: Switches) -> bool:
    """Return whether other switches hide the answer to a question."""
    failing = switches.failing_fields.split()
    no_pages = switches.combined_mode != "works"
    no_counts = switches.aggregates_mode.startswith("refuse_")
    match question:
        case "last page" | "hidden alerts":
            return no_pages
        case "empty pages":
            return no_pages or (switches.after_seconds > 0 and switches.empty_page != "last")
        case "life of `after`":
            return no_pages
        case "precision of times":
            return "created_timestamp" in failing
        case "`entities.sha256`":
            return switches.entities_sha256 == "no_match" and switches.negation == "needs_field"
        case "counts (aggregates)":
            return switches.partial_pages == "always" and not no_counts
        case "`minute` histograms":
            return no_counts
        case "alerts in no bucket":
            return no_counts
        case "counts by `entities.sha256`":
            return no_counts or switches.partial_pages == "always"
        case "capitals in counted values":
            return no_counts or switches.aggregates_mode == "empty"
        case "buckets of a count":
            in_part = switches.partial_pages == "always" and switches.aggregates_over_size == "lowered"
            return no_counts or in_part or switches.aggregates_mode == "empty"
    return False


def check(probed: Probed, setting: Setting) -> None:
    findings, switches = probed.findings(setting), Switches(**setting)
    for question, answer in expected(switches).items():
        finding = findings[question]
        if finding.answer == CANNOT_TELL:
            assert answer == CANNOT_TELL or is_hidden(question, switches), finding
        elif is_hidden(question, switches):
            assert finding.answer.startswith((answer, "not_searched")), (answer, finding)
        else:
            assert finding.answer.startswith(answer), (answer, finding)
        assert finding.what
        assert finding.effect


def combined(*settings: Setting) -> Setting | None:
    """Return settings in one, None if two of them set the same switch."""
    names = [name for setting in settings for name in setting]
    return (
        {name: value for setting in settings for name, value in setting.items()}
        if len(set(names)) == len(names)
        else None
    )


PAIRS = [pair for one, other in combinations(SETTINGS, 2) if (pair := combined(one, other))]


def random_settings(count: int, seed: int) -> list[Setting]:
    """Return combinations of three to six settings."""
    draw = random.Random(seed)
    found: list[Setting] = []
    while len(found) < count:
        if setting := combined(*draw.sample(SETTINGS, draw.randint(3, 6))):
            found.append(setting)
    return found


def is_named(setting: Setting) -> str:
    return ",".join(f"{name}={value}" for name, value in setting.items())


def test_the_defaults_are_found(probed: Probed) -> None:
    check(probed, {})


@pytest.mark.parametrize("setting", quick_first(*SETTINGS, quick=2), ids=is_named)
def test_each_switch_is_found(probed: Probed, setting: Setting) -> None:
    check(probed, setting)


@pytest.mark.parametrize("setting", quick_first(*random_settings(40, 7), quick=2), ids=is_named)
def test_switches_are_found_in_combinations(probed: Probed, setting: Setting) -> None:
    check(probed, setting)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_switches_are_found_in_pairs(probed: Probed, part: int) -> None:
    for pair in random.Random(11).sample(PAIRS, 200)[part::10]:
        check(probed, pair)
