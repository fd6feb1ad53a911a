"""One customer's hosts, people and programs, as the document fragments its alerts are put together from."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from falcon_bulk.sandbox import catalogue
from falcon_bulk.sandbox.catalogue import HOSTILE, OS_VERSIONS, PLATFORM_IDS, Pattern, Program
from falcon_bulk.sandbox.records import Fields, Fragment

_DISPOSITIONS = (
    "blocking_unsupported_or_disabled", "bootup_safeguard_enabled", "containment_file_system",
    "critical_process_disabled", "detect", "fs_operation_blocked", "handle_operation_downgraded", "inddet_mask",
    "indicator", "kill_action_failed", "kill_parent", "kill_process", "kill_subprocess", "mfa_required",
    "operation_blocked", "policy_disabled", "prevention_provisioning_enabled", "process_blocked", "quarantine_file",
    "quarantine_machine", "registry_operation_blocked", "response_action_already_applied", "response_action_failed",
    "response_action_triggered", "rooting", "sensor_only", "suspend_parent", "suspend_process",
)


class Ingredients(NamedTuple):
    """What an alert of one kind is made of: it takes one fragment of each."""

    patterns: Sequence[Fragment]
    places: Sequence[Fragment]
    actors: Sequence[Fragment]


class World:
    """The fragments of one CID: `plain[kind]`, and `hostile[kind]` whose text an attacker chose."""

    def __init__(self, rng: random.Random, cid: str, customer: str, hosts: int) -> None:
        self.plain = _ingredients(rng, cid, [_Place(rng, cid, customer, number) for number in range(hosts)], "")
        places = [_Place(rng, cid, customer, number, text) for number, text in enumerate(HOSTILE)]
        self.hostile: dict[str, Ingredients] = {}
        for text in HOSTILE:
            for kind, found in _ingredients(rng, cid, places, text).items():
                before = self.hostile.get(kind, Ingredients((), (), ()))
                self.hostile[kind] = Ingredients(*((*a, *b) for a, b in zip(before, found, strict=True)))


class _Place:
    """A host, in the four ways documents show one. `text` is what an attacker made of its name."""

    def __init__(self, rng: random.Random, cid: str, customer: str, number: int, text: str = "") -> None:
        self.platform = rng.choices(("Windows", "Mac", "Linux"), (80, 8, 12))[0]
        self.aid = f"{rng.getrandbits(128):032x}"
        site = rng.choice(catalogue.SITES)
        self.name = text or f"{customer[:3].upper()}-{site}-{number:05}"
        self.address = f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
        self.domain = f"{customer}.example.com"
        device = {
            "agent_load_flags": "1", "agent_local_time": "2026-01-10T14:00:03.712Z", "agent_version": "7.24.19607.0",
            "bios_manufacturer": "Initech", "bios_version": "2.18", "cid": cid, "config_id_base": "65994767",
            "config_id_build": "19607", "config_id_platform": PLATFORM_IDS[self.platform], "device_id": self.aid,
            "external_ip": f"198.51.100.{rng.randrange(1, 255)}", "first_seen": "2025-03-10T01:49:09Z",
            "groups": [f"{rng.getrandbits(128):032x}"],
            "hostinfo": {"active_directory_dn_display": [f"Sites\\{site}"], "domain": self.domain},
            "hostname": self.name, "last_seen": "2026-01-13T03:00:17Z", "local_ip": self.address,
            "mac_address": "-".join(f"{rng.randrange(256):02x}" for _ in range(6)), "machine_domain": self.domain,
            "major_version": "10", "minor_version": "0", "modified_timestamp": "2026-01-13T03:01:35Z",
            "os_version": rng.choice(OS_VERSIONS[self.platform]), "ou": ["Clients", site],
            "platform_id": PLATFORM_IDS[self.platform], "platform_name": self.platform, "pod_labels": None,
            "product_type": "1", "product_type_desc": rng.choice(("Workstation", "Workstation", "Server")),
            "site_name": site, "status": "normal", "system_manufacturer": "Globex",
            "system_product_name": "Globex Desk 5", "tags": [f"SensorGroupingTags/{site}"],
        }
        self.device = Fragment({"agent_id": self.aid, "device": device})
        self.endpoint = Fragment({"agent_id": self.aid, "source_endpoint_host_name": f"{self.name}.{self.domain}",
                                  "source_endpoint_ip_address": self.address})
        self.source = Fragment({"source_hosts": [self.name, "listed.example.net"], "source_ips": ["198.51.100.10"],
                                "host_names": [self.name], "origin_cid": cid})
        self.mobile = Fragment({"agent_id": self.aid, "computer_name": self.name, "os_version": "Android 14"})
        self.cloud = Fragment({"device": {"service_provider": "aws", "service_provider_account_id": "000000000001"},
                               "cloud_account_id": "000000000001", "cloud_provider": "aws", "origin_cid": cid,
                               "cloud_region": "example-north-1", "source_ips": [self.address]})


def _ingredients(rng: random.Random, cid: str, places: list[_Place], text: str) -> dict[str, Ingredients]:
    """Fragments per kind; with `text`, names, users and command lines carry it."""
    del cid
    users = [_User(rng, text) for _ in range(1 if text else 60)]
    scenes = [Fragment(_scene(rng, program, rng.choice(users), text))
              for program in catalogue.PROGRAMS for _ in range(1 if text else 12)]
    devices = [place.device for place in places]
    sources = [place.source for place in places]
    accounts = [user.account for user in users]
    people = [user.named for user in users]

    def patterns(found: Sequence[Pattern], product: str, type_: str, **more: object) -> list[Fragment]:
        return [Fragment(_pattern(pattern, text) | {"product": product, "type": type_, **more}) for pattern in found]

    sensor = {"pattern_disposition_details": dict.fromkeys(_DISPOSITIONS, False), "cloud_indicator": "false",
              "data_domains": ["Endpoint"], "source_products": ["Falcon Insight"], "source_vendors": ["CrowdStrike"],
              "email_sent": True, "global_prevalence": "common", "local_prevalence": "low"}
    lead = {"data_domains": ["Endpoint"], "source_products": ["Automated Leads"], "source_vendors": ["CrowdStrike"]}
    lead_pattern = Fragment({"pattern_id": 185000, "product": "automated-lead", "type": "automated-lead",
                             "mitre_attack": [{"pattern_id": 6004}], **lead})
    overwatched = patterns(catalogue.OVERWATCH, "epp", "ldt", **sensor)
    endpoint = patterns(catalogue.ENDPOINT, "epp", "ldt", **sensor)
    return {
        "ldt": Ingredients([*endpoint * 4, *overwatched], devices, scenes),
        "ods": Ingredients(patterns(catalogue.ON_DEMAND_SCAN, "epp", "ods", **sensor), devices, scenes),
        "overwatch": Ingredients(patterns(catalogue.OVERWATCH, "overwatch", "ldt", **sensor), devices, scenes),
        "signal": Ingredients(patterns(catalogue.SIGNAL, "automated-lead-context", "signal", **lead), devices, scenes),
        "lead": Ingredients([lead_pattern], devices, people),
        "idp": Ingredients(
            patterns(catalogue.IDENTITY, "idp", "idp-user-endpoint-app-info", data_domains=["Identity"],
                     source_products=["Falcon Identity Protection"], source_vendors=["CrowdStrike"]),
            [place.endpoint for place in places], accounts),
        "ngsiem": Ingredients(
            patterns(catalogue.CORRELATION, "ngsiem", "correlation-detection", data_domains=["Network"],
                     source_products=["FirewallLogs"], source_vendors=["Initech"]), sources, people),
        "xdr": Ingredients(
            patterns(catalogue.EXTENDED, "xdr", "xdr", data_domains=["Endpoint", "Email"],
                     source_products=["Falcon XDR"], source_vendors=["CrowdStrike"]), sources, people),
        "mobile": Ingredients(
            patterns(catalogue.MOBILE, "mobile", "mobile-android-attestation", data_domains=["Endpoint"],
                     source_products=["Falcon for Mobile"], source_vendors=["CrowdStrike"], platform="Android"),
            [place.mobile for place in places], people),
        "fcs": Ingredients(
            patterns(catalogue.CLOUD, "fcs", "cloud-ioa", data_domains=["Cloud"], service="EC2",
                     source_products=["Falcon Cloud Security"], source_vendors=["CrowdStrike"]),
            [place.cloud for place in places], people),
        "thirdparty": Ingredients(
            patterns(catalogue.THIRD_PARTY, "thirdparty", "thirdparty", data_domains=["Web"],
                     source_products=["Mail Gateway"], source_vendors=["Initech"]), sources, people),
    }


class _User:
    """A person, as a process owner, as an identity account and as a bare name."""

    def __init__(self, rng: random.Random, text: str) -> None:
        self.name = text or f"{rng.choice(catalogue.GIVEN_NAMES)}.{rng.choice(catalogue.SURNAMES)}"
        self.sid = f"S-1-5-21-{rng.getrandbits(32)}-{rng.getrandbits(32)}-{rng.getrandbits(32)}-{rng.randrange(1000, 9999)}"
        self.named = Fragment({"user_name": self.name, "user_names": [self.name]})
        self.account = Fragment({"user_name": self.name, "source_account_name": self.name,
                                 "source_account_domain": "example.com",
                                 "source_account_upn": f"{self.name}@example.com"})


def _pattern(pattern: Pattern, text: str) -> Fields:
    fields: Fields = {
        "name": text or pattern.name, "display_name": text or pattern.name,
        "description": text or pattern.description, "pattern_id": pattern.pattern_id, "confidence": 80,
        "objective": "Falcon Detection Method", "scenario": "suspicious_activity", "severity": pattern.severity,
        "tactic": pattern.tactic, "tactic_id": pattern.tactic_id, "technique": pattern.technique,
        "technique_id": pattern.technique_id,
        "mitre_attack": [{
            "pattern_id": pattern.pattern_id, "tactic_id": pattern.tactic_id, "technique_id": pattern.technique_id,
            "tactic": pattern.tactic, "technique": pattern.technique}],
    }
    if pattern.severity_name:
        fields["severity_name"] = pattern.severity_name
    return fields


def _scene(rng: random.Random, program: Program, user: _User, text: str) -> Fields:
    """A process tree. Parent and grandparent carry the hashes of innocent system programs."""
    slash = "\\" if program.platform == "Windows" else "/"
    path = f"{program.folder}{slash}{text or program.filename}"
    shared = {"user_id": user.sid, "user_name": user.name}
    return shared | {
        "alleged_filetype": "exe", "cmdline": text or f"{path} {program.arguments}", "filename": text or program.filename,
        "filepath": path, "logon_domain": "EXAMPLE", "platform": program.platform,
        "user_principal": f"{user.name}@example.com", "pattern_disposition": 0,
        "pattern_disposition_description": "Detection, standard detection.", "priority_value": 10,
        "priority_explanation": [
            "[MOD] The disposition for the detection: no preventative action was taken",
            f"[MOD] The parent process was identified as: {program.parent}"],
        "files_accessed": [{"filename": program.parent, "filepath": program.folder + slash, "timestamp": "1767999615"},
                           {"filename": "settings.db", "filepath": program.folder + slash, "timestamp": "1767999615"}],
        "files_written": [{"filename": "~cache.tmp", "filepath": program.folder + slash, "timestamp": "1767999614"}],
        "parent_details": _ancestor(rng, program.parent, program.folder + slash) | shared,
        "grandparent_details": _ancestor(rng, program.grandparent, program.folder + slash) | shared,
    }


def _ancestor(rng: random.Random, filename: str, folder: str) -> Fields:
    """A parent process; the same program has the same hash wherever it stands."""
    digest = random.Random(filename)
    process = rng.getrandbits(48)
    return {"cmdline": f"{folder}{filename}", "filename": filename, "filepath": folder + filename,
            "local_process_id": str(process % 30_000), "md5": f"{digest.getrandbits(128):032x}",
            "process_graph_id": f"pid:{rng.getrandbits(128):032x}:{process}", "process_id": str(process),
            "sha256": f"{digest.getrandbits(256):064x}", "timestamp": "2026-01-10T17:15:02Z"}
