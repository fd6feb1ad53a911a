"""Flight Control's children: which have an env file, and the files of those that have none."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from falcon_bulk.config.regions import region_name
from falcon_bulk.config.secret import Secret
from falcon_bulk.config.settings import inspect_env_file
from falcon_bulk.model.customer import Child, ChildFile, CustomerFile

COPIED_KEYS = (
    "FALCON_CLIENT_ID",
    "FALCON_CLIENT_SECRET",
    "FALCON_CLIENT_SECRET_COMMAND",
    "FALCON_BASE_URL",
    "FALCON_CLOUD",
    "FALCON_CLOUD_REGION",
)
"""Keys of a parent's file that its children's files have too."""
MAX_NAME = 50
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


class ParentLogin(NamedTuple):
    """The credentials that the files of several children share. customers: these files' names, with their members."""

    customers: dict[str, str]

    @property
    def customer(self) -> str:
        """The customer whose file is used to log in."""
        return next(iter(self.customers))


def parent_logins(files: Sequence[CustomerFile], environ: Mapping[str, str]) -> list[ParentLogin]:
    """Return the credentials of the files that have FALCON_MEMBER_CID, each once; unreadable files have none."""
    found: dict[tuple[str, Secret, str], ParentLogin] = {}
    for file in files:
        if not file.member_cid:
            continue
        values, _ = inspect_env_file(Path(file.file), environ)
        if {"client_id", "client_secret", "base_url"} <= values.keys():
            key = (values["client_id"], values["client_secret"], region_name(values["base_url"]))
            found.setdefault(key, ParentLogin({})).customers[file.customer] = file.member_cid
    return list(found.values())


def children_and_files(children: Sequence[Child], files: Sequence[CustomerFile]) -> list[ChildFile]:
    """Return each child with the customers whose files name its CID, as FALCON_MEMBER_CID or in FALCON_CID."""
    customers: dict[str, list[str]] = {}
    for file in files:
        # A parent's file may list the CIDs of its children: it is the parent's.
        for cid in {file.member_cid} if file.member_cid else set(file.cids[:1]):
            customers.setdefault(cid, []).append(file.customer)
    return [ChildFile(child=child, customers=tuple(customers.get(child.cid, ()))) for child in children]


def unreadable(files: Sequence[CustomerFile]) -> list[str]:
    """Return the customers whose files may be a child's: their CIDs cannot be read."""
    return [file.customer for file in files if file.problems and not (file.member_cid or file.cids)]


def customer_name_for(child: Child, taken: Collection[str]) -> str:
    """Return a customer's name made of a child's, in lower case, that no other has. taken: names in use."""
    letters = unicodedata.normalize("NFKD", child.name.casefold()).encode("ascii", "ignore").decode()
    name = _NOT_IN_NAMES.sub("-", letters)[:MAX_NAME].strip("-") or "child"
    used = {other.lower() for other in taken}
    for candidate in (name, f"{name}-{child.cid[:8]}", f"{name[:20]}-{child.cid[:32]}"):
        if candidate not in used:
            return candidate
    raise ValueError(f"the child {child.cid} has its file twice")


def values_for_child(parent: Mapping[str, str], child: Child, secret_set: str) -> dict[str, str]:
    """Return the values of a child's env file. parent: those of its parent's; secret_set: when the secret was set."""
    values = {key: parent[key] for key in COPIED_KEYS if parent.get(key, "").strip()}
    return (
        values
        | {"FALCON_MEMBER_CID": child.cid, "FALCON_CID": child.cid}
        | ({"FALCON_SECRET_SET": secret_set} if secret_set else {})
    )
