"""Builds rule files, and the alerts that rules are tried on."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from falcon_emulator import Tenant
from falcon_emulator.control import edit_alerts
from tests.support.alert_groups import AlertGroupBuilder, Fields, Group, guid, person
from tests.support.command import CommandRunner
from tests.support.planted_tenant import id_at, plant

UPDATER = "\\Device\\HarddiskVolume3\\Program Files\\Vendor\\updater.exe"


def today() -> date:
    """Return the day that commands take for today: a test run may begin on one day and end on the next."""
    return datetime.now(UTC).date()


def rule(rule_id: str = "acme-updater", **changed: Any) -> str:
    """Return a valid rule as text. Keywords replace keys (`_` for `-`); None leaves one out.

    match, expect and close are dicts of their own; text values are written in single quotes.
    """
    values: dict[str, Any] = {
        "id": rule_id,
        "title": "Vendor's updater, flagged by machine learning",
        "owner": "anna@soc.example",
        "reviewer": "ben@soc.example",
        "ticket": "CHG-4711",
        "why": "Signed updater, vetted with the vendor",
        "reviewed": today() - timedelta(days=10),
        "expires": today() + timedelta(days=60),
        "customers": ["*"],
        "match": {},
        "expect": {},
        "close": {"resolution": "false_positive"},
    } | {key.replace("_", "-"): value for key, value in changed.items()}
    tables = {name: values.pop(name) for name in ("match", "expect", "close")}
    lines = ["[[rule]]", *_lines(values)]
    for name, table in tables.items():
        if table is not None:
            lines += ["", f"[rule.{name}]", *_lines(table)]
    return "\n".join(lines) + "\n\n"


def rule_file(*rules: str, policy: str = "") -> str:
    """Return the text of a rule file."""
    return f'format = "falcon-bulk/rules/1"\n\n{policy}\n' + "".join(rules)


def _lines(values: dict[str, Any]) -> list[str]:
    return [f"{key.replace('_', '-')} = {_toml(value)}" for key, value in values.items() if value is not None]


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case date() | int():
            return str(value)
        case str():
            return f'"{value}"' if "'" in value else f"'{value}'"
        case _:
            return f"[{', '.join(map(_toml, value))}]"


def write_rules(shell: CommandRunner, text: str, name: str = "soc.toml") -> Path:
    """Write a rule file where commands look for it, writable by its owner alone."""
    path = shell.folder / "rules" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o644)
    return path


def updater_alert(_rng: Any, _number: int) -> Fields:
    """Return the usual fields of the updater's alerts."""
    return {
        "path": UPDATER,
        "cmdline": "updater.exe /silent",
        "severity": 50,
        "severity_name": "Medium",
        "global_prevalence": "uncommon",
        "user_name": "SYSTEM",
    }


def updater_group(story: str = "updater") -> AlertGroupBuilder:
    """Return a builder of the updater's alerts: one story, one hash."""
    return AlertGroupBuilder(story, updater_alert)


def morning_noise(hours_ago: int = 3) -> list[Group]:
    """Return the alerts of a night that come back every day: an updater's, of one hash, and a script's, without one."""
    created = f"{datetime.now(UTC) - timedelta(hours=hours_ago):%Y-%m-%dT%H:%M:%S}.000000000Z"

    def updater(rng: random.Random, number: int) -> Fields:
        user, version = person(rng), f"1.4.{rng.choice((36, 37))}.{rng.randrange(100, 999)}"
        path = f"Users\\{user}\\AppData\\Local\\Globex\\Update\\{version}\\GlobexUpdate.exe"
        return updater_alert(rng, number) | {
            "path": f"\\Device\\HarddiskVolume3\\{path}",
            "cmdline": f'"C:\\{path}" /ua /sessionid "{{{guid(rng)}}}"',
            "user_name": user,
            "created_timestamp": created,
        }

    def script(rng: random.Random, number: int) -> Fields:
        return updater_alert(rng, number) | {
            "path": "/opt/globex/nightly_backup.sh",
            "cmdline": f"/opt/globex/nightly_backup.sh --job {rng.randrange(10**6)}",
            "name": "NightlyBackupCheck",
            "display_name": "NightlyBackupCheck",
            "parent": "crond",
            "created_timestamp": created,
        }

    return [
        AlertGroupBuilder("the updater of a morning", updater).ordinary(150).group(),
        AlertGroupBuilder("the script of a morning", script, hashed=False).ordinary(12).group(),
    ]


def add_group(shell: CommandRunner, group: Group, customer: str = "") -> list[str]:
    """Have the alerts of a group arrive at a tenant that is being served; return their composite ids."""
    tenant: Tenant = shell.tenants[customer] if customer else shell.tenant
    shell.server.call(lambda: plant(tenant, [group]))
    ids = [id_at(tenant, document["composite_id"]) for document in group.documents]
    for one, document in zip(ids, group.documents, strict=True):
        changes = {
            key: value
            for key, value in {"tags": document.get("tags"), "assign": document.get("assigned_to_name")}.items()
            if value
        }
        if changes:
            edit(shell, [one], customer, **changes)
    return ids


def edit(shell: CommandRunner, ids: Sequence[str], customer: str = "", **changes: Any) -> None:
    """Change alerts of a customer as an analyst does in the console."""
    tenant: Tenant = shell.tenants[customer] if customer else shell.tenant
    shell.server.call(lambda: edit_alerts(tenant, list(ids), changes))


def with_hash_of(builder: AlertGroupBuilder, other: AlertGroupBuilder) -> AlertGroupBuilder:
    """Give the alerts of a builder the hash of another one's; return it."""
    builder.sha256 = other.sha256
    for document in builder.documents:
        document["sha256"] = other.sha256
    return builder


def statuses(shell: CommandRunner, ids: Sequence[str], customer: str = "") -> list[str]:
    """Return the statuses of alerts, in the order of their ids."""
    tenant: Tenant = shell.tenants[customer] if customer else shell.tenant
    return shell.server.call(lambda: [tenant.store.by_id[composite_id].state.status for composite_id in ids])
