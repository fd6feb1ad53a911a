"""What a changing command prints at its end."""

import shlex
from collections.abc import Iterator
from typing import Any

from falcon_bulk.model.run import RunProblem, RunResult, RunStatus
from falcon_bulk.report.counts import COUNT_COLUMNS, left_alone
from falcon_bulk.report.sheet import Column, Row, Sheet, shown

_PROBLEM_COLUMNS = (
    Column("code", right=True),
    Column("error", fold=True),
    Column("trace_id", fold=True, least=12),
    Column("alerts", right=True),
    Column("ids", spare=1, least=20),
)
_IDS_SHOWN = 3


def result_sheets(result: RunResult) -> list[Sheet]:
    """The verdict in one line, the numbers that are not 0, the errors, and what to do next."""
    sheets = [Sheet(verdict(result), COUNT_COLUMNS, list(_counts(result)))]
    if result.errors:
        sheets.append(Sheet("Errors", _PROBLEM_COLUMNS, list(map(_problem_row, result.errors))))
    last = sheets[-1]
    sheets[-1] = Sheet(last.title, last.columns, last.rows, list(_next_steps(result)))
    return sheets


def result_document(result: RunResult) -> dict[str, Any]:
    """`falcon-bulk/run/1`."""
    return {
        "schema": "falcon-bulk/run/1",
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
        "changed": result.changed,
        "failed": result.failed,
        "drifted": result.drifted,
        "unknown": result.unknown,
        "not_sent": result.not_sent,
        "verified": result.verified,
        "batches": result.batches,
        "requests": result.requests,
        "seconds": result.seconds,
        "plan_file": result.plan_file,
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


def verdict(result: RunResult) -> str:
    """How the run ended, in one line."""
    return f"{result.customer}: {_verdict(result)}"


def _verdict(result: RunResult) -> str:
    planned = shown(result.planned)
    done = f"{shown(result.changed)} of {planned} alerts changed"
    match result.status:
        case RunStatus.SUCCESS:
            return f"{done} and verified"
        case RunStatus.DRY_RUN:
            return f"dry run, nothing was sent; {planned} of {shown(result.selected)} alerts would be changed"
        case RunStatus.NOTHING_TO_DO if result.selected:
            return f"nothing to do; all {shown(result.selected)} alerts were skipped or held back"
        case RunStatus.NOTHING_TO_DO:
            return "nothing to do; no alert was selected"
        case RunStatus.DECLINED:
            return f"declined, nothing was sent; {planned} alerts stay as they are"
        case RunStatus.INTERRUPTED:
            return f"interrupted; {done}, {shown(result.verified)} verified"
        case RunStatus.RUNNING:
            return f"still running; {done}"
        case RunStatus.UNFINISHED:
            return f"unfinished; {done}"
        case RunStatus.FAILED:
            return f"failed; {done}"
        case _:
            return f"partly done; {done}, {shown(result.verified)} verified"


def _counts(result: RunResult) -> Iterator[Row]:
    asked_only = result.status in (RunStatus.DRY_RUN, RunStatus.DECLINED)
    yield result.selected, "selected", ""
    yield from left_alone(result.skipped, result.held)
    outcomes = (
        (result.planned, "planned", ""),
        (result.changed, "changed", ""),
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
        ids.append(f"and {shown(more)} more")
    return problem.code or None, problem.message, problem.trace_id, len(problem.ids), ", ".join(ids)


def _next_steps(result: RunResult) -> Iterator[str]:
    run = shlex.quote(result.run_id)
    if result.batches:
        work = f"{shown(result.batches)} batches, {shown(result.requests)} requests, {result.seconds:,.1f} s"
        yield f"Run {result.run_id}: {work}."
    if result.status is RunStatus.DRY_RUN:
        if result.plan_file:
            yield f"Carry it out:  falcon-bulk apply {shlex.quote(result.plan_file)}"
        return
    if result.status is RunStatus.DECLINED:
        return
    if (result.unknown or result.not_sent) and not result.closed:
        yield f"Go on:         falcon-bulk resume {run}"
    if result.changed:
        yield f"Take it back:  falcon-bulk undo {run}"
