"""Builds groups of similar alert documents, with outliers among them and near misses that are none."""

import random
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

Fields = dict[str, Any]
Usual = Callable[[random.Random, int], Fields]

CID = "0123456789abcdef0123456789abcdef"
DETECTED = {"pattern_disposition": 0, "pattern_disposition_description": "Detection, standard detection."}
BLOCKED = {
    "pattern_disposition": 2048,
    "pattern_disposition_description": "Prevention, process was blocked from execution.",
}
QUARANTINED = {
    "pattern_disposition": 2176,
    "pattern_disposition_description": (
        "Prevention/Quarantine, process was blocked from execution and quarantine was attempted."
    ),
}
_ACTIONS = ("detect", "kill_process", "operation_blocked", "process_blocked", "quarantine_file", "quarantine_machine")


_night: ContextVar[int] = ContextVar("night", default=0)


@contextmanager
def night(number: int) -> Iterator[None]:
    """Have the groups that are built in the block be those of another night.

    Each has the hash and the habits that it had before, and other alerts: other users, numbers and versions.
    """
    token = _night.set(number)
    try:
        yield
    finally:
        _night.reset(token)


class Group(NamedTuple):
    """Alerts that belong together. `outliers` and `near_misses`: composite ids, each with its reason in words.

    An outlier is to be told of. A near-miss looks odd to a program and ordinary to an analyst, so telling of it is
    a false alarm, as for every other alert of the group that is no outlier.
    """

    story: str
    documents: list[Fields]
    outliers: dict[str, str]
    near_misses: dict[str, str]


class AlertGroupBuilder:
    """Builds a group. `usual(rng, number)` gives the fields of an ordinary alert.

    `sha256` None: the alerts carry no hash and belong together by their name. A field set to `...` is missing.
    """

    def __init__(self, story: str, usual: Usual, *, hashed: bool = True) -> None:
        self.story = story
        self.usual = usual
        self.rng = random.Random(story)
        self.sha256 = f"{self.rng.getrandbits(256):064x}" if hashed else None
        if _night.get():
            self.rng = random.Random(f"{story}, night {_night.get()}")
        self.documents: list[Fields] = []
        self.outliers: dict[str, str] = {}
        self.near_misses: dict[str, str] = {}

    def ordinary(self, count: int, **changed: Any) -> "AlertGroupBuilder":
        """Add `count` ordinary alerts, all with the fields in `changed`."""
        for _ in range(count):
            self._add(changed)
        return self

    def outlier(self, why: str, **changed: Any) -> "AlertGroupBuilder":
        """Add an alert that is ordinary except for `changed`, and must be reported."""
        self.outliers[self._add(changed)] = why
        return self

    def near_miss(self, why: str, **changed: Any) -> "AlertGroupBuilder":
        """Add an alert that is ordinary except for `changed`, and must not be reported."""
        self.near_misses[self._add(changed)] = why
        return self

    def group(self) -> Group:
        """Return the group, its alerts in random order."""
        self.rng.shuffle(self.documents)
        return Group(self.story, self.documents, self.outliers, self.near_misses)

    def _add(self, changed: Fields) -> str:
        number = len(self.documents)
        document = _document(self.rng, number, self.sha256)
        _set(document, self.usual(self.rng, number))
        _set(document, changed)
        self.documents.append(document)
        return document["composite_id"]


def guid(rng: random.Random) -> str:
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-{bits[12:16]}-{bits[16:20]}-{bits[20:]}"


def letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.ascii_letters + string.digits, k=count))


def person(rng: random.Random) -> str:
    """Return one of some 2,500 user names."""
    given = rng.choice(("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"))
    return f"{given[0]}.{rng.choice(('example', 'sample', 'muster', 'dupont', 'doe'))}{rng.randrange(50) or ''}"


def folder_of(path: str) -> str:
    return path[: max(path.rfind("\\"), path.rfind("/")) + 1]


def _set(document: Fields, fields: Fields) -> None:
    """Set fields of a document. `parent`: the parent's file name; `path`: the file's path, and so its name."""
    for name, value in fields.items():
        match name:
            case "path":
                document["filepath"] = value
                document["filename"] = value[len(folder_of(value)) :]
            case "parent":
                document["parent_details"] = _ancestor(value)
            case "disposition":
                document |= value | {"pattern_disposition_details": _details(value["pattern_disposition"])}
            case _ if value is ...:
                document.pop(name, None)
            case _:
                document[name] = value


def _details(disposition: int) -> Fields:
    return dict.fromkeys(_ACTIONS, False) | (
        {"process_blocked": disposition >= 2048, "quarantine_file": disposition == 2176}
    )


def _ancestor(filename: str) -> Fields:
    rng = random.Random(filename)
    windows = filename.endswith(".exe") or filename.endswith(".EXE")
    folder = "\\Device\\HarddiskVolume3\\Windows\\System32\\" if windows else "/usr/bin/"
    return {
        "cmdline": folder + filename,
        "filename": filename,
        "filepath": folder + filename,
        "sha256": f"{rng.getrandbits(256):064x}",
        "md5": f"{rng.getrandbits(128):032x}",
    }


def _document(rng: random.Random, number: int, sha256: str | None) -> Fields:
    """Return the fields that every endpoint alert has, as in public samples."""
    aid, process = f"{rng.getrandbits(128):032x}", rng.randrange(10**11, 10**12)
    day, second = divmod(rng.randrange(60 * 86_400), 86_400)
    moment = (
        f"2026-{9 + day // 30:02}-{day % 30 + 1:02}"
        f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{rng.randrange(10**9):09}Z"
    )
    document = {
        "agent_id": aid,
        "aggregate_id": f"aggind:{aid}:{process}",
        "cid": CID,
        "composite_id": f"{CID}:ind:{aid}:{process}-10304-{number * 16 + 7056}",
        "confidence": 80,
        "created_timestamp": moment,
        "device": {
            "cid": CID,
            "device_id": aid,
            "hostname": f"ACME-{rng.choice(('WKS', 'LAP', 'SRV'))}-{rng.randrange(1, 4000):04}",
            "local_ip": f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
            "platform_name": "Windows",
        },
        "display_name": "MLSensor-High",
        "email_sent": True,
        "global_prevalence": "common",
        "local_process_id": str(rng.randrange(400, 60_000)),
        "name": "MLSensor-High",
        "pattern_id": 10304,
        "process_id": str(process),
        "product": "epp",
        "severity": 70,
        "severity_name": "High",
        "show_in_ui": True,
        "status": "new",
        "tactic": "Machine Learning",
        "tactic_id": "CSTA0004",
        "technique": "Sensor-based ML",
        "technique_id": "CST0007",
        "timestamp": moment,
        "type": "ldt",
        "updated_timestamp": moment,
        "user_id": f"S-1-5-21-{rng.getrandbits(32)}-{rng.getrandbits(32)}-{rng.randrange(1000, 9999)}",
    }
    _set(document, {"disposition": DETECTED, "parent": "services.exe"})
    return document | ({"sha256": sha256, "md5": sha256[:32]} if sha256 else {})
