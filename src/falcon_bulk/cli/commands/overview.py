"""falcon-bulk overview: one line per customer."""

from itertools import count
from typing import TYPE_CHECKING

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from falcon_bulk.cli.progress import ProgressTask
    from falcon_bulk.cli.rule_options import ShownRules
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.overview import CustomerOverview


@click.command(
    "overview",
    cls=GroupedHelp,
    epilog=examples(
        "overview --all-customers",
        "overview --customer-tag gold --format json",
        "overview --all-customers --parallel-customers 8 -o overview.html",
        "overview --customer acme",
    ),
)
@notify_option
@shared_options
@click.pass_context
def command(ctx: click.Context) -> int:
    """Show what waits at each customer, one line each, the most urgent first.

    New alerts by severity, how many of them are unassigned and how old the oldest is, alerts in progress and reopened;
    what runs recorded on this machine closed in 7 days, the last run, an unfinished one; closing rules that are due or
    suspended. Alerts are counted, not read: at most 12 requests per customer. The exit code is 6 if a customer has a
    problem: with its file, its login, Falcon or its journal.
    """
    from falcon_bulk.cli.hints import after_overview
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.overview import most_urgent_first
    from falcon_bulk.report.overview import overview_report

    session = Session.open(ctx, "overview")
    session.open_notifier()  # raises now if nobody can be notified
    customers = most_urgent_first(_overviews(session))
    exit_code = session.publish(overview_report(customers, session.now))
    after_overview(session, customers)
    return exit_code


def _overviews(session: "Session") -> "list[CustomerOverview]":
    import os
    from functools import partial

    from falcon_bulk.cli.multi_customer import for_each_customer
    from falcon_bulk.cli.rule_options import shown_rules
    from falcon_bulk.operations.customers import customer_files

    if not session.customers.several:
        problems_of_one = _problems_of_one(session)
        overview = _overview(session, problems_of_one, shown_rules(session))
        _note_old_secrets(session, {overview.customer: session.load_settings().secret_set})
        return [overview]
    rules = shown_rules(session)
    files = {file.customer: file for file in customer_files(session.customers.folder, os.environ)}
    problems = {name: file.problems for name, file in files.items()}
    _note_old_secrets(session, {name: files[name].secret_set for name in session.customers.several if name in files})
    done, expected = count(1), len(session.customers.several)

    def work(move: "ProgressTask", customer_session: "Session") -> "CustomerOverview":
        overview = _overview(customer_session, problems.get(customer_session.customers.name, ()), rules)
        move(next(done), expected)
        return overview

    with session.console.bar("counting", "customers") as move:
        return for_each_customer(session, partial(work, move))


def _note_old_secrets(session: "Session", secret_dates: dict[str, str]) -> None:
    from falcon_bulk.operations.customers import old_secrets

    if old := old_secrets(secret_dates, session.clock.now().date()):
        session.console.say(f"Note: {old}")


def _problems_of_one(session: "Session") -> "tuple[str, ...]":
    """Return the problems of the one customer's env file. Raises BadEnvFile if it cannot be used at all."""
    import os

    from falcon_bulk.config.settings import inspect_env_file
    from falcon_bulk.operations.customers import conflicts_with_customers

    session.load_settings()
    if (path := session.customers.find_env_file()) is None:
        return ()
    _, problems = inspect_env_file(path, os.environ)
    return (*problems, *conflicts_with_customers(path, session.customers.folder, os.environ))


def _overview(session: "Session", problems: "Sequence[str]", rules: "ShownRules | None") -> "CustomerOverview":
    from falcon_bulk.cli.journal_lookup import open_tenant_journals
    from falcon_bulk.cli.rule_options import rule_customer_or_name, today
    from falcon_bulk.operations.overview import customer_overview
    from falcon_bulk.operations.rules.waiting_rules import waiting_rules

    return customer_overview(
        session.customers.name or session.load_settings().customer,
        session.tenant,
        lambda cid: open_tenant_journals(session, cid),
        file_problems=problems,
        rules=rules and waiting_rules(rules.book, *rule_customer_or_name(session), today(session), rules.suspended),
        cid=session.expected_cid,
        now=session.clock.now(),
        in_flight=session.readers,
    )
