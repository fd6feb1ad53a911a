"""falcon-bulk rules: closing rules."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.command_group import SuggestingGroup
from falcon_bulk.cli.commands import rules_draft, rules_report
from falcon_bulk.cli.option_values import multi_value, single_value
from falcon_bulk.cli.options import (
    ConsentOptions,
    PaceOptions,
    consent_options,
    dry_run_option,
    examples,
    operator_option,
    pace_options,
    rules_option,
    takes,
)
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import ExitCode, UsageProblem

if TYPE_CHECKING:
    from falcon_bulk.cli.session import Session
    from falcon_bulk.model.closing_rule import RuleTest
    from falcon_bulk.operations.rules.rule_book import RuleBook
    from falcon_bulk.report.report import Reported

OPEN_STATUSES = ("new", "in_progress", "reopened")
"""The statuses that a rule can close."""


class RunOptions(NamedTuple):
    """The options of rules run."""

    rule_paths: tuple[str, ...]
    statuses: tuple[str, ...]
    allow_surge: tuple[str, ...]
    operator: str | None
    dry_run: bool
    plan: Path | None
    consent: ConsentOptions
    pace: PaceOptions


class RevokeOptions(NamedTuple):
    """The options of rules revoke."""

    rule_id: str
    reopen: bool
    rule_paths: tuple[str, ...]
    operator: str | None
    consent: ConsentOptions
    pace: PaceOptions


@click.group(
    "rules",
    cls=SuggestingGroup,
    epilog=examples(
        "rules lint",
        "rules list",
        "rules test --customer acme --since 90d",
        "rules run --customer acme --dry-run",
        "rules run --all-customers --yes --max 500",
        "rules revoke acme-updater --reopen --customer acme",
        "rules draft --customer acme --run latest",
        "rules report --all-customers",
    ),
)
@shared_options
def command() -> None:
    """Closing rules: a decision to close what matches, made once, kept, watched, and ended.

    They are TOML files, by default rules/*.toml beside the customers' folder.
    """


command.add_command(rules_draft.command)
command.add_command(rules_report.command)


@command.command("lint", epilog=examples("rules lint", "rules lint rules/acme.toml"))
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@rules_option
@shared_options
@click.pass_context
def lint(ctx: click.Context, paths: tuple[Path, ...], rule_paths: tuple[str, ...]) -> int:
    """Check rule files, without Falcon; the exit code is 2 if anything is wrong.

    Each problem is told with its file, line and rule, as editors follow it.
    """
    from falcon_bulk.cli.rule_options import rule_source
    from falcon_bulk.cli.session import Session
    from falcon_bulk.operations.rules.rule_list import list_rules
    from falcon_bulk.report.rules import lint_report

    session = Session.open(ctx, "rules")
    source = rule_source(session, (*map(str, paths), *rule_paths))
    book = source.load()
    listed = list_rules(book, source.today(), {})
    code = ExitCode.DONE if book.is_valid else ExitCode.USAGE
    return session.publish(lint_report(listed, book.problems, len(book.files), code))


@command.command("list", epilog=examples("rules list", "rules list --format json"))
@rules_option
@shared_options
@click.pass_context
def list_rules_command(ctx: click.Context, rule_paths: tuple[str, ...]) -> int:
    """List the rules with their states, without Falcon.

    A rule is live; due (it ends within 14 days); starts (later); expired; revoked; suspended (a true positive
    contradicts it); or invalid.
    """
    from falcon_bulk.cli.rule_options import rule_source, true_positive_store
    from falcon_bulk.cli.session import Session
    from falcon_bulk.operations.rules.rule_list import list_rules
    from falcon_bulk.report.rules import rules_report

    session = Session.open(ctx, "rules")
    source = rule_source(session, rule_paths)
    book = source.load()
    suspended = book.suspensions(true_positive_store(session).load())
    return session.publish(rules_report(list_rules(book, source.today(), suspended), book.problems))


@command.command(
    "run",
    epilog=examples(
        "rules run --customer acme --dry-run",
        "rules run --customer acme",
        "rules run --all-customers --yes --max 500",
        "rules run --all-customers --dry-run --plan plans/",
    ),
)
@rules_option
@click.option(
    "--status",
    "statuses",
    **multi_value(choices=OPEN_STATUSES),
    help="Read alerts of these statuses.  [default: new]",
)
@click.option(
    "--allow-surge", "allow_surge", **multi_value("RULE"), help="Let a rule close far more than usual, this once."
)
@operator_option
@dry_run_option
@click.option(
    "--plan",
    "plan",
    **single_value(),
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="With --dry-run: save the plans, for `falcon-bulk apply`.",
)
@consent_options
@pace_options
@notify_option
@shared_options
@takes(RunOptions)
def run(ctx: click.Context, options: RunOptions) -> int:
    """Close what the closing rules fit; hold and tell what only looks like it.

    The true positives of all customers are read first: a rule that one contradicts is suspended everywhere. Alerts that
    match a rule and differ from what it expects are held. The exit code is 6 if a rule is invalid, suspended or surges,
    or a customer failed.
    """
    from falcon_bulk.cli.confirmation import Confirmation
    from falcon_bulk.cli.rule_options import load_rules, rule_source
    from falcon_bulk.cli.rules_run import RulesRun
    from falcon_bulk.cli.rules_runner import run_rules
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.shards import check_no_shard
    from falcon_bulk.operations.rules.rules_run import RulesRequest

    check_no_shard(ctx)
    session = Session.open(ctx, "run")
    source = rule_source(session, options.rule_paths, asks_git=not options.dry_run)
    request = RulesRequest(options.statuses or ("new",), frozenset(options.allow_surge))
    return run_rules(
        session,
        RulesRun(
            source=source,
            book=load_rules(session, source),
            request=request,
            confirmation=Confirmation(options.consent),
            pace=options.pace,
            operator=options.operator,
            dry=options.dry_run,
            plans=options.plan,
        ),
    )


@command.command("test", epilog=examples("rules test --customer acme", "rules test acme-updater --since 30d"))
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
def test(ctx: click.Context, rule_ids: tuple[str, ...], rule_paths: tuple[str, ...], since: str) -> int:
    """Hold rules against history: what each would have closed, what differs, and what was decided about it.

    The exit code is 7 if a true positive contradicts a rule; `reviewed-alerts` in the rule names those that do not.
    """
    from falcon_bulk.cli.multi_customer import run_command
    from falcon_bulk.cli.rule_options import load_rules, rule_source
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.time_values import parse_instant
    from falcon_bulk.report.multi_customer import multi_report

    session = Session.open(ctx, "rules")
    source = rule_source(session, rule_paths)
    book = load_rules(session, source)
    _check_known(rule_ids, book)
    start = parse_instant(since, "--since", session.clock.now())
    published = run_command(
        session,
        lambda one: _test_customer(one, book, frozenset(rule_ids), start),
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


def _check_known(rule_ids: tuple[str, ...], book: "RuleBook") -> None:
    from falcon_bulk.cli.suggestions import did_you_mean

    known = [rule.id for rule in book.rules]
    for rule_id in rule_ids:
        if rule_id not in known:
            raise UsageProblem(
                f"There is no valid rule {rule_id!r}.",
                f"{did_you_mean(rule_id, known)}`falcon-bulk rules list` lists them.",
            )


@command.command(
    "revoke", epilog=examples("rules revoke acme-updater", "rules revoke acme-updater --reopen --customer acme")
)
@click.argument("rule_id", metavar="ID")
@click.option("--reopen", is_flag=True, help="Also take back what the rule closed and no other live rule fits.")
@rules_option
@operator_option
@consent_options
@pace_options
@notify_option
@shared_options
@takes(RevokeOptions)
def revoke(ctx: click.Context, options: RevokeOptions) -> int:
    """Revoke a rule: it closes nothing from now on, also in saved plans and unfinished runs.

    Writes `revoked = DATE` into its file; nothing else in it changes. With --reopen, what the rule closed at the chosen
    customers and is still as it left it is taken back: a plan, a preview and a question as ever.
    """
    from falcon_bulk.cli.confirmation import Confirmation
    from falcon_bulk.cli.rule_options import rule_source
    from falcon_bulk.cli.rule_reopening import Reopening
    from falcon_bulk.cli.rules_runner import run_rules
    from falcon_bulk.cli.session import Session
    from falcon_bulk.cli.shards import check_no_shard
    from falcon_bulk.operations.rules.revoke import write_revocation
    from falcon_bulk.operations.rules.rule_list import list_rules
    from falcon_bulk.operations.rules.rules_run import RulesRequest
    from falcon_bulk.report.rules import rules_report

    if options.reopen:
        check_no_shard(ctx)
    session = Session.open(ctx, "run" if options.reopen else "rules")
    source = rule_source(session, options.rule_paths)
    listed = list_rules(source.load(), source.today(), {})
    found = [rule for rule in listed if rule.id == options.rule_id]
    if not found:
        _check_known((options.rule_id,), source.load())
    if len(found) > 1:
        raise UsageProblem(
            f"The id {options.rule_id} stands {len(found)} times.", "`falcon-bulk rules lint` names them."
        )
    confirmation = Confirmation(options.consent)
    if options.reopen:
        confirmation.check_possible()
    if found[0].revoked:
        session.console.say(f"The rule {options.rule_id} is revoked since {found[0].revoked}.")
    else:
        write_revocation(found[0], source.today())
        session.console.say(f"Revoked {options.rule_id} in {found[0].path}: it closes nothing from now on.")
    book = source.load()
    if not options.reopen:
        revoked = [rule for rule in list_rules(book, source.today(), {}) if rule.id == options.rule_id]
        return session.publish(rules_report(revoked, ()))
    return run_rules(
        session,
        Reopening(
            source=source,
            book=book,
            request=RulesRequest(),
            confirmation=confirmation,
            pace=options.pace,
            operator=options.operator,
            dry=False,
            plans=None,
            rule_id=options.rule_id,
        ),
    )
