"""The report of a changing command: how the run ended, and its document."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from falcon_bulk.model.closing_rule import RuleResult
from falcon_bulk.model.plural import counted
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import AlertRunResult, IndicatorRunResult, NamedItem, RunProblem, RunResult, RunStatus
from falcon_bulk.report.count_rows import COUNT_COLUMNS, skipped_and_held_rows
from falcon_bulk.report.indicators import (
    INDICATOR_COLUMNS,
    MAX_HASHES,
    HashDocument,
    IndicatorDocument,
    hash_documents,
    indicator_document,
    result_hashes_sheet,
    skipped_and_held_hashes,
    verb_of,
)
from falcon_bulk.report.named_items import named_items_sheets
from falcon_bulk.report.outliers import outliers_document
from falcon_bulk.report.report import Report
from falcon_bulk.report.rules_run import RuleRunDocument, rule_run_documents, rules_run_sheet
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell

_PROBLEM_COLUMNS = (
    Column("code", right=True),
    Column("error", wrap=True),
    Column("trace_id", min_width=36, whole=True),
    Column("alerts", right=True),
    Column("ids", min_width=1_000, whole=True),
)
_IDS_SHOWN = 3


class _CommonDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `falcon-bulk/run/1` and `falcon-bulk/allow/1` have in common."""

    run_id: str
    customer: str
    cid: str
    command: str
    operator: str
    selection: str
    comment: str
    actions: tuple[str, ...]
    status: str
    exit_code: int
    selected: int
    skipped: dict[str, int]
    held: dict[str, int]
    planned: int
    failed: int
    drifted: int
    unknown: int
    not_sent: int
    verified: int
    batches: int
    requests: int
    seconds: float
    errors: tuple[RunProblem, ...]
    incomplete: tuple[str, ...]


class RunDocument(_CommonDocument, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/run/1"):
    """`falcon-bulk/run/1`. outliers: of a dry run of close-hash; rules: of `rules run`; alerts: of `runs show`."""

    changed: int
    overridden: tuple[str, ...]
    plan_file: str | None
    items: Iterable[NamedItem]
    outliers: object | UnsetType = UNSET
    rules: list[RuleRunDocument] | UnsetType = UNSET
    alerts: Iterable[object] | UnsetType = UNSET


class AllowDocument(_CommonDocument, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/allow/1"):
    """`falcon-bulk/allow/1`: a run of indicators."""

    created: int
    deleted: int
    indicator: IndicatorDocument
    hashes: list[HashDocument]


def run_report(result: RunResult, next_step: str = "") -> Report:
    """Return the report of a run. next_step: the command to run next."""
    return Report(
        lambda: result_sheets(result, named=True),
        lambda: result_document(result),
        title=result_headline(result),
        next_step=next_step,
        exit_code=result.exit_code,
    )


def dry_run_report(shown: Sequence[Sheet], preview: Preview, result: RunResult, exit_code: int = 0) -> Report:
    """Return the report of a plan that was only made. shown: its preview; the headline of its result follows."""

    def sheets() -> list[Sheet]:
        headline = result_sheets(result)[0]
        table = rules_run_sheet(preview.rules, dry=True)
        rules = [table] if preview.rules and table.title not in [sheet.title for sheet in shown] else []
        return [*shown, *rules, Sheet(headline.title, (), (), headline.notes)]

    def document() -> RunDocument | AllowDocument:
        whole = result_document(result)
        if preview.outliers is None or isinstance(whole, AllowDocument):
            return whole
        return msgspec.structs.replace(whole, outliers=outliers_document(preview.outliers))

    return Report(sheets, document, title=result_headline(result), exit_code=exit_code)


def result_document(result: RunResult) -> RunDocument | AllowDocument:
    """Return the document of a run."""
    fields = msgspec.structs.asdict(result)
    common = {name: fields[name] for name in _CommonDocument.__struct_fields__}
    if isinstance(result, IndicatorRunResult):
        undo = result.command == "undo"
        return AllowDocument(
            **common,
            created=0 if undo else result.changed,
            deleted=result.changed if undo else 0,
            indicator=indicator_document(result.spec),
            hashes=hash_documents(result),
        )
    return RunDocument(
        **common,
        changed=result.changed,
        overridden=result.overridden,
        plan_file=result.plan_file,
        items=iter(result.items),
        rules=UNSET if (rules := _rules_of(result)) is None else rule_run_documents(rules),
    )


def _rules_of(result: RunResult) -> Sequence[RuleResult] | None:
    return result.rules if isinstance(result, AlertRunResult) else None


def result_sheets(result: RunResult, *, advice: bool = True, named: bool = False) -> list[Sheet]:
    """Return the headline, the numbers that it does not tell, the errors, and what the run took.

    advice: name the options that would include what was left alone. named: list what was given by name and left alone.
    """
    if isinstance(result, IndicatorRunResult):
        sheets = [Sheet(result_headline(result), INDICATOR_COLUMNS, list(_counts(result)))]
        if result.status is not RunStatus.DRY_RUN:
            sheets.append(result_hashes_sheet(result, MAX_HASHES))
    else:
        rows = list(_counts(result, advice=advice))
        # The headline tells all of a run that did everything it was asked to.
        headline_suffices = result.status is RunStatus.SUCCESS and {number for number, *_ in rows} == {result.planned}
        sheets = [
            Sheet(
                result_headline(result), () if headline_suffices else COUNT_COLUMNS, [] if headline_suffices else rows
            )
        ]
        sheets += named_items_sheets(result.items) if named else []
    if rules := _rules_of(result):
        sheets.append(rules_run_sheet(rules, dry=result.status is RunStatus.DRY_RUN))
    if result.errors:
        sheets.append(Sheet("Errors", _PROBLEM_COLUMNS, list(map(_problem_row, result.errors))))
    return [*sheets[:-1], sheets[-1].with_notes(_effort(result))]


def result_headline(result: RunResult) -> str:
    """Return how the run ended, in one line."""
    return f"{result.customer}: {_headline(result)}"


def _headline(result: RunResult) -> str:
    planned, (items, participle) = format_cell(result.planned), _items_and_participle(result)
    done = f"{format_cell(result.changed)} of {planned} {items} {participle}"
    match result.status:
        case RunStatus.SUCCESS:
            return f"{done} and verified"
        case RunStatus.DRY_RUN:
            return (
                f"dry run, nothing was sent; {planned} of {format_cell(result.selected)} {items} would be {participle}"
            )
        case RunStatus.NOTHING_TO_DO if result.selected == 1:
            return f"nothing to do; the only {items.removesuffix('s')} was skipped or held back"
        case RunStatus.NOTHING_TO_DO if result.selected:
            return f"nothing to do; all {format_cell(result.selected)} {items} were skipped or held back"
        case RunStatus.NOTHING_TO_DO:
            return f"nothing to do; no {items.removesuffix('s')} was selected"
        case RunStatus.DECLINED:
            stay = "stays as it is" if result.planned == 1 else "stay as they are"
            return f"declined, nothing was sent; {counted(result.planned, items.removesuffix('s'))} {stay}"
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


def _items_and_participle(result: RunResult) -> tuple[str, str]:
    """Return what the run was about, and what was done to them."""
    if isinstance(result, IndicatorRunResult):
        return "indicators", verb_of(result.command == "undo").participle
    return "alerts", "changed"


def _counts(result: RunResult, *, advice: bool = True) -> Iterator[Row]:
    nothing_sent = result.status in (RunStatus.DRY_RUN, RunStatus.DECLINED)
    yield result.selected, "selected", ""
    if isinstance(result, IndicatorRunResult):
        yield from skipped_and_held_hashes(result.skipped, result.held)
    else:
        yield from skipped_and_held_rows(result.skipped, result.held, advice=advice and _rules_of(result) is None)
    outcomes = (
        (result.planned, "planned", ""),
        (result.changed, _items_and_participle(result)[1], ""),
        (result.verified, "verified", "read back in the target state"),
        (result.failed, "failed", "Falcon refused the change"),
        (result.drifted, "drifted", "changed by someone since the plan, left alone"),
        (result.unknown, "unknown", "sent, but the outcome is not known"),
        (result.not_sent, "not sent", "" if nothing_sent else "still as they were"),
    )
    yield from (outcome for outcome in outcomes if outcome[0])


def _problem_row(problem: RunProblem) -> Row:
    ids = list(problem.ids[:_IDS_SHOWN])
    if more := len(problem.ids) - len(ids):
        ids.append(f"and {format_cell(more)} more")
    return problem.code or None, problem.message, problem.trace_id, len(problem.ids), ", ".join(ids)


def _effort(result: RunResult) -> Iterator[str]:
    if result.batches:
        batches = counted(result.batches, "batch", "batches")
        work = f"{batches}, {counted(result.requests, 'request')}, {result.seconds:,.1f} s"
        yield f"Run {result.run_id}: {work}."
