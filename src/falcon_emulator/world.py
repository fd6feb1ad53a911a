"""One CID's hosts, people and programs, from which alerts of every kind are assembled."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from falcon_emulator import catalog
from falcon_emulator.alert_records import FULL_SCHEMA_KINDS, Fields, Fragment
from falcon_emulator.catalog import HOSTILE, PROGRAMS, Pattern
from falcon_emulator.hosts import Host
from falcon_emulator.people import Person

PEOPLE = 60
SCENES_PER_PROGRAM = 12
ANY_PLATFORM = ""

_DISPOSITIONS = (
    "blocking_unsupported_or_disabled",
    "bootup_safeguard_enabled",
    "containment_file_system",
    "critical_process_disabled",
    "detect",
    "fs_operation_blocked",
    "handle_operation_downgraded",
    "inddet_mask",
    "indicator",
    "kill_action_failed",
    "kill_parent",
    "kill_process",
    "kill_subprocess",
    "mfa_required",
    "operation_blocked",
    "policy_disabled",
    "prevention_provisioning_enabled",
    "process_blocked",
    "quarantine_file",
    "quarantine_machine",
    "registry_operation_blocked",
    "response_action_already_applied",
    "response_action_failed",
    "response_action_triggered",
    "rooting",
    "sensor_only",
    "suspend_parent",
    "suspend_process",
)

_SCHEMA_FIELDS: Fields = {
    "aggregation_rule_id": "",
    "aggregation_rule_name": "",
    "cms_rule_id": "",
    "cms_rule_instance_id": "",
    "cms_rule_instance_version": "",
    "external": False,
    "has_script_or_module_ioc": False,
    "is_aggregated": False,
    "is_falcon_platform_ioa": False,
    "linked_behavioral_detections": [],
}

Parts = tuple[Fragment, Fragment, Fragment]


class FragmentPool(NamedTuple):
    """The fragments for alerts of one kind. `actors` are by the platform of their host."""

    patterns: Sequence[Fragment]
    places: Sequence[Fragment]
    actors: Mapping[str, Sequence[Fragment]]

    def parts(self, salt: int) -> Parts:
        """Return the pattern, place and actor selected by the bits of `salt`."""
        place = self.places[(salt >> 20) % len(self.places)]
        device = place.fields.get("device", {})
        actors = self.actors.get(device.get("platform_name")) or self.actors[ANY_PLATFORM]
        return self.patterns[salt % len(self.patterns)], place, actors[(salt >> 40) % len(actors)]


class World:
    """Fragment pools by kind: `plain`, and `hostile` with names, users and command lines chosen by an attacker."""

    def __init__(self, rng: random.Random, cid: str, customer: str, hosts: int) -> None:
        inventory = [Host(rng, cid, customer, number) for number in range(hosts)]
        people = [Person(rng) for _ in range(PEOPLE)]
        self.plain = _fragment_pools(inventory, people, ("",))
        hostile_hosts = [Host(rng, cid, customer, number, text) for number, text in enumerate(HOSTILE)]
        self.hostile = _fragment_pools(hostile_hosts, [Person(rng, text) for text in HOSTILE], HOSTILE)


def _fragment_pools(hosts: list[Host], people: list[Person], texts: Sequence[str]) -> dict[str, FragmentPool]:
    """Return the fragments for each kind of alert. A pattern's name is one of `texts`; an empty one keeps its own."""
    patterns = _patterns(texts)
    devices = [host.device() for host in hosts]
    sources = [host.log_source() for host in hosts]
    named = {ANY_PLATFORM: [person.named() for person in people]}
    accounts = {ANY_PLATFORM: [person.account() for person in people]}
    scenes = _scenes(people)
    fragments: dict[str, tuple[Sequence[Fragment], Mapping[str, Sequence[Fragment]]]] = {
        "ldt": (devices, scenes),
        "ods": (devices, scenes),
        "overwatch": (devices, scenes),
        "signal": (devices, scenes),
        "lead": (devices, named),
        "idp": ([host.identity_endpoint() for host in hosts], accounts),
        "ngsiem": (sources, named),
        "xdr": (sources, named),
        "mobile": ([host.phone() for host in hosts], named),
        "fcs": ([host.cloud_account() for host in hosts], named),
        "thirdparty": (sources, named),
    }
    return {kind: FragmentPool(patterns[kind], places, actors) for kind, (places, actors) in fragments.items()}


def _patterns(texts: Sequence[str]) -> dict[str, list[Fragment]]:
    """Return the pattern fragments for each kind of alert; one endpoint alert in 33 has a hunter's tactic.

    A mobile alert's pattern_id is a string (a sample document).
    """

    def patterns(kind: str, product: str, type_: str, domain: str, source: str, **more: Any) -> list[Fragment]:
        vendor = "CrowdStrike" if source.startswith(("Falcon", "Automated")) else "Initech"
        added: Fields = {"product": product, "type": type_, "data_domains": [domain], **more}
        added |= {"source_products": [source], "source_vendors": [vendor]}
        if kind in FULL_SCHEMA_KINDS:
            added |= _SCHEMA_FIELDS
        found = catalog.patterns(kind)
        made = [_pattern(pattern, text) | added for text in texts for pattern in found]
        if kind == "mobile":
            made = [fields | {"pattern_id": str(fields["pattern_id"])} for fields in made]
        return [Fragment(fields) for fields in made]

    sensor = {
        "pattern_disposition_details": dict.fromkeys(_DISPOSITIONS, False),
        "cloud_indicator": "false",
        "email_sent": True,
        "global_prevalence": "common",
        "local_prevalence": "low",
    }
    insight = "Falcon Insight"
    hunted = patterns("overwatch", "epp", "ldt", "Endpoint", insight, **sensor)
    identity = "idp-user-endpoint-app-info"
    return {
        "ldt": patterns("ldt", "epp", "ldt", "Endpoint", insight, **sensor) * 4 + hunted,
        "ods": patterns("ods", "epp", "ods", "Endpoint", insight, **sensor),
        "overwatch": patterns("overwatch", "overwatch", "ldt", "Endpoint", insight, **sensor),
        "signal": patterns("signal", "automated-lead-context", "signal", "Endpoint", "Automated Leads"),
        "lead": [_lead()],
        "idp": patterns("idp", "idp", identity, "Identity", "Falcon Identity Protection"),
        "ngsiem": patterns("ngsiem", "ngsiem", "correlation-detection", "Network", "FirewallLogs", mitre_attack=[]),
        "xdr": patterns("xdr", "xdr", "xdr", "Endpoint", "Falcon XDR"),
        "mobile": patterns("mobile", "mobile", "mobile-android-attestation", "Endpoint", "Falcon for Mobile"),
        "fcs": patterns("fcs", "fcs", "cloud-ioa", "Cloud", "Falcon Cloud Security", service="EC2"),
        "thirdparty": patterns("thirdparty", "thirdparty", "thirdparty", "Web", "Mail Gateway"),
    }


def _scenes(people: list[Person]) -> dict[str, list[Fragment]]:
    """Return process trees by platform; several people run each program."""
    scenes: dict[str, list[Fragment]] = {}
    for number, program in enumerate(PROGRAMS):
        for turn in range(SCENES_PER_PROGRAM):
            person = people[(number * SCENES_PER_PROGRAM + turn) % len(people)]
            scenes.setdefault(program.platform, []).append(person.running(program))
    return scenes


def _pattern(pattern: Pattern, text: str) -> Fields:
    attack = {
        "tactic": pattern.tactic,
        "tactic_id": pattern.tactic_id,
        "technique": pattern.technique,
        "technique_id": pattern.technique_id,
    }
    fields: Fields = {
        **attack,
        "name": text or pattern.name,
        "display_name": text or pattern.name,
        "description": text or pattern.description,
        "pattern_id": pattern.pattern_id,
        "confidence": 80,
        "objective": "Falcon Detection Method",
        "scenario": "suspicious_activity",
        "severity": pattern.severity,
        "mitre_attack": [{"pattern_id": pattern.pattern_id, **attack}],
    }
    if pattern.severity_name:
        fields["severity_name"] = pattern.severity_name
    return fields


def _lead() -> Fragment:
    """Return the common part of automated leads: no severity and no name."""
    return Fragment(
        {
            "pattern_id": 185000,
            "product": "automated-lead",
            "type": "automated-lead",
            "data_domains": ["Endpoint"],
            "source_products": ["Automated Leads"],
            "source_vendors": ["CrowdStrike"],
            "mitre_attack": [{"pattern_id": 6004}],
        }
    )
