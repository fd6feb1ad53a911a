"""What the plans of one customer are made with: its tenant, its journals, and how its alerts are read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import check_customer_cid
from falcon_bulk.operations.reading.read_progress import ReadProgress

Reading = Callable[[], AbstractContextManager[ReadProgress]]
"""Shows the progress of a reading while a block runs."""


class PlanContext(NamedTuple):
    """What a plan is made with. state_folder: where the journals are. readers: concurrent reads."""

    tenant: Tenant
    state_folder: Path
    reading: Reading
    readers: int

    def cids(self) -> tuple[str, ...]:
        """Return the CIDs that a plan is for, the first of which has the journal; ('',) for a tenant without alerts.

        Raises WrongTenant if the credentials are not those of the customer's former changes.
        """
        cids = self.tenant.cids or (self.tenant.home_cid(),)
        if cids[0]:
            check_customer_cid(self.state_folder, self.tenant.customer, cids)
        return cids
