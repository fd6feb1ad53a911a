"""What closing rules read of an alert. It is kept of true positives, so that later rules can be held against them."""

from collections.abc import Iterable

import msgspec

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, severity_band
from falcon_bulk.operations.changes.interpreters import interpreters_in, is_interpreter

_SEVERITY_ORDER = {name.casefold(): position for position, name in enumerate(reversed(SEVERITY_NAMES))}
"""From the least severe, 0, to the most severe."""


class AlertFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The fields of an alert that rules read, as Falcon sent them; '' for what it does not have.

    sha256: its own hashes. disposition: description and number. severity: 0 (informational) to 4 (critical), the worse
    of name and number; None where one of them cannot be read. is_interpreter: whether its file runs other code.
    """

    composite_id: str
    sha256: tuple[str, ...] = ()
    name: str = ""
    pattern_id: str = ""
    product: str = ""
    type: str = ""
    path: str = ""
    filename: str = ""
    cmdline: str = ""
    parent: str = ""
    parent_cmdline: str = ""
    hosts: tuple[str, ...] = ()
    user: str = ""
    tactic: str = ""
    technique: str = ""
    disposition: tuple[str, ...] = ()
    severity: int | None = None
    is_interpreter: bool = False

    @classmethod
    def of(cls, alert: Alert, own_hashes: Iterable[str]) -> "AlertFacts":
        """Return what rules read of an alert, to keep it."""
        read = ReadFacts(alert, own_hashes)
        return cls(**{name: getattr(read, name) for name in cls.__struct_fields__})


class ReadFacts:
    """The facts of an alert that was just read. Each is worked out when a rule asks for it: most never are."""

    __slots__ = ("_alert", "composite_id", "sha256")

    def __init__(self, alert: Alert, own_hashes: Iterable[str]) -> None:
        self._alert = alert
        self.composite_id = alert.composite_id
        self.sha256 = tuple(own_hashes)

    @property
    def name(self) -> str:
        return self._alert.title

    @property
    def pattern_id(self) -> str:
        return text(self._alert.pattern_id)

    @property
    def product(self) -> str:
        return text(self._alert.product)

    @property
    def type(self) -> str:
        return text(self._alert.type)

    @property
    def path(self) -> str:
        return text(self._alert.filepath)

    @property
    def filename(self) -> str:
        return text(self._alert.filename)

    @property
    def cmdline(self) -> str:
        return text(self._alert.cmdline)

    @property
    def parent(self) -> str:
        return text(parent.filename) if (parent := self._alert.parent_details) else ""

    @property
    def parent_cmdline(self) -> str:
        return text(parent.cmdline) if (parent := self._alert.parent_details) else ""

    @property
    def user(self) -> str:
        return text(self._alert.user_name)

    @property
    def tactic(self) -> str:
        return text(self._alert.tactic)

    @property
    def technique(self) -> str:
        return text(self._alert.technique)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._alert.hosts))

    @property
    def disposition(self) -> tuple[str, ...]:
        alert = self._alert
        described = (text(alert.pattern_disposition_description), text(alert.pattern_disposition))
        return tuple(filter(None, described))

    @property
    def severity(self) -> int | None:
        return _severity(self._alert)

    @property
    def is_interpreter(self) -> bool:
        return bool(list(interpreters_in(self._alert))) or is_interpreter(_last_part(self.path))


def severity_level(name: str) -> int | None:
    """Return a severity's place from 0 (informational) to 4 (critical) by its name, None for an unknown name."""
    return _SEVERITY_ORDER.get(name.strip().casefold())


def _severity(alert: Alert) -> int | None:
    name, number = text(alert.severity_name), alert.severity_number
    levels = []
    if name.strip():
        levels.append(severity_level(name))
    if number is not None:
        levels.append(severity_level(severity_band(number)))
    elif alert.severity is not None:
        levels.append(None)
    return None if not levels or None in levels else max(level for level in levels if level is not None)


def _last_part(path: str) -> str:
    return path.replace("/", "\\").rpartition("\\")[2]
