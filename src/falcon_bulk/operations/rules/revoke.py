"""Revokes a rule by a date in its file, and nothing else in it changes; takes back what the rule closed."""

import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import Refused
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.closing_rule import ListedRule, RuleState
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import AlertPlan, AlertState
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import ItemRecord, Outcome
from falcon_bulk.operations.changes.lifecycle import Operation, open_journal
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_header import Origin, plan_header
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.request import check_action_value
from falcon_bulk.operations.changes.undo import plan_undo
from falcon_bulk.operations.rules.alert_facts import ReadFacts
from falcon_bulk.operations.rules.matching import AlertTexts
from falcon_bulk.operations.rules.rule_book import CustomerRules
from falcon_bulk.operations.rules.rule_files import read_checked

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal

STILL_CLOSED = "other-rule"
"""The reason under which an alert is held that another live rule fits."""


def write_revocation(rule: ListedRule, today: date) -> None:
    """Write `revoked = today` as a line into a rule's file, and nothing else.

    A line, and no TOML library: it keeps comments, blank lines and line ends as they are, and what came of it is held
    against what was there. Raises Refused where only a person can write it.
    """
    path = Path(rule.path)
    before = read_checked(path)
    try:
        source = before.decode("utf-8-sig")
        wanted = tomllib.loads(source)
        next(table for table in wanted["rule"] if table.get("id") == rule.id)["revoked"] = today
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, StopIteration, KeyError, TypeError, AttributeError):
        raise _by_hand(rule, today) from None
    for after in _with_line(source, rule.line, f"revoked = {today}"):
        if _reads_as(after, wanted):
            mark = before[: len(before) - len(source.encode())]
            with write_atomically(path) as file:
                file.write(mark + after.encode())
            return
    raise _by_hand(rule, today)


def _with_line(source: str, header: int, added: str) -> Iterator[str]:
    """Yield the text with a line below the rule's `expires`, then with it below the rule's header."""
    lines = source.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in source else "\n"
    expires = next((number for number in range(header, len(lines)) if lines[number].startswith("expires")), header - 1)
    for number in (expires, header - 1):
        yield "".join((*lines[: number + 1], added + end, *lines[number + 1 :]))


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _by_hand(rule: ListedRule, today: date) -> Refused:
    return Refused(
        f"{rule.path} cannot be changed by the tool without changing more of it.",
        f"Write into the rule {rule.id}:  revoked = {today}",
    )


def reopen_closed_by(context: PlanContext, rule_id: str, rules: CustomerRules, origin: Origin) -> Operation:
    """Return the operation that takes back what a rule closed at a customer, of all runs that were not undone.

    An alert that another live rule fits stays closed. Raises WrongTenant if the credentials are not those of the
    customer's former changes.
    """
    comment = f"The rule {rule_id} was revoked (by {origin.operator}, falcon-bulk {origin.run_id})"
    header = plan_header(
        context.tenant,
        origin,
        context.cids(),
        command="rules revoke",
        selection=f"the alerts that the rule {rule_id} closed",
        comment=check_action_value("comment", comment),
        undoes=f"rule {rule_id}",
    )
    plan = AlertPlan(**msgspec.structs.asdict(header))

    def hold(alert: Alert) -> str:
        decision = rules.decide(AlertTexts(ReadFacts(alert, own_hashes(alert).keys())))
        live = [number for number in decision.fitting if rules.states[number] is not RuleState.SUSPENDED]
        return STILL_CLOSED if any(rules.rules[number].id != rule_id for number in live) else ""

    def fill(sink: PlanSink) -> Preview:
        with context.reading() as progress, open_journal(context.state_folder, plan.cid) as journal:
            closed = _closed_by(journal, rule_id)
            return plan_undo(closed, context.tenant.alerts, plan, sink, progress, readers=context.readers, hold=hold)

    return Operation(plan, fill)


def _closed_by(journal: "Journal", rule_id: str) -> Iterator[ItemRecord[AlertState]]:
    """Yield what a rule closed, of each run that no other run undid."""
    for run_id in journal.rules.closed_by_run(rule_id).get(rule_id, {}):
        if journal.undone_by(run_id):
            continue
        for record in journal.alerts.records(run_id, Outcome.CHANGED):
            if record.rule == rule_id:
                yield record
