"""The command to run next: one line on stderr after a result, ready to paste; --quiet leaves it out."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from falcon_bulk.cli.options import SelectionOptions
from falcon_bulk.cli.quoting import quoted
from falcon_bulk.cli.session import Session
from falcon_bulk.model.hash_summary import HashSummary
from falcon_bulk.model.overview import CustomerOverview
from falcon_bulk.model.run import IndicatorRunResult, RunResult, RunRow, RunStatus
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.report.formats import Format

_STDIN = "-"


def suggest(session: Session, label: str, *arguments: str, with_customer: bool = True) -> None:
    """Show a command with the options that select the customer.

    with_customer: False for a command that does not take them; the customers' folder is added anyway.
    """
    session.console.say(_step(session, label, *arguments, with_customer=with_customer))


def after_query(session: Session, options: SelectionOptions, shown: int) -> None:
    """Suggest hash-summary for the same selection after a table, and summary if nothing was found."""
    if not shown:
        suggest(session, "Count all alerts:", "summary")
    elif session.output.format is Format.TABLE:
        _suggest_for_selection(session, options, "hash-summary")


def after_summary(session: Session, options: SelectionOptions, alerts: int, *, outliers: bool) -> None:
    """Suggest --outliers for the same selection or, after that, hash-summary."""
    if alerts:
        _suggest_for_selection(session, options, *(("hash-summary",) if outliers else ("summary", "--outliers")))


def after_overview(session: Session, customers: Sequence[CustomerOverview]) -> None:
    """Suggest to resume an unfinished run, else to show the new alerts of the customer with the most urgent ones."""
    named = session.customers.several
    for customer in customers:
        arguments = ("--customer", customer.customer) if named else session.customers.arguments
        if customer.unfinished:
            suggest(session, "Resume it:", "resume", customer.unfinished, *arguments, with_customer=False)
            return
    for customer in customers:
        arguments = ("--customer", customer.customer) if named else session.customers.arguments
        if customer.new and customer.new.total:
            urgent = ("--severity", "critical,high") if customer.new.critical + customer.new.high else ()
            suggest(session, "Next:", "query", *arguments, "--status", "new", *urgent, with_customer=False)
            return


def after_hash_summary(session: Session, options: SelectionOptions, summary: HashSummary) -> None:
    """Suggest a dry run that closes the most frequent hash with open alerts, within the same selection."""
    selection = _selection_arguments(options._replace(hashes=(), hash_file=None, only_sha256=False))
    for counts in summary.hashes:
        if counts.alerts > counts.by_status.get(Status.CLOSED, 0):
            suggest(session, "Next:", "close-hash", "--hash", counts.sha256, *selection, "--dry-run")
            return


def after_dry_run(session: Session, result: RunResult) -> None:
    """Suggest the command that applies what the dry run showed."""
    if not result.planned:
        return
    if result.plan_file:
        suggest(session, "Apply it:", "apply", result.plan_file)
    elif not any(argument == _STDIN or argument.endswith(f"={_STDIN}") for argument in session.argv):
        session.console.say(_line("Apply it:", _without_dry_run(session.argv)))


def after_run(session: Session, result: RunResult) -> None:
    """Show the next step, if there is one."""
    if step := next_step(session, result):
        session.console.say(step)


def next_step(session: Session, result: RunResult) -> str:
    """Return the command that resumes the run, else shows what went wrong, else undoes it; '' if none applies.

    Notifications have it too: whoever gets them sees no stderr.
    """
    if result.status in (RunStatus.DRY_RUN, RunStatus.DECLINED):
        return ""
    if _is_unfinished(result):
        return resume_hint(session, result.run_id)
    if result.failed or result.drifted:
        return _step(session, "Show it:", "runs", "show", result.run_id)
    return _undo_step(session, result)


def after_repeated_closing(session: Session, run_id: str, before: int) -> None:
    """Suggest to draft a closing rule from a run, as the same was closed by hand before. before: how often."""
    times = "once" if before == 1 else f"{before:,} times"
    suggest(session, f"Closed by hand {times} before; draft a rule:", "rules", "draft", "--run", run_id)


def after_recorded_run(session: Session, result: RunResult, undo: RunRow | None) -> None:
    """Suggest to resume a recorded run, to show the run that undid it, or to undo it."""
    if _is_unfinished(result):
        session.console.say(resume_hint(session, result.run_id))
    elif undo:
        suggest(session, "Being undone by:" if undo.is_open else "Undone by:", "runs", "show", undo.run_id)
    elif step := _undo_step(session, result):
        session.console.say(step)


def resume_hint(session: Session, run_id: str) -> str:
    """Return the command that resumes an unfinished run."""
    return _step(session, "Resume it:", "resume", run_id)


def after_runs(session: Session, rows: Sequence[RunRow]) -> None:
    """Suggest to resume an unfinished run, else to show the newest."""
    unfinished = next((row for row in rows if row.status is RunStatus.UNFINISHED), None)
    if unfinished:
        session.console.say(resume_hint(session, unfinished.run_id))
    elif rows:
        suggest(session, "Show it:", "runs", "show", rows[0].run_id)


def _is_unfinished(result: RunResult) -> bool:
    return bool(result.unknown or result.not_sent) and not result.closed


def _undo_step(session: Session, result: RunResult) -> str:
    """Return the command that undoes the run; '' if nothing was changed or that cannot be undone."""
    if result.changed and not (isinstance(result, IndicatorRunResult) and result.command == "undo"):
        return _step(session, "Undo it:", "undo", result.run_id)
    return ""


def _suggest_for_selection(session: Session, options: SelectionOptions, *arguments: str) -> None:
    if _STDIN not in (str(options.hash_file), str(options.ids_file)):
        suggest(session, "Next:", *arguments, *_selection_arguments(options))


def _selection_arguments(options: SelectionOptions) -> list[str]:
    """Return the options of the same selection, as they were typed."""
    single = {
        "--filter": options.fql,
        "--host": options.host,
        "--name": options.name,
        "--since": options.since,
        "--until": options.until,
        "--hash": ",".join(options.hashes),
        "--severity": ",".join(options.severities),
        "--product": ",".join(options.products),
        "--status": ",".join(options.statuses),
        "--hash-file": str(options.hash_file or ""),
        "--ids-file": str(options.ids_file or ""),
    }
    arguments = [argument for option, value in single.items() if value for argument in (option, value)]
    flags = {"--only-sha256": options.only_sha256, "--visible-only": options.visible_only}
    return [
        *(f"@{name}" for name in options.named),
        *arguments,
        *(option for option, given in flags.items() if given),
    ]


def _without_dry_run(argv: Sequence[str]) -> Iterable[str]:
    """Return the command line without --dry-run, and without an address of --notify, which may hold a password."""
    for before, word in pairwise(("", *argv)):
        if word != "--dry-run" and not word.startswith("--notify=") and not (before == "--notify" and "://" in word):
            yield word


def _step(session: Session, label: str, *arguments: str, with_customer: bool = True) -> str:
    return _line(
        label,
        [*arguments, *(session.customers.arguments if with_customer else ()), *session.customers.folder_arguments],
    )


def _line(label: str, arguments: Iterable[str]) -> str:
    return f"{label}  {' '.join(map(quoted, ('falcon-bulk', *arguments)))}"
