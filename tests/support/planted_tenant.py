"""Adds groups of similar alerts to an emulator tenant, among its ordinary ones."""

from collections.abc import Sequence
from itertools import cycle

from falcon_emulator import Tenant
from falcon_emulator.alert_records import NO_EVIDENCE, Alert, Evidence, File, Fragment, State
from falcon_emulator.documents import own_fields
from falcon_emulator.timestamps import parse
from tests.support.alert_groups import CID, Fields, Group

KINDS = {"idp-user-endpoint-app-info": "idp", "ods": "ods"}


def plant(tenant: Tenant, groups: Sequence[Group]) -> None:
    """Add the groups' documents to a tenant before it serves requests."""
    tenant.store.add([_alert(document, tenant.cid) for group in groups for document in group.documents])


def id_at(tenant: Tenant, composite_id: str) -> str:
    """Return the id that a planted alert has in the tenant."""
    return composite_id.replace(CID, tenant.cid, 1)


def _alert(document: Fields, cid: str) -> Alert:
    """Return the emulator's alert with the same document as the planted one."""
    created = parse(document["created_timestamp"], 0)
    state = State(document["status"], created, crawled=created)
    sha256 = document.get("sha256")
    evidence = Evidence(subject=File(sha256, document["md5"], "planted")) if sha256 else NO_EVIDENCE
    alert = Alert(
        document["composite_id"].replace(CID, cid, 1),
        cid,
        KINDS.get(document["type"], "ldt"),
        (Fragment({"agent_id": document["agent_id"]}),),
        created,
        1,
        state,
        state,
        evidence,
    )
    own = own_fields(alert, state)
    parts: tuple[Fields, Fields, Fields] = ({}, {}, {})
    for part, (name, value) in zip(cycle(parts), document.items(), strict=False):
        if name not in own:
            part[name] = value
    alert.parts = tuple(map(Fragment, parts))
    return alert
