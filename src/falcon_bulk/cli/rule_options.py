"""Where a command's closing rules are, and what it needs to use them."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.cli.session import Session
from falcon_bulk.cli.suggestions import did_you_mean
from falcon_bulk.config.customers import list_customers
from falcon_bulk.errors import BadEnvFile, FalconBulkError, UsageProblem
from falcon_bulk.model.plan import AlertPlan, Plan
from falcon_bulk.operations.changes.rule_check import RuleCheck
from falcon_bulk.operations.rules.rule_book import RuleBook
from falcon_bulk.operations.rules.rule_files import NO_RULES_HINT, CustomerTags
from falcon_bulk.operations.rules.rule_recheck import RuleRecheck
from falcon_bulk.operations.rules.rule_source import RuleSource
from falcon_bulk.operations.rules.true_positives import TruePositiveStore
from falcon_bulk.report.rules import problem_line

RULES_VARIABLE = "FALCON_BULK_RULES"
DEFAULT_FOLDER = "rules"


def today(session: Session) -> date:
    """Return the day in UTC: rules begin and end with it."""
    return session.clock.now().date()


def rule_source(session: Session, paths: Iterable[str], *, asks_git: bool = False) -> RuleSource:
    """Return where the rules are: the paths given, else FALCON_BULK_RULES, else `rules` beside the customers' folder.

    asks_git: whether policies that ask for committed files are held to.
    """
    named = tuple(map(Path, paths)) or tuple(
        Path(part) for part in os.environ.get(RULES_VARIABLE, "").split(os.pathsep) if part
    )
    default = session.customers.folder.parent / DEFAULT_FOLDER
    if not named and not default.exists():
        raise UsageProblem(
            f"There is no file or folder of closing rules at {default}.",
            f"Name a file or a folder with --rules, or in {RULES_VARIABLE}. {NO_RULES_HINT}",
        )
    return RuleSource(named or (default,), lambda: today(session), known_customers(session) or None, asks_git=asks_git)


def load_rules(session: Session, source: RuleSource) -> RuleBook:
    """Read the rules and say what is wrong with them, which --quiet does not hide."""
    book = source.load()
    for problem in book.problems:
        (session.console.warn if problem.fatal else session.console.say)(problem_line(problem))
    return book


class ShownRules(NamedTuple):
    """All rules, for commands that only show something of them. suspended: of `RuleBook.suspensions`."""

    book: RuleBook
    suspended: Mapping[str, tuple[str, ...]]


def shown_rules(session: Session) -> ShownRules | None:
    """Return the rules, none where there are no rule files; None, after saying so, where they cannot be read."""
    named = os.environ.get(RULES_VARIABLE, "").strip(os.pathsep)
    if not named and not (session.customers.folder.parent / DEFAULT_FOLDER).exists():
        return ShownRules(RuleBook(()), {})
    try:
        book = rule_source(session, ()).load()
        return ShownRules(book, book.suspensions(true_positive_store(session).load()))
    except FalconBulkError as error:
        session.console.warn(f"Closing rules are left out; they cannot be read: {error.message}")
        return None


def known_customers(session: Session) -> CustomerTags:
    """Return the tags of each customer with an env file, none of one that cannot be read."""
    return {name: _tags_of(session, name) for name in list_customers(session.customers.folder)}


def _tags_of(session: Session, name: str) -> frozenset[str]:
    try:
        return frozenset(session.customers.one(name).load_settings().tags)
    except (BadEnvFile, UsageProblem):
        return frozenset()


def true_positive_store(session: Session) -> TruePositiveStore:
    """Return the known true positives of all customers."""
    return TruePositiveStore(session.state_folder())


def rule_recheck(session: Session, source: RuleSource) -> RuleRecheck:
    """Return what asks the rules again, for the session's customer."""
    return RuleRecheck(source, true_positive_store(session), *rule_customer(session))


def rule_customer(session: Session) -> tuple[str, frozenset[str]]:
    """Return the name and the tags by which rules know the session's customer."""
    settings = session.load_settings()
    return session.customers.name or settings.customer, frozenset(settings.tags)


def rule_customer_or_name(session: Session) -> tuple[str, frozenset[str]]:
    """Return what `rule_customer` does; without tags for a customer whose settings cannot be loaded."""
    try:
        return rule_customer(session)
    except (BadEnvFile, UsageProblem):
        return session.customers.name, frozenset()


def check_for(session: Session, plan: Plan, paths: Iterable[str]) -> RuleCheck | None:
    """Return what asks the rules again if closing rules made a plan, which needs them at hand; else None."""
    if not isinstance(plan, AlertPlan) or not plan.is_by_rules or plan.undoes:
        return None
    return rule_recheck(session, rule_source(session, paths, asks_git=True))


def keeps_runs_of(session: Session, paths: Iterable[str]) -> Callable[[str], bool]:
    """Return whether the journal keeps the runs of a rule: of those that are live, and of all if none can be read."""
    try:
        source = rule_source(session, paths)
        book = source.load()
    except FalconBulkError:
        return lambda _rule: True
    ended = {rule.id for rule in book.rules if not rule.state_on(source.today()).is_active}
    known = {rule.id for rule in book.rules} | {rule.id for rule in book.invalid}
    return lambda rule: rule not in ended and (rule in known or not book.is_valid)


def check_rules_known(rule_ids: Iterable[str], book: RuleBook) -> None:
    """Raise UsageProblem for an id that no valid rule has."""
    known = [rule.id for rule in book.rules]
    for rule_id in rule_ids:
        if rule_id not in known:
            raise UsageProblem(
                f"There is no valid rule {rule_id!r}.",
                f"{did_you_mean(rule_id, known)}`falcon-bulk rules list` lists them.",
            )
