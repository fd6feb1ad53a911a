"""Refuse alerts of a CID that is not expected."""

from collections.abc import Set

from falcon_bulk.errors import WrongTenant
from falcon_bulk.model.alert import BriefAlert


def check_tenant(alert: BriefAlert, allowed: Set[str]) -> None:
    """Raise WrongTenant if the alert belongs to a CID that is not allowed."""
    if alert.tenant not in allowed:
        raise WrongTenant(
            f"The alert {alert.composite_id} belongs to the CID {alert.tenant}, not to {', '.join(sorted(allowed))}.",
            "Nothing was changed. List every CID to change in FALCON_CID, or use the child's own credentials.",
        )
