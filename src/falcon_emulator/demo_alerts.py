"""Alerts with a story, for the guided tour: a harmless file, and one that hides two alerts unlike its others."""

import hashlib
from typing import NamedTuple

from falcon_emulator.alert_records import Alert, Assignee, Evidence, Fields, File, Fragment, State
from falcon_emulator.identities import composite_id
from falcon_emulator.tenant import Tenant
from falcon_emulator.timestamps import HOUR

KIND = "ldt"
HARMLESS_NEW = 88
SOMEBODY = Assignee("ada", "ada@example.com", "a" * 32)


class DemoHashes(NamedTuple):
    """The SHA256 of the harmless file, and of the one that needs a second look.

    harmless_new: how many new alerts of the harmless file nobody works on.
    """

    harmless: str
    doubtful: str
    harmless_new: int


class _Program(NamedTuple):
    """A program that alerts are about, where it is and what started it."""

    filename: str
    folder: str
    arguments: str
    parent: str
    user: str
    name: str

    def fields(self) -> Fields:
        """Return the fields of an alert document."""
        path = f"\\Device\\HarddiskVolume3\\{self.folder}\\{self.filename}"
        parent_path = f"\\Device\\HarddiskVolume3\\Windows\\System32\\{self.parent}"
        return {
            "filename": self.filename,
            "filepath": path,
            "cmdline": f'"C:\\{self.folder}\\{self.filename}" {self.arguments}',
            "user_name": self.user,
            "name": self.name,
            "display_name": self.name,
            "tactic": "Machine Learning",
            "technique": "Cloud-based ML",
            "severity": 50,
            "severity_name": "Medium",
            "parent_details": {
                "filename": self.parent,
                "filepath": parent_path,
                "cmdline": f"C:\\Windows\\System32\\{self.parent}",
                "sha256": hashlib.sha256(self.parent.encode()).hexdigest(),
            },
        }


_UPDATER = _Program(
    "initech_updater.exe",
    "Program Files\\Initech\\Updater",
    "/silent",
    "services.exe",
    "SYSTEM",
    "MachineLearningCloudMedium",
)
_REMOTE = _Program(
    "globex_remote.exe", "Program Files\\Globex Remote", "--service", "services.exe", "SYSTEM", "RemoteAccessTool"
)
_ABUSED = _REMOTE._replace(folder="Users\\Public\\Music", arguments="--hidden", parent="powershell.exe", user="j.doe")


def add_demo_alerts(tenant: Tenant) -> DemoHashes:
    """Add the alerts to a tenant before it serves requests, and return their hashes.

    Of the harmless file one alert is assigned, and three were closed as false positives before.
    """
    updater, remote = _file(_UPDATER), _file(_REMOTE)
    _add(tenant, updater, [_UPDATER] * HARMLESS_NEW, "new")
    _add(tenant, updater, [_UPDATER], "in_progress", assignee=SOMEBODY)
    _add(tenant, updater, [_UPDATER] * 3, "closed", tags=("false_positive",))
    _add(tenant, remote, [_REMOTE] * 118 + [_ABUSED] * 2, "new")
    return DemoHashes(updater.sha256, remote.sha256, HARMLESS_NEW)


def _file(program: _Program) -> File:
    digest = hashlib.sha256(program.filename.encode()).hexdigest()
    return File(digest, digest[:32], f"C:\\{program.folder}\\{program.filename}")


def _add(
    tenant: Tenant,
    file: File,
    programs: list[_Program],
    status: str,
    *,
    assignee: Assignee | None = None,
    tags: tuple[str, ...] = (),
) -> None:
    """Add an alert for each program, five hours apart."""
    generator = tenant.generator
    now = tenant.clock.now()
    alerts = []
    for number, program in enumerate(programs, start=1):
        salt = generator.rng.getrandbits(64)
        found = generator.worlds[tenant.cid].plain[KIND].parts(salt)
        created = now - number * 5 * HOUR
        state = State(status, created, created, assignee=assignee, tags=tags)
        parts = _with(found, program.fields())
        alert_id = composite_id(KIND, tenant.cid, parts, salt, generator.made)
        generator.made += 1
        alerts.append(
            Alert(alert_id, tenant.cid, KIND, parts, created, salt, state, state, Evidence(subject=file)),
        )
    tenant.store.add(alerts)
    tenant.request_log.count_alerts([alert.kind for alert in alerts])


def _with(parts: tuple[Fragment, Fragment, Fragment], fields: Fields) -> tuple[Fragment, Fragment, Fragment]:
    """Return the fragments with these fields in place of theirs; new ones go into the last."""
    pattern, place, actor = parts
    known = pattern.fields | place.fields
    replaced = [
        Fragment({name: fields.get(name, value) for name, value in part.fields.items()}) for part in (pattern, place)
    ]
    added = {name: value for name, value in fields.items() if name not in known}
    return (replaced[0], replaced[1], Fragment(actor.fields | added))
