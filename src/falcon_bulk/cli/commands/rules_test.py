"""falcon-bulk rules test: hold closing rules against history."""

from typing import TYPE_CHECKING

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import (
    examples,
    rules_option,
)
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.closing_rule import RuleTest
    from falcon_bulk.operations.rules.rule_book import RuleBook
    from falcon_bulk.report.report import Reported


@click.command(
    "test", cls=GroupedHelp, epilog=examples("rules test --customer acme", "rules test acme-updater --since 30d")
)
@click.argument("rule_ids", metavar="[ID]...", nargs=-1)
@rules_option
@click.option(
    "--since",
    **single_value(default="90d"),
    show_default=True,
    metavar="WHEN",
    help="Alerts since: 90d, a date.",
)
@shared_options
@click.pass_context
def command(ctx: click.Context, rule_ids: tuple[str, ...], rule_paths: tuple[str, ...], since: str) -> int:
    """Hold rules against history: what each would have closed, what differs, and what was decided about it.

    The exit code is 7 if a true positive contradicts a rule; `reviewed-alerts` in the rule names those that do not.
    """
    from falcon_bulk.cli.multi_customer import run_command
    from falcon_bulk.cli.rule_options import check_rules_known, load_rules, rule_source
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.time_values import parse_instant
    from falcon_bulk.report.multi_customer import multi_report

    session = Session.open(ctx, "rules")
    source = rule_source(session, rule_paths)
    book = load_rules(session, source)
    check_rules_known(rule_ids, book)
    start = parse_instant(since, "--since", session.clock.now())
    published = run_command(
        session,
        lambda customer_session: _test_customer(customer_session, book, frozenset(rule_ids), start),
        lambda parts: multi_report(
            parts,
            ("rules", "fits", "would close", "differ", "contradicting"),
            lambda tests: (
                len(tests),
                sum(test.fits for test in tests),
                sum(test.would_close for test in tests),
                sum(test.differs for test in tests),
                sum(len(test.true_positives) for test in tests),
            ),
        ),
    )
    return published.exit_code or (ExitCode.DONE if book.is_valid else ExitCode.PARTIAL)


def _test_customer(
    session: "Session", book: "RuleBook", only: frozenset[str], since: str
) -> "Reported[list[RuleTest]]":
    """Return how a customer's rules fit its alerts since a time (UTC, RFC 3339)."""
    from falcon_bulk.cli.rule_options import rule_customer, today, true_positive_store
    from falcon_bulk.model.alert import Alert
    from falcon_bulk.model.selection import Selection
    from falcon_bulk.operations.reading.select_alerts import check_cids, read_selection
    from falcon_bulk.operations.rules.rule_book import CustomerRules
    from falcon_bulk.operations.rules.rules_test import RulesTest
    from falcon_bulk.report.report import Reported
    from falcon_bulk.report.rules import rules_test_report

    suspended = book.suspensions(true_positive_store(session).load())
    rules = CustomerRules(book, *rule_customer(session), today(session), suspended)
    counted = RulesTest(rules, only)
    with session.tenant() as tenant, session.watching("reading") as progress:
        pages = read_selection(tenant.alerts, Selection(since=since), progress, Alert, readers=session.readers)
        for page in check_cids(pages, tenant.cids):
            counted.read(page)
        tests = counted.results()
        code = ExitCode.REFUSED if any(test.true_positives for test in tests) else ExitCode.DONE
        cid = tenant.cids[0] if tenant.cids else ""
        incomplete = tuple(progress.incomplete)
    return Reported(tests, rules_test_report(tenant.customer, cid, since, counted.alerts, tests, incomplete, code))
