"""What a changing command prints at its end."""

from collections.abc import Iterator
from typing import Any

from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import RunProblem, RunResult, RunStatus
from falcon_bulk.report.count_rows import COUNT_COLUMNS, skipped_and_held_rows
from falcon_bulk.report.indicators import (
    ALLOW_SCHEMA,
    MOST_HASHES,
    NUMBER_COLUMNS,
    indicator_fields,
    indicators_left_alone,
    operation_past_tense,
    result_hashes_sheet,
)
from falcon_bulk.report.outliers import outliers_document
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

_PROBLEM_COLUMNS = (
    Column("code", right=True),
    Column("error", wrap=True),
    Column("trace_id", wrap=True, min_width=12),
    Column("alerts", right=True),
    Column("ids", drop_order=1, min_width=20),
)
_IDS_SHOWN = 3


def result_sheets(result: RunResult) -> list[Sheet]:
    """The resolution in one line, the numbers that are not 0, the errors, and what it took."""
    columns = COUNT_COLUMNS if result.allowance is None else NUMBER_COLUMNS
    sheets = [Sheet(result_headline(result), columns, list(_counts(result)))]
    if result.allowance is not None and result.status is not RunStatus.DRY_RUN:
        sheets.append(result_hashes_sheet(result, MOST_HASHES))
    if result.errors:
        sheets.append(Sheet("Errors", _PROBLEM_COLUMNS, list(map(_problem_row, result.errors))))
    return [*sheets[:-1], sheets[-1].with_notes(_effort(result))]


def result_document(result: RunResult) -> dict[str, Any]:
    """`falcon-bulk/run/1`, or `falcon-bulk/allow/1` for a run of indicators."""
    deeds: dict[str, Any] = {"changed": result.changed}
    rest: dict[str, Any] = {"plan_file": result.plan_file}
    if result.allowance is not None:
        deeds = {"created": 0, "deleted": 0, operation_past_tense(result): result.changed}
        rest = indicator_fields(result)
    return {
        "schema": "falcon-bulk/run/1" if result.allowance is None else ALLOW_SCHEMA,
        "run_id": result.run_id,
        "customer": result.customer,
        "cid": result.cid,
        "command": result.command,
        "status": str(result.status),
        "exit_code": int(result.exit_code),
        "selected": result.selected,
        "skipped": dict(result.skipped),
        "held": dict(result.held),
        "planned": result.planned,
        **deeds,
        "failed": result.failed,
        "drifted": result.drifted,
        "unknown": result.unknown,
        "not_sent": result.not_sent,
        "verified": result.verified,
        "batches": result.batches,
        "requests": result.requests,
        "seconds": result.seconds,
        **rest,
        "errors": [
            {
                "code": problem.code,
                "message": problem.message,
                "trace_id": problem.trace_id,
                "ids": list(problem.ids),
            }
            for problem in result.errors
        ],
    }


def dry_run_document(result: RunResult, preview: Preview) -> dict[str, Any]:
    """Return `falcon-bulk/run/1` of a dry run, with the outliers among the alerts of a hash."""
    return result_document(result) | ({} if preview.alike is None else {"outliers": outliers_document(preview.alike)})


def result_headline(result: RunResult) -> str:
    """How the run ended, in one line."""
    return f"{result.customer}: {_headline(result)}"


def _headline(result: RunResult) -> str:
    planned, (things, deed) = format_cell(result.planned), _words(result)
    done = f"{format_cell(result.changed)} of {planned} {things} {deed}"
    match result.status:
        case RunStatus.SUCCESS:
            return f"{done} and verified"
        case RunStatus.DRY_RUN:
            return f"dry run, nothing was sent; {planned} of {format_cell(result.selected)} {things} would be {deed}"
        case RunStatus.NOTHING_TO_DO if result.selected:
            return f"nothing to do; all {format_cell(result.selected)} {things} were skipped or held back"
        case RunStatus.NOTHING_TO_DO:
            return f"nothing to do; no {things.removesuffix('s')} was selected"
        case RunStatus.DECLINED:
            return f"declined, nothing was sent; {planned} {things} stay as they are"
        case RunStatus.INTERRUPTED:
            return f"interrupted; {done}, {format_cell(result.verified)} verified"
        case RunStatus.RUNNING:
            return f"still running; {done}"
        case RunStatus.UNFINISHED:
            return f"unfinished; {done}"
        case RunStatus.FAILED:
            return f"failed; {done}"
        case _:
            return f"partly done; {done}, {format_cell(result.verified)} verified"


def _words(result: RunResult) -> tuple[str, str]:
    """What the run was about, and what was done to them."""
    return ("alerts", "changed") if result.allowance is None else ("indicators", operation_past_tense(result))


def _counts(result: RunResult) -> Iterator[Row]:
    alone = skipped_and_held_rows if result.allowance is None else indicators_left_alone
    asked_only = result.status in (RunStatus.DRY_RUN, RunStatus.DECLINED)
    yield result.selected, "selected", ""
    yield from alone(result.skipped, result.held)
    outcomes = (
        (result.planned, "planned", ""),
        (result.changed, _words(result)[1], ""),
        (result.verified, "verified", "read back in the wanted state"),
        (result.failed, "failed", "Falcon refused the change"),
        (result.drifted, "drifted", "changed by someone since the plan, left alone"),
        (result.unknown, "unknown", "sent, but what became of them is not known"),
        (result.not_sent, "not sent", "" if asked_only else "still as they were"),
    )
    yield from (outcome for outcome in outcomes if outcome[0])


def _problem_row(problem: RunProblem) -> Row:
    ids = list(problem.ids[:_IDS_SHOWN])
    if more := len(problem.ids) - len(ids):
        ids.append(f"and {format_cell(more)} more")
    return problem.code or None, problem.message, problem.trace_id, len(problem.ids), ", ".join(ids)


def _effort(result: RunResult) -> Iterator[str]:
    if result.batches:
        batches = f"{format_cell(result.batches)} {'batch' if result.batches == 1 else 'batches'}"
        work = f"{batches}, {format_cell(result.requests)} requests, {result.seconds:,.1f} s"
        yield f"Run {result.run_id}: {work}."
