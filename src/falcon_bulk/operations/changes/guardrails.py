"""Guardrails: alerts that a bulk change leaves alone unless the guardrail is overridden. Decided on each alert.

To add one: a name and a function in GUARDRAILS, at the place where it is to hold; the table in docs/changing-alerts.md.
"""

from collections.abc import Callable, Set

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.vocabulary import Resolution, Status

CRITICAL_SEVERITY = 80

Guardrail = Callable[[Alert, Set[str], Set[str]], bool]
"""Whether an alert is held back; takes the alert, its own hashes, and the hashes selected by close-hash."""


def _critical(alert: Alert) -> bool:
    return (alert.severity_number or 0) >= CRITICAL_SEVERITY or alert.severity_label.casefold() == "critical"


def _overwatch(alert: Alert) -> bool:
    """OverWatch is a product, or a tactic on an epp alert."""
    tactic = text(alert.tactic).replace(" ", "").casefold()
    return text(alert.product).casefold() == "overwatch" or tactic == "falconoverwatch"


def _falcon_complete(alert: Alert) -> bool:
    """Falcon Complete shows as tags (`falcon_complete`, `FC-…`) or as its team being the assignee."""
    tags = (tag.casefold() for tag in alert.tag_set)
    assignee = f"{text(alert.assigned_to_name)} {text(alert.assigned_to_uid)}".casefold()
    return any(tag.startswith(("falcon_complete", "fc-")) for tag in tags) or any(
        sign in assignee for sign in ("crowdstrike team", "falcon complete", "@crowdstrike.com")
    )


def _true_positive(alert: Alert) -> bool:
    return Resolution.TRUE_POSITIVE in alert.tag_set or alert.resolution == Resolution.TRUE_POSITIVE


# In the order in which they are asked; an alert counts under the first that holds it.
GUARDRAILS: dict[str, Guardrail] = {
    "critical": lambda alert, _own, _selected: _critical(alert),
    "no-severity": lambda alert, _own, _selected: not alert.severity_label,
    "overwatch": lambda alert, _own, _selected: _overwatch(alert),
    "falcon-complete": lambda alert, _own, _selected: _falcon_complete(alert),
    "true-positive": lambda alert, _own, _selected: _true_positive(alert),
    "case": lambda alert, _own, _selected: bool(alert.case),
    "assigned": lambda alert, _own, _selected: bool(alert.assignee),
    "in-progress": lambda alert, _own, _selected: alert.status == Status.IN_PROGRESS,
    "other-hashes": lambda _alert, own, selected: bool(selected) and not own <= selected,
}


def guardrail_for(alert: Alert, own_hashes: Set[str], selected: Set[str], overrides: Set[str]) -> str:
    """Return the name of the first guardrail that holds the alert back, or ''.

    own_hashes: the alert's. selected: the hashes of a close-hash, empty for other commands. overrides: the guardrails
    not to ask.
    """
    return next(
        (name for name, holds in GUARDRAILS.items() if name not in overrides and holds(alert, own_hashes, selected)), ""
    )
