"""Guardrails: alerts that a bulk change leaves alone unless the guardrail is overridden. Decided on each alert.

To add one: a name and a function in GUARDRAILS, at the place where it is to hold; the table in docs/changing-alerts.md.
"""

import re
from collections.abc import Callable, Set
from typing import NamedTuple

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.plan import ActionSet
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, Resolution, Status, letters_of

CRITICAL_SEVERITY = 80
_TRUE_POSITIVE = letters_of(Resolution.TRUE_POSITIVE)
_KNOWN_SEVERITIES = frozenset(map(letters_of, SEVERITY_NAMES))


class Candidate(NamedTuple):
    """An alert that a change is about to get.

    own_hashes: the alert's. actions: what it would get. selected: the hashes of a close-hash, empty for other commands.
    """

    alert: Alert
    own_hashes: Set[str]
    actions: ActionSet
    selected: Set[str]


Guardrail = Callable[[Candidate], bool]
"""Whether an alert is held back."""


def _critical(alert: Alert) -> bool:
    return (alert.severity_number or 0) >= CRITICAL_SEVERITY or letters_of(alert.severity_label) == "critical"


def _no_severity(alert: Alert) -> bool:
    """Return whether an alert has no severity: no number, and no name or one that says nothing, such as `Unknown`."""
    return alert.severity_number is None and letters_of(alert.severity_label) not in _KNOWN_SEVERITIES


def _overwatch(alert: Alert) -> bool:
    """Return whether OverWatch made the alert: it is a product, or a tactic on an epp alert."""
    product, tactic = letters_of(text(alert.product)), letters_of(text(alert.tactic))
    return product in ("overwatch", "falconoverwatch") or tactic in ("overwatch", "falconoverwatch")


def _falcon_complete(alert: Alert) -> bool:
    """Return whether Falcon Complete works on it: by a tag (`falcon_complete`, `FC-…`, `fc/…`) or by its assignee."""
    assignee = letters_of(f"{text(alert.assigned_to_name)} {text(alert.assigned_to_uid)}")
    return any(map(_names_falcon_complete, alert.tag_set)) or any(
        sign in assignee for sign in ("crowdstriketeam", "falconcomplete", "crowdstrikecom")
    )


def _names_falcon_complete(tag: str) -> bool:
    """Compare the parts of a tag: `fc/offering/falcon_complete`, `SensorGroupingTags/Falcon_Complete`."""
    parts = [part.strip() for part in re.split("[/:]", tag.casefold())]
    return "fc" in parts[:-1] or any(
        part.startswith(("fc-", "fc_", "fc ")) or letters_of(part).startswith("falconcomplete") for part in parts
    )


def is_marked_true_positive(alert: Alert) -> bool:
    """Return whether a tag or the resolution says true positive, in whatever spelling."""
    parts = (part for tag in (*alert.tag_set, text(alert.resolution)) for part in re.split("[/:]", tag))
    return any(letters_of(part) == _TRUE_POSITIVE for part in parts)


def _reopens(candidate: Candidate) -> bool:
    opens = any(action.name == "update_status" and action.value != Status.CLOSED for action in candidate.actions)
    return opens and candidate.alert.status_name == Status.CLOSED


# In the order in which they are asked; an alert counts under the first that holds it.
GUARDRAILS: dict[str, Guardrail] = {
    "critical": lambda candidate: _critical(candidate.alert),
    "no-severity": lambda candidate: _no_severity(candidate.alert),
    "overwatch": lambda candidate: _overwatch(candidate.alert),
    "falcon-complete": lambda candidate: _falcon_complete(candidate.alert),
    "true-positive": lambda candidate: is_marked_true_positive(candidate.alert),
    "case": lambda candidate: bool(candidate.alert.case),
    "assigned": lambda candidate: bool(candidate.alert.assignee),
    "in-progress": lambda candidate: candidate.alert.status_name == Status.IN_PROGRESS,
    "reopened": lambda candidate: candidate.alert.status_name == Status.REOPENED,
    "closed": _reopens,
    "other-hashes": lambda candidate: bool(candidate.selected) and not candidate.own_hashes <= candidate.selected,
}
NAMED_ONLY = frozenset({"closed"})
"""The guardrails that `--override all` does not include: each wants its own name."""


def overrides_of(names: Set[str]) -> frozenset[str]:
    """Return the guardrails that --override names mean; `all` are all but those of NAMED_ONLY."""
    everything = GUARDRAILS.keys() - NAMED_ONLY if "all" in names else frozenset()
    return frozenset((names - {"all"}) | everything)


def guardrail_for(candidate: Candidate, overrides: Set[str]) -> str:
    """Return the name of the first guardrail that holds the alert back, or ''. overrides: guardrails not to ask."""
    return next((name for name, holds in GUARDRAILS.items() if name not in overrides and holds(candidate)), "")
