"""The result of a plan before anything of it is sent."""

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.plan import AlertPlan, IndicatorPlan, Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.run import AlertRunResult, IndicatorRunResult, RunResult, RunStatus


def result_without_changes(
    plan: Plan, preview: Preview, status: RunStatus, exit_code: ExitCode = ExitCode.DONE
) -> RunResult:
    """Return the result of a plan of which nothing was sent."""
    numbers = RunResult(
        run_id=plan.run_id,
        customer=plan.customer,
        cid=plan.cid,
        command=plan.command,
        operator=plan.operator,
        selection=plan.selection,
        comment=plan.comment,
        actions=preview.actions,
        overridden=plan.overrides if isinstance(plan, AlertPlan) else (),
        status=status,
        exit_code=exit_code,
        selected=preview.selected,
        skipped=preview.skipped,
        held=preview.held,
        planned=preview.planned,
        not_sent=preview.planned,
        items=preview.items,
        incomplete=preview.incomplete,
    )
    fields = msgspec.structs.asdict(numbers)
    if isinstance(plan, IndicatorPlan):
        return IndicatorRunResult(**fields, spec=plan.spec, hashes=preview.hashes)
    return AlertRunResult(**fields, rules=preview.rules if isinstance(plan, AlertPlan) and plan.is_by_rules else None)
