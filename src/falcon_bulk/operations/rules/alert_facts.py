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
        """Return what rules read of an alert."""
        parent = alert.parent_details
        path, filename = text(alert.filepath), text(alert.filename)
        described = (text(alert.pattern_disposition_description), text(alert.pattern_disposition))
        return cls(
            composite_id=alert.composite_id,
            sha256=tuple(sorted(own_hashes)),
            name=alert.title,
            pattern_id=text(alert.pattern_id),
            product=text(alert.product),
            type=text(alert.type),
            path=path,
            filename=filename,
            cmdline=text(alert.cmdline),
            parent=text(parent.filename) if parent else "",
            parent_cmdline=text(parent.cmdline) if parent else "",
            hosts=tuple(dict.fromkeys(alert.hosts)),
            user=text(alert.user_name),
            tactic=text(alert.tactic),
            technique=text(alert.technique),
            disposition=tuple(filter(None, described)),
            severity=_severity(alert),
            is_interpreter=bool(list(interpreters_in(alert))) or is_interpreter(_last_part(path)),
        )


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
