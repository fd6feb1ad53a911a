"""What a customer's journal tells the rules: what they closed in earlier runs, and what must not be closed again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from falcon_bulk.journal.files import journal_path
from falcon_bulk.model.closing_rule import ClosingRule
from falcon_bulk.operations.changes.lifecycle import open_journal

if TYPE_CHECKING:
    from falcon_bulk.journal.rule_records import RuleRecords

SURGE_RUNS = 5
SURGE_FACTOR = 5
SURGE_FLOOR = 20
"""A rule surges that would close more than 20 and five times the median of the runs, if there are five at least."""


class RuleHistory:
    """The part of a journal that rules need; without a journal, as for a customer's first dry run, it is empty."""

    def __init__(self, records: "RuleRecords | None" = None, run_id: str = "") -> None:
        """Read what is needed of every alert at once. run_id: a run that does not count, as its plan is made."""
        self._records = records
        self._run_id = run_id
        self._closed = records.closed_by_run() if records else {}
        self._outliers = records.held_outliers() if records else set()
        self._closing = records.closing_action_sets() if records else set()

    def closed_before(self, item_ids: Sequence[str]) -> Iterable[str]:
        """Return which of these alerts (at most 1,000) a run closed, or may have closed."""
        return self._records.closed_before(item_ids, self._closing, self._run_id) if self._records else ()

    def was_outlier(self, rule_id: str, composite_id: str) -> bool:
        """Return whether an alert was ever held as an outlier of a rule."""
        return (rule_id, composite_id) in self._outliers

    def compared(self, rule_id: str) -> Iterator[tuple[str, ...]]:
        """Yield the compared values of what a rule closed."""
        return self._records.compared(rule_id) if self._records else iter(())

    def surges(self, rule: ClosingRule, closes: int) -> bool:
        """Return whether a rule would close more than it may, or far more than it usually does here."""
        if closes > rule.close.max_per_run:
            return True
        former = list(self._closed.get(rule.id, {}).values())
        return closes > SURGE_FLOOR and len(former) >= SURGE_RUNS and closes > SURGE_FACTOR * median(former)


def closed_before_in(state_folder: Path, cid: str, run_id: str) -> Callable[[Sequence[str]], Iterable[str]]:
    """Return a function that finds which alerts (at most 1,000) a run of a CID closed before, `run_id` aside."""

    def closed_before(item_ids: Sequence[str]) -> Iterable[str]:
        with open_history(state_folder, cid, run_id) as history:
            return tuple(history.closed_before(item_ids))

    return closed_before


@contextmanager
def open_history(state_folder: Path, cid: str, run_id: str = "") -> Iterator[RuleHistory]:
    """Yield the history in the journal of a CID; an empty one if there is no journal. Raises JournalProblem."""
    if not cid or not journal_path(state_folder, cid).exists():
        yield RuleHistory()
        return
    with open_journal(state_folder, cid) as journal:
        yield RuleHistory(journal.rules, run_id)
