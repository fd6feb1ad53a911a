"""What every plan says of itself: who makes it, when, with what, and for which tenant."""

from pathlib import Path
from typing import NamedTuple

from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.customer_cids import check_customer_cid
from falcon_bulk.model.plan import PlanHeader


class Origin(NamedTuple):
    """Who makes a plan, when, and with what: run id, operator, machine, created (UTC, RFC 3339), program version."""

    run_id: str
    operator: str
    machine: str
    created: str
    version: str


def tenant_cids(tenant: Tenant, state_folder: Path) -> tuple[str, ...]:
    """Return the CIDs that a plan is for, the first of which has the journal; ('',) for a tenant without alerts.

    Raises WrongTenant if the credentials are not those of the customer's former changes.
    """
    cids = tenant.cids or (tenant.home_cid(),)
    if cids[0]:
        check_customer_cid(state_folder, tenant.customer, cids)
    return cids


def plan_header(
    tenant: Tenant,
    origin: Origin,
    cids: tuple[str, ...],
    *,
    command: str,
    selection: str,
    comment: str,
    undoes: str = "",
) -> PlanHeader:
    """Return the header of a plan for a tenant. cids: all that its items may belong to."""
    return PlanHeader(
        run_id=origin.run_id,
        command=command,
        customer=tenant.customer,
        cid=cids[0],
        cids=cids,
        cloud=tenant.cloud,
        operator=origin.operator,
        machine=origin.machine,
        created=origin.created,
        selection=selection,
        comment=comment,
        undoes=undoes,
        version=origin.version,
    )
