"""What waits at a customer, what its journal on this machine has, and whether its file and login are in order."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from falcon_bulk.errors import BadEnvFile, Stopped
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.lock import running_run
from falcon_bulk.model.clock import rfc3339
from falcon_bulk.model.multi_customer import CustomerError
from falcon_bulk.model.overview import CustomerOverview, LastRun, WaitingAlerts, WaitingRules
from falcon_bulk.model.run import RunRow
from falcon_bulk.operations.counting.waiting_alerts import count_waiting_alerts

if TYPE_CHECKING:
    from falcon_bulk.journal.journal import Journal

DAYS = 7


def customer_overview(
    customer: str,
    login: Callable[[], AbstractContextManager[Tenant]],
    open_journals: Callable[[str], "AbstractContextManager[Sequence[Journal]]"],
    *,
    file_problems: Sequence[str],
    rules: WaitingRules | None,
    cid: str,
    now: datetime,
    in_flight: int,
) -> CustomerOverview:
    """Return the overview of one customer; an error of any kind is its `problem`, and stops no other customer.

    login: raises the errors of the settings and of a login. open_journals: opens the customer's journals; gets the CID
    that the login has shown, else `cid`. file_problems: of its env file. rules: those of the customer that wait, None
    if the rule files cannot be read. cid: the first of FALCON_CID, else ''. in_flight: concurrent requests.
    Raises only Stopped.
    """
    problems = list(file_problems)
    waiting: WaitingAlerts | None = None
    try:
        with login() as tenant:
            waiting = count_waiting_alerts(tenant.alerts, tenant.cids, in_flight=in_flight)
            cid = waiting.cid or cid
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001 - a defect met at one customer must not stop the others
        if not (file_problems and isinstance(error, BadEnvFile)):  # which the problems explain already
            problems.append(CustomerError.of(error).message)
    closed, newest, unfinished = None, None, None
    try:
        with open_journals(cid) as journals:
            closed, newest, unfinished = _journal_activity(journals, now)
    except Exception as error:  # noqa: BLE001 - as above
        if not isinstance(error, BadEnvFile):  # the login met it too
            problems.append(CustomerError.of(error).message)
    if waiting and waiting.unassigned is None:
        problems.append("Falcon's counts of unassigned new alerts contradict each other; run it again.")
    return CustomerOverview(
        customer=customer,
        cid=cid or None,
        new=waiting.new if waiting else None,
        unassigned=waiting.unassigned if waiting else None,
        in_progress=waiting.in_progress if waiting else None,
        reopened=waiting.reopened if waiting else None,
        oldest_new=waiting.oldest_new if waiting else None,
        closed_7_days=closed,
        last_run=LastRun(run_id=newest.run_id, status=newest.status, finished=newest.finished) if newest else None,
        unfinished=unfinished,
        rules=rules,
        problem=" ".join(problems) or None,
    )


def _journal_activity(journals: "Sequence[Journal]", now: datetime) -> tuple[int, RunRow | None, str | None]:
    """Return the alerts closed in seven days, the newest run, and the run id of an unfinished one. now: UTC."""
    from falcon_bulk.journal.activity import count_closed  # loads SQLAlchemy

    since, until = rfc3339(now - timedelta(days=DAYS)), rfc3339(now + timedelta(seconds=1))
    closed = sum(count_closed(journal.database, since, until, without_undone=True) for journal in journals)
    newest = [row for journal in journals for row in journal.rows(newest=1)]
    unfinished = [
        row.run_id
        for journal in journals
        if (row := journal.unfinished()) and running_run(journal.path.parent, journal.path.stem) != row.run_id
    ]
    return closed, max(newest, key=lambda row: row.started, default=None), next(iter(unfinished), None)
