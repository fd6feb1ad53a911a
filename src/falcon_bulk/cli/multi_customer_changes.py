"""Changing alerts of several customers: a plan each, shown in one table, carried out after one question."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from falcon_bulk.cli.change_workflow import NOTHING, carry_out, change_of, dry_run, new_run_id, pace_of, planned
from falcon_bulk.cli.confirmation import Consent, check_may_change, check_own_file, confirm
from falcon_bulk.cli.hints import suggest
from falcon_bulk.cli.multi_customer import each_customer
from falcon_bulk.cli.selection_options import code_of
from falcon_bulk.cli.session import Context
from falcon_bulk.cli.signals import stopping
from falcon_bulk.errors import Declined, ExitCode, UsageProblem
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.multi_customer import Part, round_exit_code
from falcon_bulk.model.run import RunResult
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.report.multi_customer import round_document, round_sheet
from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.run_result import dry_run_document, result_document, result_sheets
from falcon_bulk.report.sheet import Cell, Sheet

SUFFIX = ".plan"
ROUND = "all"


def plan_round(context: Context, command: str, selection: Selection, options: dict[str, Any]) -> int:
    """A dry run for each customer of the round, saved as DIR/NAME.plan if --plan names a folder."""
    if not options["dry_run"]:
        raise UsageProblem(
            "Changes of several customers go by way of plans.",
            "Add --dry-run --plan DIR, look at them, then `falcon-bulk apply DIR`.",
        )
    folder: Path | None = options["plan_file"]
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageProblem(
            f"{folder} is not a folder.", "For several customers --plan names a folder, for a plan each."
        )
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    consent = Consent(options["yes"], options["expect"], options["most"])

    def work(alone: Context) -> tuple[RunResult, int]:
        check_own_file(alone)
        run_id = new_run_id(alone)
        change = change_of(alone, options, run_id)
        with alone.tenant() as tenant:
            plan, make = planned(alone, tenant, command, selection, change, run_id)
            file = folder / f"{alone.name}{SUFFIX}" if folder is not None else None
            ended = dry_run(tenant, plan, make, consent, file)
        sheets = [*preview_sheets(ended.plan, ended.preview), *result_sheets(ended.result)] if ended.preview else []
        alone.file(lambda: sheets, lambda: dry_run_document(ended.result, ended.preview or NOTHING))
        return ended.result, code_of(ended.result.selected, fail_on_empty=options["fail_on_empty"])

    with stopping(context):
        parts = each_customer(context, work)
    code = _published(context, parts)
    if folder is not None:
        suggest(context, "Carry them out:", "apply", str(folder), whom=False)
    return code


def apply_round(
    context: Context, folder: Path, check: Callable[[PlanFile, Tenant], None], options: dict[str, Any]
) -> int:
    """Carry out the plans of a folder, side by side, each with its own customer's credentials.

    check: raises Refused for a plan that is not this tenant's or too old. Raises Declined, UsageProblem.
    """
    saved = {path.stem: PlanFile(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
    if not saved:
        raise UsageProblem(
            f"There is no plan in {folder}.", "`bulk-close --all-customers --dry-run --plan DIR` saves some."
        )
    consent = Consent(options["yes"], options["expect"], options["most"], needs_bound=False)
    if consent.yes and consent.most is None:
        raise UsageProblem("--yes needs a bound for a round.", "Add --max N: how many alerts of each customer at most.")
    consent.check()
    context = context.of_round(tuple(saved))
    total = sum(plan.preview.planned for plan in saved.values())
    context.show([_planned_sheet(saved)])
    if not consent.yes and total:
        try:
            confirm(context, ROUND, total, f"change these {total:,} alerts")
        except Declined as declined:
            context.console.error(declined.message, declined.hint)
            return ExitCode.DECLINED

    def work(alone: Context) -> tuple[RunResult, int]:
        plan = saved[alone.name]
        check_may_change(alone, consent)
        with alone.tenant(workers=options["workers"]) as tenant:
            check(plan, tenant)

            ended = carry_out(alone, tenant, plan.plan, plan.fill, consent.check_bounds, pace_of(options), fresh=False)
        if ended.cause is not None:
            alone.console.error(ended.cause.message, ended.cause.hint)
        alone.file(lambda: result_sheets(ended.result), lambda: result_document(ended.result))
        return ended.result, ended.result.exit_code

    with stopping(context):
        parts = each_customer(context, work)
    return _published(context, parts)


def _published(context: Context, parts: list[Part[RunResult]]) -> int:
    def cells(result: RunResult) -> tuple[Cell, ...]:
        return (
            result.selected,
            sum(result.skipped.values()),
            sum(result.held.values()),
            result.planned,
            result.changed,
            result.verified,
            result.run_id,
        )

    numbers = ("selected", "skipped", "held", "planned", "changed", "verified", "run")
    sheet = round_sheet(parts, numbers, cells)
    context.publish(lambda: [sheet], lambda: round_document(parts, result_document))
    return round_exit_code(parts)


def _planned_sheet(saved: dict[str, PlanFile]) -> Sheet:
    parts = [Part(customer=customer, cid=plan.plan.cid, exit_code=0, result=plan) for customer, plan in saved.items()]
    total = sum(plan.preview.planned for plan in saved.values())
    sheet = round_sheet(
        parts,
        ("selected", "held", "planned", "made", "by"),
        lambda file: (
            file.preview.selected,
            sum(file.preview.held.values()),
            file.preview.planned,
            file.plan.created,
            file.plan.operator,
        ),
    )
    warnings = sorted({warning for plan in saved.values() for warning in plan.preview.warnings})
    return Sheet(f"{total:,} alerts of {len(saved):,} customers to change", sheet.columns, sheet.rows, warnings)
