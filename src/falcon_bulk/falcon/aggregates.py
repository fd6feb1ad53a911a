"""What is asked of Falcon's aggregates, and what their buckets mean."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from falcon_bulk.falcon.responses import Aggregate

MAX_VALUES = 1_000
"""Maximum values in a terms aggregate (falcon-mcp allows 1 to 1000)."""


class AggregateQuery(NamedTuple):
    """A request to count the alerts of a filter by the values of a field.

    interval: for a field that holds a time, the length of a bucket: `hour` or `day`.
    """

    field: str
    fql: str
    interval: str = ""

    def spec(self, name: str) -> dict[str, Any]:
        """Return the query for aggregates v2, which takes only the pipe form of `sort`."""
        spec = {"name": name, "field": self.field, "filter": self.fql}
        if self.interval:
            return {**spec, "type": "date_histogram", "interval": self.interval}
        return {**spec, "type": "terms", "size": MAX_VALUES, "sort": "_count|desc"}


class AggregateCounts(NamedTuple):
    """Alerts per value (a datetime for a time). others: alerts whose values are not among the first 1,000."""

    values: list[tuple[Any, int]]
    others: int


def counts_of(found: Aggregate, *, is_time: bool) -> AggregateCounts:
    """Return the counts in an aggregate. is_time: whether its values are times."""
    others = found.sum_other_doc_count
    values = [
        (
            (parse_bucket_time(bucket.key_as_string) or parse_bucket_time(bucket.label)) if is_time else bucket.label,
            bucket.count,
        )
        for bucket in found.buckets or ()
        if bucket.count
    ]
    return AggregateCounts(values, others if isinstance(others, int) else 0)


def parse_bucket_time(value: object) -> datetime | None:
    """Return the start of a bucket, given as RFC 3339 or milliseconds since the epoch; None for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
