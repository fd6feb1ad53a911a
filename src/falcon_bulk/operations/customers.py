"""The customers' env files, looked at without contacting anyone, and checked by logging in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from falcon_bulk.config.customers import is_customer_name
from falcon_bulk.config.regions import region_name
from falcon_bulk.config.settings import inspect_env_file
from falcon_bulk.errors import BadEnvFile, FalconBulkError
from falcon_bulk.falcon.fql import base_filter
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.model.customer import CustomerCheck, CustomerFile
from falcon_bulk.model.multi_customer import OPEN, CustomerError
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.parallel import read_in_parallel

Login = Callable[[str], AbstractContextManager[Tenant]]
"""Logs in to the customer of that name. Raises what reading its file and a login raise."""


def customer_files(folder: Path, environ: Mapping[str, str]) -> list[CustomerFile]:
    """Every env file of the folder, by name, each with what is wrong with it; nobody is contacted.

    Two files with the same login, or with a CID in common, are both wrong: one customer's alerts would be
    taken for another's. Raises BadEnvFile if there is no such folder.
    """
    try:
        paths = sorted(entry for entry in folder.iterdir() if entry.suffix == ".env")
    except OSError as error:
        raise BadEnvFile(
            f"The customers' folder {folder} cannot be read: {error.strerror}.",
            "`falcon-bulk customers add NAME` makes it; --customers-dir names another one.",
        ) from None
    read = [(path, *inspect_env_file(path, environ)) for path in paths]
    shared = _shared([(path, values) for path, values, _ in read])
    return [_file(path, values, problems + shared.get(path, ())) for path, values, problems in read]


def conflicts_with_others(path: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What a customer's file has in common with another file of its folder that must be its own."""
    paths = sorted(entry for entry in path.parent.iterdir() if entry.suffix == ".env")
    return _shared([(one, inspect_env_file(one, environ)[0]) for one in paths]).get(path, ())


def check_customers(files: Sequence[CustomerFile], login: Login, parallel: int) -> list[CustomerCheck]:
    """Log in to each customer and look, `parallel` of them at a time; in the order of `files`.

    A customer that fails is an entry with its error and stops no other.
    """

    def checking(file: CustomerFile) -> Callable[[], Iterator[CustomerCheck]]:
        def check() -> Iterator[CustomerCheck]:
            yield check_customer(file, login)

        return check

    with read_in_parallel([checking(file) for file in files], parallel) as found:
        return [check for _, check in sorted(found, key=lambda item: item[0])]


def check_customer(file: CustomerFile, login: Login) -> CustomerCheck:
    """What a login shows of one customer; no error is raised. Whether writing works is not tried."""
    known = CustomerCheck(file=file, cid=next(iter(file.cids), ""))
    try:
        with login(file.customer) as tenant:
            seen = tenant.newest_cid()
            known = msgspec.structs.replace(
                known,
                cid=seen or known.cid,
                cid_expected=seen in tenant.cids if seen and tenant.cids else None,
                reading=True,
                quota_limit=tenant.pacer.limit,
                quota_remaining=tenant.pacer.lowest_remaining,
            )
            tenant.check_cid(seen)
            opened = tenant.alerts.count(base_filter(Selection(statuses=OPEN)))
            known = msgspec.structs.replace(known, open_alerts=opened, quota_remaining=tenant.pacer.lowest_remaining)
        if file.problems:
            raise BadEnvFile(" ".join(file.problems))
    except Exception as error:  # noqa: BLE001 - a customer's failure of any kind is its own
        code = error.exit_code if isinstance(error, FalconBulkError) else FalconBulkError.exit_code
        return msgspec.structs.replace(known, exit_code=int(code), error=CustomerError.of(error))
    return known


def _file(path: Path, values: Mapping[str, Any], problems: tuple[str, ...]) -> CustomerFile:
    if not is_customer_name(path.stem):
        problems = ("The file's name is not a customer's name: --customer cannot name it.", *problems)
    return CustomerFile(
        customer=path.stem,
        file=str(path),
        region=region_name(values["base_url"]) if "base_url" in values else "",
        cids=values.get("cids", ()),
        operator=values.get("operator", ""),
        tags=values.get("tags", ()),
        problems=problems,
    )


def _shared(read: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[Path, tuple[str, ...]]:
    """For each file what it shares with others that must be one's own."""
    problems: dict[Path, tuple[str, ...]] = {}
    for path, mine in read:
        others = [(other.name, theirs) for other, theirs in read if other != path]
        logins = [name for name, theirs in others if _login(mine) and _login(mine) == _login(theirs)]
        cids = [name for name, theirs in others if set(mine.get("cids", ())) & set(theirs.get("cids", ()))]
        if logins:
            problems[path] = (f"It has the same credentials as {', '.join(logins)}.",)
        if cids:
            problems[path] = (*problems.get(path, ()), f"It has a CID in common with {', '.join(cids)} (FALCON_CID).")
    return problems


def _login(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a login consists of: with Flight Control one client logs in to several members."""
    if not {"client_id", "client_secret"} <= values.keys():
        return ()
    return values["client_id"], values["client_secret"], values.get("member_cid", "")
