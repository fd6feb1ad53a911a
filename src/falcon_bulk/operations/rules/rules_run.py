"""Plans a run of closing rules for one customer."""

from collections import Counter
from collections.abc import Collection, Iterable, Set
from typing import NamedTuple

import msgspec

from falcon_bulk.errors import Unreachable
from falcon_bulk.journal.rule_records import OUTLIER
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.closing_rule import ClosingRule, InvalidRule, RuleResult, RuleState
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import RULES_COMMAND, Action, AlertPlan, AlertState, PlannedItem
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.lifecycle import Operation
from falcon_bulk.operations.changes.plan_context import PlanContext
from falcon_bulk.operations.changes.plan_header import Origin, plan_header
from falcon_bulk.operations.changes.plan_recorder import PlanRecorder
from falcon_bulk.operations.changes.plan_sink import PlanSink
from falcon_bulk.operations.changes.preview_builder import PreviewBuilder, top_values
from falcon_bulk.operations.changes.request import check_action_value
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.reading.select_alerts import read_selection
from falcon_bulk.operations.reading.tenant_check import check_tenant
from falcon_bulk.operations.rules.alert_facts import ReadFacts
from falcon_bulk.operations.rules.candidates import Candidates
from falcon_bulk.operations.rules.closing import closing_actions, guardrail_of_rule
from falcon_bulk.operations.rules.matching import AlertTexts
from falcon_bulk.operations.rules.rule_book import CustomerRules, Decision, RuleBook
from falcon_bulk.operations.rules.rule_counts import RuleCounts
from falcon_bulk.operations.rules.rule_history import RuleHistory, open_history
from falcon_bulk.operations.rules.rule_outliers import RuleOutliers, compared_of
from falcon_bulk.operations.rules.true_positives import TruePositiveStore, read_true_positives


class RulesRequest(NamedTuple):
    """What a run of rules is asked for. statuses: of the alerts that it reads; allowed_surges: ids of rules."""

    statuses: tuple[str, ...] = (Status.NEW,)
    allowed_surges: frozenset[str] = frozenset()


def update_true_positives(context: PlanContext, store: TruePositiveStore) -> None:
    """Read the true positives of a customer, of whatever age and status, and keep them.

    Raises Refused if what is known cannot be read, Unreachable if they cannot be read as a whole, and what reading
    raises.
    """
    tenant = context.tenant
    cids = tenant.cids or (tenant.home_cid(),)
    known = [known_alert.facts.composite_id for known_alert in store.load() if known_alert.cid == cids[0]]
    with context.reading() as progress:
        found, no_longer = read_true_positives(tenant.alerts, known, frozenset(cids), progress, readers=context.readers)
        if progress.incomplete:
            raise Unreachable(
                f"The true positives of {tenant.customer} could not be read as a whole: {progress.incomplete[0]}",
                "No rule closes anything without them. Run the command again.",
            )
    store.update(tenant.customer, cids[0], found.values(), no_longer)


def plan_rules(
    context: PlanContext, book: RuleBook, rules: CustomerRules, request: RulesRequest, origin: Origin
) -> Operation:
    """Return the operation that closes what a customer's rules fit.

    Raises WrongTenant if the credentials are not those of the customer's former changes.
    """
    header = plan_header(
        context.tenant,
        origin,
        context.cids(),
        command=RULES_COMMAND,
        selection=f"{', '.join(request.statuses)} alerts that a closing rule matches ({len(rules.rules):,} in all)",
        comment=check_action_value(
            "comment", f"The reason of each rule (by {origin.operator}, falcon-bulk {origin.run_id})"
        ),
    )
    plan = AlertPlan(**msgspec.structs.asdict(header), target=Status.CLOSED, rule_files=book.records)

    def fill(sink: PlanSink) -> Preview:
        with (
            context.reading() as progress,
            open_history(context.state_folder, plan.cid, plan.run_id) as history,
            Candidates() as kept,
        ):
            planner = _RulesPlanner(plan, rules, request, history, sink, kept, book.invalid)
            selection = Selection(statuses=request.statuses)
            for page in read_selection(context.tenant.alerts, selection, progress, Alert, readers=context.readers):
                planner.read(page)
            planner.decide()
            return planner.preview(tuple(progress.incomplete))

    return Operation(plan, fill, keeps_empty=True)


class _RulesPlanner:
    """Plans in two steps: decides on each alert as read, then on what only the whole can tell: surges and outliers."""

    def __init__(
        self,
        plan: AlertPlan,
        rules: CustomerRules,
        request: RulesRequest,
        history: RuleHistory,
        sink: PlanSink,
        candidates: Candidates,
        invalid: Iterable[InvalidRule],
    ) -> None:
        self._plan = plan
        self._rules = rules
        self._request = request
        self._history = history
        self._candidates = candidates
        self._preview = PreviewBuilder()
        self._recorder = PlanRecorder(sink, self._preview)
        self._counts = RuleCounts(rules)
        self._invalid = tuple(RuleResult(id=rule.id, state=RuleState.INVALID) for rule in invalid if rule.id)
        self._first: Counter[int] = Counter()

    def read(self, page: Iterable[AlertDocument[Alert]]) -> None:
        """Decide on the alerts of a page, but for surges and outliers. Raises WrongTenant."""
        allowed = frozenset(self._plan.cids)
        passed: list[tuple[AlertDocument[Alert], AlertTexts, Decision]] = []
        for item in page:
            check_tenant(item.alert, allowed)
            own = item.own_hashes.keys()
            numbers = self._rules.index.may_match(item.alert, own)
            if not numbers:
                continue
            texts = AlertTexts(ReadFacts(item.alert, own))
            decision = self._rules.decide(texts, numbers)
            if decision.matching or decision.ended:
                passed.append((item, texts, decision))
        self._decide_on(passed)

    def _decide_on(self, read: Collection[tuple[AlertDocument[Alert], AlertTexts, Decision]]) -> None:
        closed_before = frozenset(self._history.closed_before([item.alert.composite_id for item, _, _ in read]))
        for item, texts, decision in read:
            alert, own = item.alert, item.own_hashes.keys()
            came_back = alert.composite_id in closed_before
            ended = [number for number in decision.ended if not (came_back or self._guardrail(number, alert, own))]
            self._counts.count_ended(decision._replace(ended=tuple(ended)))
            if not decision.matching:
                continue
            self._counts.select(decision)
            if alert.status_name == Status.CLOSED:
                self._recorder.skip("closed", alert.composite_id, rule=self._rules.rules[self._lead(decision)].id)
                continue
            reason = self._guardrail(self._lead(decision), alert, own)
            reason = reason or ("closed-before" if came_back else self._rules.objection(decision))
            if decision.fitting:
                self._counts.use(decision, texts)
            if reason:
                self._hold(alert, decision, reason)
            else:
                self._first[decision.fitting[0]] += 1
                self._candidates.add(decision, item.document)

    def decide(self) -> None:
        """Plan or hold the candidates, now that all alerts are read."""
        counts, rules = self._counts, self._rules.rules
        counts.surging = {
            number
            for number, closes in self._first.items()
            if rules[number].id not in self._request.allowed_surges and self._history.surges(rules[number], closes)
        }
        groups: dict[int, RuleOutliers] = {}
        for decision, alert in self._candidates:
            number = decision.fitting[0]
            if not self._surges(decision) and not self._history.was_outlier(rules[number].id, alert.composite_id):
                if number not in groups:
                    groups[number] = RuleOutliers(self._history.compared(rules[number].id))
                groups[number].add(alert)
        counts.outlier_checks = {number: why for number, group in groups.items() if (why := group.why_not_judged)}
        for decision, alert in self._candidates:
            number = decision.fitting[0]
            if self._surges(decision):
                self._hold(alert, decision, "surge")
            elif self._history.was_outlier(rules[number].id, alert.composite_id) or groups[number].is_outlier(alert):
                self._hold(alert, decision, OUTLIER)
            else:
                self._close(alert, number)

    def preview(self, incomplete: tuple[str, ...]) -> Preview:
        """Return the plan in numbers. incomplete: why not all alerts were read."""
        results = self._counts.results()
        built = self._preview.build(_describe_actions(self._rules.rules, results, self._plan))
        closes = Counter({result.id: result.closes for result in results if result.closes})
        return msgspec.structs.replace(
            built,
            rules=(*results, *self._invalid),
            samples=(top_values("Rule", closes), *built.samples) if closes else built.samples,
            warnings=(*built.warnings, *rule_warnings(results), *(f"Incomplete: {reason}" for reason in incomplete)),
            incomplete=incomplete,
        )

    def _lead(self, decision: Decision) -> int:
        """Return the rule that decides: the first that fits wholly, else the first that matches."""
        return (decision.fitting or decision.matching)[0]

    def _surges(self, decision: Decision) -> bool:
        return any(number in self._counts.surging for number in decision.fitting)

    def _guardrail(self, number: int, alert: Alert, own: Set[str]) -> str:
        rule = self._rules.rules[number]
        return guardrail_of_rule(rule, alert, own, (Action("update_status", Status.CLOSED),))

    def _hold(self, alert: Alert, decision: Decision, reason: str) -> None:
        self._counts.hold(decision, reason, alert.composite_id)
        self._recorder.hold(reason, alert.composite_id, rule=self._rules.rules[self._lead(decision)].id)

    def _close(self, alert: Alert, number: int) -> None:
        rule, state = self._rules.rules[number], AlertState.of(alert)
        actions = closing_actions(rule, state, self._plan.operator, self._plan.run_id)
        item = PlannedItem(
            alert.composite_id,
            state,
            self._recorder.action_set_number(actions),
            rule=rule.id,
            compared=compared_of(alert),
        )
        self._recorder.plan(item, alert, own_hashes(alert).keys(), actions)
        self._counts.close(number)


def rule_warnings(results: Iterable[RuleResult]) -> Iterable[str]:
    """Warn of rules that are suspended or surge, of alerts that differ, and of what the outlier check cannot judge."""
    for rule in results:
        if rule.state is RuleState.SUSPENDED:
            more = f" and {len(rule.suspended_by) - 1:,} more" if len(rule.suspended_by) > 1 else ""
            yield f"The rule {rule.id} is suspended: the true positive {rule.suspended_by[0]}{more} contradicts it."
        if rule.surge:
            yield f"The rule {rule.id} closes nothing: {rule.held['surge']:,} alerts are far more than usual."
    differing = [f"{rule.id} {rule.held['differs']:,}" for rule in results if rule.held.get("differs")]
    if differing:
        yield f"Alerts that match a rule and differ from what it expects: {', '.join(differing)}."


def _describe_actions(rules: Iterable[ClosingRule], results: Iterable[RuleResult], plan: AlertPlan) -> Iterable[str]:
    yield "status: closed"
    resolutions = {rule.close.resolution for rule, result in zip(rules, results, strict=True) if result.closes}
    for resolution in sorted(resolutions):
        yield f"resolution: {resolution}"
    yield f"comment: {plan.comment}"


def needs_attention(results: Iterable[RuleResult]) -> bool:
    """Return whether somebody has to look at a rule: it is suspended, or it surges."""
    return any(rule.surge or rule.state is RuleState.SUSPENDED for rule in results)
