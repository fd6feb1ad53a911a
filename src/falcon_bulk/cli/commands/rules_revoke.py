"""falcon-bulk rules revoke: end a closing rule, and take back what it closed."""

from typing import TYPE_CHECKING, NamedTuple

import click

from falcon_bulk.cli.help_groups import GroupedHelp
from falcon_bulk.cli.options import (
    ConsentOptions,
    PaceOptions,
    consent_options,
    examples,
    operator_option,
    pace_options,
    rules_option,
    takes,
)
from falcon_bulk.cli.shared_options import notify_option, shared_options
from falcon_bulk.errors import UsageProblem

if TYPE_CHECKING:
    from falcon_bulk.model.closing_rule import ListedRule
    from falcon_bulk.operations.rules.rule_source import RuleSource


class RevokeOptions(NamedTuple):
    """The options of rules revoke."""

    rule_id: str
    reopen: bool
    rule_paths: tuple[str, ...]
    operator: str | None
    consent: ConsentOptions
    pace: PaceOptions


@click.command(
    "revoke",
    cls=GroupedHelp,
    epilog=examples("rules revoke acme-updater", "rules revoke acme-updater --reopen --customer acme"),
)
@click.argument("rule_id", metavar="ID")
@click.option("--reopen", is_flag=True, help="Also undo the closing of its alerts that no other live rule fits.")
@rules_option
@operator_option
@consent_options
@pace_options
@notify_option
@shared_options
@takes(RevokeOptions)
def command(ctx: click.Context, options: RevokeOptions) -> int:
    """Revoke a rule: it closes nothing from now on, also in saved plans and unfinished runs.

    Writes `revoked = DATE` into its file; nothing else in it changes. With --reopen, the closing of its alerts at
    the chosen customers is undone where nobody has changed them since, with a plan, a preview and a question.
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
    rule = _find_rule(source, options.rule_id)
    confirmation = Confirmation(options.consent)
    if options.reopen:
        confirmation.check_possible()
    if rule.revoked:
        session.console.say(f"The rule {rule.id} is revoked since {rule.revoked}.")
    else:
        write_revocation(rule, source.today())
        session.console.say(f"Revoked {rule.id} in {rule.path}: it closes nothing from now on.")
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


def _find_rule(source: "RuleSource", rule_id: str) -> "ListedRule":
    """Return the rule of that id. Raises UsageProblem if there is none, or more than one."""
    from falcon_bulk.cli.rule_options import check_rules_known
    from falcon_bulk.operations.rules.rule_list import list_rules

    book = source.load()
    found = [rule for rule in list_rules(book, source.today(), {}) if rule.id == rule_id]
    if not found:
        check_rules_known((rule_id,), book)
    if len(found) > 1:
        raise UsageProblem(f"The id {rule_id} stands {len(found)} times.", "`falcon-bulk rules lint` names them.")
    return found[0]
