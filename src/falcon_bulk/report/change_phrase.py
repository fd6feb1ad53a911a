"""A change in a few words, verb first: for the title of its preview and for the question."""

from collections.abc import Iterable

from falcon_bulk.model.plan import IndicatorPlan, Plan
from falcon_bulk.model.preview import ActionCount, Preview
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.report.sheet import format_cell


def describe_change(plan: Plan, preview: Preview, number: str) -> str:
    """Describe what a plan does, such as `CLOSE 101 alerts as false_positive`.

    number: how many items, as text; `101 of 355` in a title, `101` in a question.
    """
    if isinstance(plan, IndicatorPlan):
        return f"{'DELETE' if plan.undoes else 'CREATE'} {number} allow-list {_noun('indicator', number)}"
    alerts = _noun("alert", number)
    if plan.undoes:
        return f"UNDO {plan.undoes} for {number} {alerts}"
    if not preview.planned:
        return f"CHANGE {number} {alerts}"  # what it would do to others is not in the preview
    resolution = _values(preview.effects, "add_tag", Resolution)
    status = _values(preview.effects, "update_status")
    if status:
        return _describe_status(preview, status, number, resolution)
    alerts = f"closed {alerts}" if preview.closed == preview.planned else alerts
    if resolution:
        return f"MARK {number} {alerts} as {resolution}"
    for name, phrase in _OTHER_PHRASES.items():
        if value := _values(preview.effects, name):
            return phrase.format(number=number, alerts=alerts, value=value)
    return f"COMMENT on {number} {alerts}"


def _noun(noun: str, number: str) -> str:
    return noun if number == "1" else f"{noun}s"


_OTHER_PHRASES = {
    "add_tag": "TAG {number} {alerts} with {value}",
    "remove_tag": "UNTAG {number} {alerts}: {value}",
    "assign_to_name": "ASSIGN {number} {alerts} to {value}",
    "assign_to_user_id": "ASSIGN {number} {alerts} to {value}",
    "assign_to_uuid": "ASSIGN {number} {alerts} to {value}",
    "unassign": "UNASSIGN {number} {alerts}",
    "show_in_ui": "SET show_in_ui of {number} {alerts} to {value}",
}


def describe_effects(effects: Iterable[ActionCount], planned: int) -> str:
    """Describe every action but the comment; where not all planned alerts get it, with how many do."""
    return ", ".join(
        f"{_EFFECTS.get(effect.name, f'{effect.name} {{}}').format(effect.value)}"
        + (f" ({format_cell(effect.alerts)})" if effect.alerts != planned else "")
        for effect in effects
    )


_EFFECTS = {
    "update_status": "status {}",
    "add_tag": "adds the tag {}",
    "remove_tag": "removes the tag {}",
    "assign_to_name": "assigns to {}",
    "assign_to_user_id": "assigns to {}",
    "assign_to_uuid": "assigns to {}",
    "unassign": "unassigns",
}


def _describe_status(preview: Preview, status: str, number: str, resolution: str) -> str:
    alerts = _noun("alert", number)
    if status == Status.CLOSED:
        closed = f" ({format_cell(preview.closed)} of them closed already)" if preview.closed else ""
        return f"CLOSE {number} {alerts}" + (f" as {resolution}" if resolution else "") + closed
    marked = f", marked {resolution}" if resolution else ""
    if preview.closed == preview.planned:
        return f"REOPEN {number} closed {alerts}" + (f" as {status}" if status != Status.REOPENED else "") + marked
    if preview.closed:
        return f"SET {number} {alerts} to {status}, REOPEN {format_cell(preview.closed)} closed ones of them{marked}"
    return f"SET {number} {alerts} to {status}{marked}"


def _values(effects: Iterable[ActionCount], name: str, known: Iterable[str] | None = None) -> str:
    """Return the values that an action has, joined; only those that are known."""
    allowed = None if known is None else set(map(str, known))
    return ", ".join(
        dict.fromkeys(
            effect.value for effect in effects if effect.name == name and (allowed is None or effect.value in allowed)
        )
    )
