"""Count the resolutions that a customer gave to the alerts of hashes."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from falcon_bulk.errors import FalconAnswer, MissingScope
from falcon_bulk.falcon.aggregates import AggregateCounts, AggregateQuery
from falcon_bulk.falcon.fql import hash_clauses, hash_groups
from falcon_bulk.model.vocabulary import Resolution
from falcon_bulk.operations.reading.read_progress import ReadProgress

MAX_HASHES = 20
"""More hashes are not counted: each few of them take a request."""


class ValueCounter(Protocol):
    """The part of `falcon.alerts.Alerts` that counts by value."""

    def count_by_value(self, queries: Sequence[AggregateQuery]) -> list[AggregateCounts]: ...


def count_resolutions(alerts: ValueCounter, hashes: Sequence[str], progress: ReadProgress) -> dict[str, int]:
    """Return how many alerts of the hashes carry each resolution, whatever their status and age; {} for none or many.

    Each field that may hold a hash is counted on its own, and the highest count is taken: a field that a tenant does
    not know may empty an OR. An answer that cannot be used is noted in `progress`.
    """
    if not 0 < len(hashes) <= MAX_HASHES:
        return {}
    groups = [list(hash_clauses(group).values()) for group in hash_groups("", hashes)]
    queries = [AggregateQuery("tags", clause) for clauses in groups for clause in clauses]
    try:
        answers = iter(alerts.count_by_value(queries))
    except (FalconAnswer, MissingScope) as error:
        progress.notes.append(f"Earlier resolutions of these hashes are not known: {error.message}")
        return {}
    counted = [[Counter(dict(next(answers).values)) for _ in clauses] for clauses in groups]
    return {
        str(resolution): sum(max(counts[resolution] for counts in group) for group in counted)
        for resolution in Resolution
    }
