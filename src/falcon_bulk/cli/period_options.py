"""The period of a report: --month, or --since and --until."""

import re
from datetime import UTC, datetime, timedelta

from falcon_bulk.cli.session import Session
from falcon_bulk.cli.time_values import parse_instant
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.period_report import Period

LAST = "last"
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def period_from_options(
    session: Session, month: str | None, since: str | None, until: str | None
) -> tuple[Period, str]:
    """Return the period of a report, and a short text for its files' names.

    Notes a period that is not over. Raises UsageProblem for one that is missing, contradictory, empty or in the future.
    """
    now = session.clock.now().replace(microsecond=0) + timedelta(seconds=1)  # this second is part of the period
    if month is not None:
        if since is not None or until is not None:
            raise UsageProblem("--month goes with neither --since nor --until.", "Use one or the other.")
        first, end = _month(f"{now.replace(day=1) - timedelta(days=1):%Y-%m}" if month.strip() == LAST else month)
        label = first.date().isoformat()[: len("2026-11")]
    elif since is None:
        raise UsageProblem("report needs a period.", f"Add --month {now:%Y-%m}, or --since and --until.")
    else:
        first = datetime.fromisoformat(parse_instant(since, "--since", now))
        end = datetime.fromisoformat(parse_instant(until, "--until", now)) if until is not None else now
        label = f"{first.date()}-{end.date()}"
    if first >= now:
        raise UsageProblem(f"The period is in the future: it begins at {rfc3339(first)}.", "Use an earlier one.")
    if first >= end:
        raise UsageProblem("The period is empty: it ends before it begins.", "--since is the earlier time.")
    if end > now:
        session.console.say("Note: The period is not over; the report covers it as far as it has passed.")
    return Period(since=rfc3339(first), until=rfc3339(end)), label


def _month(month: str) -> tuple[datetime, datetime]:
    """Return the first moment of a month and of the next. Raises UsageProblem."""
    found = _MONTH.fullmatch(month.strip())
    try:
        if found is None:
            raise ValueError
        year, number = int(found[1]), int(found[2])
        return datetime(year, number, 1, tzinfo=UTC), datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    except ValueError:
        raise UsageProblem(f"{month!r} is not a month.", "Use a year and a month, 2026-11, or last.") from None
