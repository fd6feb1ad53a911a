"""falcon-bulk rules: closing rules, and how they are listed and checked."""

from pathlib import Path

import click

from falcon_bulk.cli.command_group import SuggestingGroup
from falcon_bulk.cli.commands import rules_draft, rules_report, rules_revoke, rules_run, rules_test
from falcon_bulk.cli.options import examples, rules_option
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.errors import ExitCode


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


for subcommand in (rules_test, rules_run, rules_revoke, rules_draft, rules_report):
    command.add_command(subcommand.command)
