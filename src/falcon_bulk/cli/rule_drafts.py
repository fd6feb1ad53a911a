"""What `rules draft` does: reads the alerts, drafts a rule, holds it against history, and writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from falcon_bulk.cli.journal_lookup import find_run, open_customer_journals
from falcon_bulk.cli.rule_options import rule_customer, rule_source, today, true_positive_store
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.time_values import parse_instant
from falcon_bulk.config.customers import is_customer_name
from falcon_bulk.errors import ExitCode, FalconBulkError, Refused, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.closing_rule import ClosingRule, RuleTest
from falcon_bulk.model.plan import AlertPlan
from falcon_bulk.model.plural import counted
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection
from falcon_bulk.operations.rules.draft import MAX_ALERTS, Drafted, RuleDrafter
from falcon_bulk.operations.rules.draft_history import HISTORY, DraftHistory
from falcon_bulk.operations.rules.rule_text import HEADER, TO_FILL_IN, append_rule, drafted_rule, rule_toml
from falcon_bulk.operations.rules.true_positives import read_true_positives


class DraftSource(NamedTuple):
    """Where the alerts behind a draft come from. described: in plain words, for its comments."""

    selection: Selection
    described: str


def check_draft_options(session: Session) -> None:
    """Raise UsageProblem for what a draft does not have: several customers, and other formats than TOML."""
    options = session.options
    if session.customers.several:
        raise UsageProblem("A rule is drafted from the alerts of one customer.", "Name one with --customer.")
    if options.format or options.output:
        raise UsageProblem("A draft is a rule, in TOML.", "Add it to a file with --append FILE, or redirect it.")


def source_of_selection(selection: Selection) -> DraftSource:
    """Return a selection as the source of a draft. Raises UsageProblem if nothing narrows it."""
    if selection.everything:
        raise UsageProblem(
            "Nothing says from which alerts the rule is drafted.",
            "Name a run with --run, a hash with --hash, or a filter.",
        )
    return DraftSource(selection, selection.description)


def source_of_run(session: Session, name: str) -> DraftSource:
    """Return the alerts that a run of this customer closed. Raises Refused if it closed none, or was undone."""
    with open_customer_journals(session) as opened:
        journal, run_id = find_run(opened, name)
        plan = journal.plan(run_id)
        if not isinstance(plan, AlertPlan) or plan.undoes:
            raise Refused(f"The run {run_id} closed no alerts: {plan.command}.", "`falcon-bulk runs` lists the runs.")
        if plan.is_by_rules:
            raise Refused(f"The run {run_id} was one of closing rules already.", "`falcon-bulk rules list` lists them.")
        if undo := journal.undone_by(run_id):
            raise Refused(f"The run {run_id} was undone by {undo.run_id}.", "Draft from a run that stands.")
        ids = tuple(record.item_id for record in journal.alerts.records(run_id, Outcome.CHANGED))
        if not ids:
            raise Refused(f"The run {run_id} changed no alerts.", "`falcon-bulk runs` lists the runs.")
    described = f"the run {run_id} of {plan.operator}, which changed {counted(len(ids), 'alert')}: {plan.selection}"
    return DraftSource(Selection(ids=ids), described)


def write_draft(
    session: Session, source: DraftSource, rule_paths: tuple[str, ...], append: Path | None, *, fail_on_empty: bool
) -> int:
    """Draft a rule, write it to standard output or to the end of a file, and return the exit code.

    Raises what drafting and reading raise.
    """
    taken = _known_ids(session, rule_paths)
    with session.tenant() as tenant:
        drafter = RuleDrafter(source.selection.hashes)
        with session.watching("reading") as progress:
            pages = read_selection(tenant.alerts, source.selection, progress, Alert, readers=session.readers)
            for page in check_cids(pages, tenant.cids):
                drafter.read(page)
        if fail_on_empty and not drafter.alerts:
            return ExitCode.EMPTY
        drafted = drafter.draft()
        customer = rule_customer(session)[0] or tenant.customer
        customers = (customer,) if is_customer_name(customer) else ("*",)
        rule = drafted_rule(drafted, taken, customers, today(session))
        history = _hold_against_history(session, tenant, rule)
    comments = list(_comments(rule, drafted, history, source, customer or "the customer"))
    if append is None:
        click.echo(HEADER + rule_toml(rule, comments), nl=False)
    else:
        append_rule(append, rule, comments)
        session.console.say(f"Added the rule {rule.id} to {append}.")
    session.console.say(f"Fill in {', '.join(TO_FILL_IN[:-1])} and {TO_FILL_IN[-1]}; then `falcon-bulk rules lint`.")
    return ExitCode.DONE


def _known_ids(session: Session, rule_paths: tuple[str, ...]) -> frozenset[str]:
    """Return the ids of the rules at hand; none where there are no rules yet."""
    try:
        book = rule_source(session, rule_paths).load()
    except FalconBulkError:
        if rule_paths:
            raise
        return frozenset()
    return frozenset({rule.id for rule in book.rules} | {rule.id for rule in book.invalid})


def _hold_against_history(session: Session, tenant: Tenant, rule: ClosingRule) -> RuleTest:
    """Return what a rule would have done. Raises Refused for a true positive that fits, at any customer ever seen."""
    since = parse_instant(HISTORY, "--since", session.clock.now())
    history = DraftHistory(rule, since, today(session))
    for known in true_positive_store(session).load():
        history.check(known.facts)
    selection = Selection(hashes=rule.match.sha256) if rule.match.sha256 else Selection(since=since)
    with session.watching("history") as progress:
        pages = read_selection(tenant.alerts, selection, progress, Alert, readers=session.readers)
        for page in check_cids(pages, tenant.cids):
            history.read(page)
    with session.watching("true positives") as progress:
        cids = frozenset(tenant.cids or (tenant.home_cid(),))
        found, _ = read_true_positives(tenant.alerts, (), cids, progress, readers=session.readers)
        for facts in found.values():
            history.check(facts)
    return history.result()


def _comments(
    rule: ClosingRule, drafted: Drafted, history: RuleTest, source: DraftSource, customer: str
) -> Iterator[str]:
    """Yield where a draft comes from, and what it would have done."""
    yield f"Drafted on {rule.reviewed} for {customer} from {source.described}"
    if drafted.not_read:
        yield f"Only the first {MAX_ALERTS:,} alerts stand behind it."
    yield f"Its match fits {drafted.alerts:,} of these alerts, and its circumstances {drafted.fitted:,}."
    if drafted.outlier_check:
        yield f"Outlier check: {drafted.outlier_check}."
    else:
        yield f"Outlier check: {drafted.outliers:,} of {drafted.alerts:,} are unlike the others, and were left out."
    if drafted.varying:
        yield f"Left out, because it varies: {', '.join(drafted.varying)}."
    held = f", {sum(history.held.values()):,} held by guardrails" if history.held else ""
    yield (
        f"In {HISTORY[:-1]} days at {customer} it would have closed {counted(history.would_close, 'alert')}{held}; "
        f"{history.differs:,} {'differs' if history.differs == 1 else 'differ'}; no true positive fits."
    )
    yield f"To fill in: {', '.join(TO_FILL_IN)}. Then: falcon-bulk rules lint; falcon-bulk rules test {rule.id}"
