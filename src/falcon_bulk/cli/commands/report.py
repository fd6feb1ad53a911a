"""falcon-bulk report: a customer's month as a page to hand over."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.option_values import single_value
from falcon_bulk.cli.options import examples, takes
from falcon_bulk.cli.shared_options import notify_option, shared_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.closing_rule import ClosingRule
    from falcon_bulk.model.period_report import Period, PeriodReport
    from falcon_bulk.report.multi_customer import Parts
    from falcon_bulk.report.report import Report


class ReportOptions(NamedTuple):
    """The options of report."""

    month: str | None
    since: str | None
    until: str | None
    top: int
    operators: bool


@click.command(
    "report",
    cls=GroupedHelp,
    epilog=examples(
        "report --customer acme --month 2026-10 -o acme.html",
        "report --all-customers --month last -o reports/",
        "report --customer acme --since 2026-11-01 --until 2026-11-15 --format markdown",
        "report --customer acme --month 2026-10 --operators --format json",
    ),
)
@click.option(
    "--month", **single_value(), metavar="YYYY-MM|last", help="Report on this month, in UTC; last: the month before."
)
@click.option("--since", **single_value(), metavar="WHEN", help="Created since: 7d, 24h, a date, or a UTC time.")
@click.option("--until", **single_value(), metavar="WHEN", help="Created before: a date or a UTC time.  [default: now]")
@click.option(
    "--top",
    **single_value(default=10),
    metavar="N",
    type=click.IntRange(1, 100),
    show_default=True,
    help="Names, hosts, hashes and recurring alerts to list.",
)
@click.option("--operators", is_flag=True, help="Name who made the report and who made the runs.")
@notify_option
@shared_options
@takes(ReportOptions)
def command(ctx: click.Context, options: ReportOptions) -> int:
    """Report on a month, or another period, of a customer: what came in, what became of it, and what was done.

    It counts the alerts created in the period, as they are now, and says what runs recorded on this machine did in the
    period. With -o FILE.html or -o DIR/ it is a page to print or to send (--output-format: another format in DIR).
    It names no other customer, and no person without --operators. If not all alerts can be read, there is no report.
    """
    from falcon_bulk.cli.multi_customer import run_command
    from falcon_bulk.cli.period_options import period_from_options
    from falcon_bulk.cli.rule_options import shown_rules
    from falcon_bulk.cli.session import Session
    from falcon_bulk.report.period_report import period_report_report
    from falcon_bulk.report.report import Reported

    session = Session.open(ctx, "report")
    period, label = period_from_options(session, options.month, options.since, options.until)
    session.command = f"{session.command}-{label}"

    shown = shown_rules(session)
    rules = {rule.id: rule for rule in shown.book.rules} if shown else {}

    def work(customer_session: Session) -> "Reported[PeriodReport]":
        report = _report(customer_session, period, options, rules)
        return Reported(report, period_report_report(report, names_operators=options.operators))

    return run_command(session, work, _combined_report).exit_code


def _report(
    session: "Session", period: "Period", options: ReportOptions, rules: "Mapping[str, ClosingRule]"
) -> "PeriodReport":
    import platform

    from falcon_bulk.cli.journal_lookup import open_tenant_journals
    from falcon_bulk.operations.period_report import journal_part, period_report

    with session.tenant() as tenant, session.watching("reading") as progress:
        with open_tenant_journals(session, tenant.home_cid()) as journals:
            journal = journal_part(journals, period, rules, machine=platform.node(), with_operators=options.operators)
        return period_report(
            tenant,
            journal,
            period,
            progress,
            as_of=session.clock.now(),
            top=options.top,
            readers=session.readers,
        )


def _combined_report(parts: "Parts[PeriodReport]") -> "Report":
    """Return the table across customers."""
    from falcon_bulk.report.multi_customer import multi_report, results_of
    from falcon_bulk.report.page import Page
    from falcon_bulk.report.period_report import ACROSS_COLUMNS, LEGEND, across_cells, across_sheet

    reports = [report for _, report in results_of(parts)]
    return multi_report(
        parts,
        ACROSS_COLUMNS,
        across_cells,
        sheets=lambda customers: [across_sheet(customers, reports)],
        page=lambda customers: Page(
            [across_sheet(customers, reports)], f"Falcon alerts of {len(parts):,} customers", legend=LEGEND
        ),
    )
