"""What asks the closing rules of today again about the alerts of a plan that rules made."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from falcon_bulk.model.alert import Alert
from falcon_bulk.model.plan import ActionSet, AlertPlan


class RuleCheck(Protocol):
    """Today's rule files and known true positives, as a plan of rules needs them."""

    def refresh(self) -> None:
        """Read again what changed. Raises Refused if true positives, UsageProblem or AccessProblem if rules cannot be.

        To be called before each batch.
        """

    def objection(
        self, plan: AlertPlan, rule: str, alert: Alert, own_hashes: Collection[str], actions: ActionSet
    ) -> str:
        """Return why a rule, by its id, would not give these actions to an alert any more; '' if it would."""


class PlanRules(NamedTuple):
    """The rules that made a saved plan. closed_before: returns which of some alerts were closed before.

    No rule closes such an alert again.
    """

    check: RuleCheck
    closed_before: Callable[[Sequence[str]], Iterable[str]]
