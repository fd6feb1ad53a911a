"""Guard rails: alerts that a bulk change leaves alone unless the rail is overrides. Decided on each alert."""

from collections.abc import Callable

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.vocabulary import Resolution, Status

CRITICAL_SEVERITY = 80

Guardrail = Callable[[Alert, frozenset[str]], bool]


def _named_critical(alert: Alert) -> bool:
    return alert.severity_label.casefold() == "critical"


def _overwatch(alert: Alert, _: frozenset[str]) -> bool:
    """OverWatch is a product, or a tactic on an epp alert."""
    tactic = text(alert.tactic).replace(" ", "").casefold()
    return text(alert.product).casefold() == "overwatch" or tactic == "falconoverwatch"


def _falcon_complete(alert: Alert, _: frozenset[str]) -> bool:
    """Falcon Complete shows as tags (`falcon_complete`, `FC-…`) or as its team being the assignee."""
    tags = (tag.casefold() for tag in alert.tag_set)
    assignee = f"{text(alert.assigned_to_name)} {text(alert.assigned_to_uid)}".casefold()
    return any(tag.startswith(("falcon_complete", "fc-")) for tag in tags) or any(
        sign in assignee for sign in ("crowdstrike team", "falcon complete", "@crowdstrike.com")
    )


def _true_positive(alert: Alert, _: frozenset[str]) -> bool:
    return Resolution.TRUE_POSITIVE in alert.tag_set or alert.resolution == Resolution.TRUE_POSITIVE


# In the order in which they hold; an alert counts under the first.
GUARDRAILS: dict[str, Guardrail] = {
    "critical": lambda alert, _: (alert.severity_number or 0) >= CRITICAL_SEVERITY or _named_critical(alert),
    "no-severity": lambda alert, _: not alert.severity_label,
    "overwatch": _overwatch,
    "falcon-complete": _falcon_complete,
    "true-positive": _true_positive,
    "case": lambda alert, _: bool(alert.case),
    "assigned": lambda alert, _: bool(alert.assignee),
    "in-progress": lambda alert, _: alert.status == Status.IN_PROGRESS,
    "other-hashes": lambda alert, selected: bool(selected) and not own_hashes(alert).keys() <= selected,
}


def guardrail_for(alert: Alert, selected: frozenset[str], overrides: frozenset[str]) -> str:
    """The first rail that holds the alert back, or ''.

    selected: the hashes of a close-hash, empty for other commands. overrides: the names of rails not to ask.
    """
    return next((name for name, holds in GUARDRAILS.items() if name not in overrides and holds(alert, selected)), "")
