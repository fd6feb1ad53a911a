"""What to type next: one line on stderr after a result, ready to be pasted; --quiet leaves it out."""

import shlex
from collections.abc import Iterable, Sequence
from itertools import pairwise

from falcon_bulk.cli.options import SelectionOptions
from falcon_bulk.cli.session import Session
from falcon_bulk.model.hash_summary import HashSummary
from falcon_bulk.model.run import RunResult, RunRow, RunStatus
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.report.formats import Format

_STDIN = "-"
_ACTIVE = frozenset('"$`\\!')


def suggest(context: Session, label: str, *words: str, whom: bool = True) -> None:
    """A command with the options that name the customer. whom: whether it takes them; the folder is named anyway."""
    context.console.say(_step(context, label, *words, whom=whom))


def after_query(context: Session, options: SelectionOptions, shown: int) -> None:
    """Nothing found: what is there at all. Something for a person to read: which hashes stand behind it."""
    if not shown:
        suggest(context, "What is there:", "summary")
    elif context.output.format is Format.TABLE:
        _about_the_same(context, options, "hash-summary")


def after_summary(context: Session, options: SelectionOptions, alerts: int, *, outliers: bool) -> None:
    """Which alerts differ from those that are alike; or, where that was asked, the hashes."""
    if alerts:
        _about_the_same(context, options, *(("hash-summary",) if outliers else ("summary", "--outliers")))


def after_hash_summary(context: Session, options: SelectionOptions, summary: HashSummary) -> None:
    """What closing the most frequent hash that has open alerts would do, within the same selection."""
    within = _selecting(options._replace(hashes=(), hash_file=None))
    for one in summary.hashes:
        if one.alerts > one.by_status.get(Status.CLOSED, 0):
            suggest(context, "Next:", "close-hash", "--hash", one.sha256, *within, "--dry-run")
            return


def after_dry_run(context: Session, result: RunResult) -> None:
    """How the same is carried out."""
    if not result.planned:
        return
    if result.plan_file:
        suggest(context, "Carry it out:", "apply", result.plan_file)
    elif not any(word == _STDIN or word.endswith(f"={_STDIN}") for word in context.argv):
        context.console.say(_line("Carry it out:", _without_dry_run(context.argv)))


def after_run(context: Session, result: RunResult) -> None:
    """What `step_after_run` says."""
    if step := next_step(context, result):
        context.console.say(step)


def next_step(context: Session, result: RunResult) -> str:
    """Go on with what is unfinished, else look at what went wrong, else take it back; '' where nothing is to be done.

    Also for those who are notified: they see no stderr.
    """
    if result.status in (RunStatus.DRY_RUN, RunStatus.DECLINED):
        return ""
    if _is_unfinished(result):
        return resume_hint(context, result.run_id)
    if result.failed or result.drifted:
        return _step(context, "Look:", "runs", "show", result.run_id)
    return _to_take_back(context, result)


def after_recorded_run(context: Session, result: RunResult, undo: RunRow | None) -> None:
    """Go on with a run that is shown as recorded, or look at the one that took it back, else take it back."""
    if _is_unfinished(result):
        context.console.say(resume_hint(context, result.run_id))
    elif undo:
        suggest(context, "Being taken back by:" if undo.is_open else "Taken back by:", "runs", "show", undo.run_id)
    elif step := _to_take_back(context, result):
        context.console.say(step)


def resume_hint(context: Session, run_id: str) -> str:
    """How an unfinished run is gone on with."""
    return _step(context, "Go on:", "resume", run_id)


def after_runs(context: Session, rows: Sequence[RunRow]) -> None:
    """Go on with an unfinished run, else look at the newest."""
    unfinished = next((row for row in rows if row.status is RunStatus.UNFINISHED), None)
    if unfinished:
        context.console.say(resume_hint(context, unfinished.run_id))
    elif rows:
        suggest(context, "Look:", "runs", "show", rows[0].run_id)


def _is_unfinished(result: RunResult) -> bool:
    return bool(result.unknown or result.not_sent) and not result.closed


def _to_take_back(context: Session, result: RunResult) -> str:
    """'' where there is nothing to take back, or no way: indicators that were deleted."""
    if result.changed and not (result.allowance is not None and result.command == "undo"):
        return _step(context, "Take it back:", "undo", result.run_id)
    return ""


def _about_the_same(context: Session, options: SelectionOptions, *words: str) -> None:
    if str(options.hash_file) != _STDIN:
        suggest(context, "Next:", *words, *_selecting(options))


def _selecting(options: SelectionOptions) -> list[str]:
    """Return the options of the same selection, as they were given."""
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
    }
    words = [word for option, value in single.items() if value for word in (option, value)]
    return words + ["--visible-only"] * options.visible_only


def _without_dry_run(argv: Sequence[str]) -> Iterable[str]:
    """The command line without --dry-run, and without an address of --notify, which may hold a password."""
    for before, word in pairwise(("", *argv)):
        if word != "--dry-run" and not word.startswith("--notify=") and not (before == "--notify" and "://" in word):
            yield word


def _step(context: Session, label: str, *words: str, whom: bool = True) -> str:
    return _line(label, [*words, *(context.customers.arguments if whom else ()), *context.customers.folder_arguments])


def _line(label: str, words: Iterable[str]) -> str:
    return f"{label}  {' '.join(map(_quoted, ('falcon-bulk', *words)))}"


def _quoted(word: str) -> str:
    """For a POSIX shell; FQL is full of single quotes, so double ones go around where nothing in it would change."""
    return f'"{word}"' if "'" in word and not _ACTIVE & set(word) else shlex.quote(word)
