"""What every plan says of itself: who makes it, when, with what, and for which tenant."""

from typing import NamedTuple

from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.plan import PlanHeader


class Origin(NamedTuple):
    """Who makes a plan, when, and with what: run id, operator, machine, created (UTC, RFC 3339), program version."""

    run_id: str
    operator: str
    machine: str
    created: str
    version: str


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
