"""A host, as the documents of each product show it."""

import random

from falcon_emulator.alert_records import Fragment
from falcon_emulator.catalog import OS_VERSIONS, PLATFORM_IDS, SITES


class Host:
    """A host's fragments. `text`, if set, replaces its name with hostile text."""

    def __init__(self, rng: random.Random, cid: str, customer: str, number: int, text: str = "") -> None:
        self.rng = rng
        self.cid = cid
        self.aid = f"{rng.getrandbits(128):032x}"
        self.site = rng.choice(SITES)
        self.name = text or f"{customer[:3].upper()}-{self.site}-{number:05}"
        self.domain = f"{customer}.example.com"
        self.address = f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"

    def device(self) -> Fragment:
        """Return the host as in endpoint alerts."""
        rng = self.rng
        platform = rng.choices(("Windows", "Mac", "Linux"), (80, 8, 12))[0]
        device = {
            "agent_load_flags": "1",
            "agent_version": "7.24.19607.0",
            "cid": self.cid,
            "config_id_base": "65994767",
            "config_id_build": "19607",
            "config_id_platform": PLATFORM_IDS[platform],
            "device_id": self.aid,
            "external_ip": f"198.51.100.{rng.randrange(1, 255)}",
            "first_seen": "2025-03-10T01:49:09Z",
            "groups": [f"{rng.getrandbits(128):032x}"],
            "hostinfo": {"active_directory_dn_display": [f"Sites\\{self.site}"], "domain": self.domain},
            "hostname": self.name,
            "last_seen": "2026-01-13T03:00:17Z",
            "local_ip": self.address,
            "mac_address": "-".join(f"{rng.randrange(256):02x}" for _ in range(6)),
            "machine_domain": self.domain,
            "modified_timestamp": "2026-01-13T03:01:35Z",
            "os_version": rng.choice(OS_VERSIONS[platform]),
            "ou": None if self.site == "LAB" else ["Clients", self.site],
            "platform_id": PLATFORM_IDS[platform],
            "platform_name": platform,
            "pod_labels": None,
            "product_type_desc": rng.choice(("Workstation", "Workstation", "Server")),
            "site_name": self.site,
            "status": "normal",
            "system_manufacturer": "Globex",
            "system_product_name": "Globex Desk 5",
            "tags": [f"SensorGroupingTags/{self.site}"],
        }
        return Fragment({"agent_id": self.aid, "device": device})

    def identity_endpoint(self) -> Fragment:
        """Return the host as in identity alerts: without a device."""
        name = f"{self.name}.{self.domain}"
        return Fragment(
            {
                "agent_id": self.aid,
                "source_endpoint_host_name": name,
                "source_endpoint_ip_address": self.address,
            }
        )

    def log_source(self) -> Fragment:
        """Return the host as in alerts from logs: one name among others."""
        return Fragment(
            {
                "source_hosts": [self.name, "listed.example.net"],
                "host_names": [self.name],
                "source_ips": ["198.51.100.10"],
                "origin_cid": self.cid,
            }
        )

    def phone(self) -> Fragment:
        """Return the host as in mobile alerts."""
        return Fragment({"agent_id": self.aid, "computer_name": self.name, "os_version": "Android 14"})

    def cloud_account(self) -> Fragment:
        """Return the host as in cloud alerts: an account, and a `device` that is not a device."""
        return Fragment(
            {
                "device": {"service_provider": "aws", "service_provider_account_id": "000000000001"},
                "cloud_account_id": "000000000001",
                "cloud_provider": "aws",
                "cloud_region": "example-north-1",
                "origin_cid": self.cid,
                "source_ips": [self.address],
            }
        )
