"""Revoking a rule: a date in its file, and nothing else in it changes; and taking back what the rule closed."""

import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import Refused
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import check_customer_cid
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.closing_rule import RuleState
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import AlertPlan, AlertState
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import ItemRecord, Outcome
from falcon_bulk.operations.changes.lifecycle import Operation, open_journal
from falcon_bulk.operations.changes.operations import Origin
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.request import check_action_value
from falcon_bulk.operations.changes.undo import plan_undo
from falcon_bulk.operations.rules.alert_facts import AlertFacts
from falcon_bulk.operations.rules.rule_book import CustomerRules
from falcon_bulk.operations.rules.rule_files import read_checked
from falcon_bulk.operations.rules.rules_run import Reading

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal

STILL_CLOSED = "other-rule"
"""The reason under which an alert is held that another live rule fits."""


def write_revocation(path: Path, rule_id: str, today: date) -> None:
    """Write `revoked = today` into a rule of a file. Raises Refused if only a person can: then the line is named."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    before = read_checked(path).decode("utf-8", errors="surrogateescape")
    mark = "\ufeff" if before.startswith("\ufeff") else ""
    source = before.removeprefix(mark)
    by_hand = Refused(
        f"{path} cannot be changed by the tool without changing more of it.",
        f"Write into the rule {rule_id}:  revoked = {today}",
    )
    try:
        document = tomlkit.parse(source)
        rule = next(rule for rule in document["rule"] if rule.get("id") == rule_id)
        revoked = tomlkit.date(today.isoformat())
        revoked.trivia.trail = "\r\n" if "\r\n" in source else "\n"
        rule.append("revoked", revoked)
        after = tomlkit.dumps(document)
        wanted = tomllib.loads(source)
        next(rule for rule in wanted["rule"] if rule.get("id") == rule_id)["revoked"] = today
        if tomllib.loads(after) != wanted or not _is_one_line_longer(source, after):
            raise by_hand
    except (TOMLKitError, tomllib.TOMLDecodeError, StopIteration, KeyError, TypeError, AttributeError):
        raise by_hand from None
    with write_atomically(path) as file:
        file.write((mark + after).encode("utf-8", errors="surrogateescape"))


def _is_one_line_longer(before: str, after: str) -> bool:
    lines = after.splitlines(keepends=True)
    return any(
        "".join((*lines[:number], *lines[number + 1 :])) == before
        for number, line in enumerate(lines)
        if line.startswith("revoked = ")
    )


def reopen_closed_by(
    tenant: Tenant,
    rule_id: str,
    rules: CustomerRules,
    origin: Origin,
    *,
    state_folder: Path,
    reading: Reading,
) -> Operation:
    """Return the operation that takes back what a rule closed at a customer, of all runs that were not undone.

    An alert that another live rule fits stays closed. Raises WrongTenant if the credentials are not those of the
    customer's former changes.
    """
    cids = tenant.cids or (tenant.home_cid(),)
    if cids[0]:
        check_customer_cid(state_folder, tenant.customer, cids)
    comment = f"The rule {rule_id} was revoked (by {origin.operator}, falcon-bulk {origin.run_id})"
    plan = AlertPlan(
        run_id=origin.run_id,
        command="rules revoke",
        customer=tenant.customer,
        cid=cids[0],
        cids=cids,
        cloud=tenant.cloud,
        operator=origin.operator,
        machine=origin.machine,
        created=origin.created,
        selection=f"the alerts that the rule {rule_id} closed",
        comment=check_action_value("comment", comment),
        undoes=f"rule {rule_id}",
        version=origin.version,
    )

    def hold(alert: Alert) -> str:
        decision = rules.decide(AlertFacts.of(alert, own_hashes(alert).keys()))
        live = [number for number in decision.fitting if rules.states[number] is not RuleState.SUSPENDED]
        return STILL_CLOSED if any(rules.rules[number].id != rule_id for number in live) else ""

    def fill(sink: PlanSink) -> Preview:
        with reading() as progress, open_journal(state_folder, plan.cid) as journal:
            return plan_undo(_closed_by(journal, rule_id), tenant.alerts, plan, sink, progress, hold=hold)

    return Operation(plan, fill)


def _closed_by(journal: "Journal", rule_id: str) -> Iterator[ItemRecord[AlertState]]:
    """Yield what a rule closed, of each run that no other run undid."""
    for run_id in journal.rules.closed_by_run(rule_id).get(rule_id, {}):
        if journal.undone_by(run_id):
            continue
        for record in journal.alerts.records(run_id, Outcome.CHANGED):
            if record.rule == rule_id:
                yield record
