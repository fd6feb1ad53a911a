"""Find problems of the customers' env files without contacting Falcon, and check them by logging in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from functools import partial
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

MAX_SECRET_DAYS = 90
"""Days after which a secret should be rotated."""
Login = Callable[[str], AbstractContextManager[Tenant]]
"""Logs in to the customer of that name. Raises the errors of the settings and of a login."""


def customer_files(folder: Path, environ: Mapping[str, str]) -> list[CustomerFile]:
    """Return the env files of a folder, sorted by name, each with its problems. Nothing is sent.

    Two files with the same credentials or a CID in common are both wrong: one customer's alerts could be taken for
    another's. Raises BadEnvFile if the folder cannot be read.
    """
    try:
        paths = sorted(entry for entry in folder.iterdir() if entry.suffix == ".env")
    except OSError as error:
        raise BadEnvFile(
            f"Cannot read the customers' folder {folder}: {error.strerror}.",
            "Create it with `falcon-bulk customers add NAME`, or name another one with --customers-dir.",
        ) from None
    files = [(path, *inspect_env_file(path, environ)) for path in paths]
    conflicts = _conflicts([(path, values) for path, values, _ in files])
    return [_customer_file(path, values, problems + conflicts.get(path, ())) for path, values, problems in files]


def conflicts_with_others(path: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return problems for credentials or CIDs that a customer's file has in common with another file of its folder."""
    paths = sorted(entry for entry in path.parent.iterdir() if entry.suffix == ".env")
    return _conflicts([(other, inspect_env_file(other, environ)[0]) for other in paths]).get(path, ())


def conflicts_with_customers(path: Path, folder: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return problems for what an env file anywhere has in common with other customers' files of a folder.

    A file in the folder is compared as `conflicts_with_others` does. One elsewhere may be a copy of its own
    customer's file, so files that name the same customer are left out.
    """
    try:
        others = sorted(entry for entry in folder.iterdir() if entry.suffix == ".env")
    except OSError:
        return ()
    if same := next((other for other in others if _is_same_file(other, path)), None):
        return conflicts_with_others(same, environ)
    values = inspect_env_file(path, environ)[0]
    files = [(other, inspect_env_file(other, environ)[0]) for other in others]
    of_others = [(other, found) for other, found in files if found.get("customer") != values.get("customer")]
    return _conflicts([(path, values), *of_others]).get(path, ())


def _is_same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False


def old_secrets(secret_dates: Mapping[str, str], today: date) -> str:
    """Return a sentence that names the customers whose secrets are older than MAX_SECRET_DAYS, '' if there are none.

    secret_dates: `secret_set` by customer.
    """
    days = {customer: (today - date.fromisoformat(day)).days for customer, day in secret_dates.items() if day}
    oldest_first = sorted(days.items(), key=lambda item: -item[1])
    old = ", ".join(f"{customer} ({age:,} days)" for customer, age in oldest_first if age > MAX_SECRET_DAYS)
    return f"Secrets older than {MAX_SECRET_DAYS} days: {old}. FALCON_SECRET_SET says when one was set." if old else ""


def check_customers(files: Sequence[CustomerFile], login: Login, parallel: int) -> list[CustomerCheck]:
    """Check customers by logging in, `parallel` at a time. Return the results in the order of `files`.

    A customer that fails has its error in the result and does not stop the others.
    """

    def check(file: CustomerFile) -> Iterator[CustomerCheck]:
        yield check_customer(file, login)

    with read_in_parallel([partial(check, file) for file in files], parallel) as checks:
        return [result for _, result in sorted(checks, key=lambda item: item[0])]


def check_customer(file: CustomerFile, login: Login) -> CustomerCheck:
    """Check a customer by logging in; errors are returned in the result. Writing is not tried."""
    result = CustomerCheck(file=file, cid=next(iter(file.cids), ""))
    try:
        with login(file.customer) as tenant:
            cid = tenant.newest_cid()
            result = msgspec.structs.replace(
                result,
                cid=cid or result.cid,
                cid_expected=cid in tenant.cids if cid and tenant.cids else None,
                reading=True,
                quota_limit=tenant.pacer.limit,
                quota_remaining=tenant.pacer.lowest_remaining,
            )
            tenant.check_cid(cid)
            open_alerts = tenant.alerts.count(base_filter(Selection(statuses=OPEN)))
            result = msgspec.structs.replace(
                result, open_alerts=open_alerts, quota_remaining=tenant.pacer.lowest_remaining
            )
        if file.problems:
            raise BadEnvFile(" ".join(file.problems))
    except Exception as error:  # noqa: BLE001 - an error of any kind must not stop the other customers
        code = error.exit_code if isinstance(error, FalconBulkError) else FalconBulkError.exit_code
        return msgspec.structs.replace(result, exit_code=int(code), error=CustomerError.of(error))
    return result


def _customer_file(path: Path, values: Mapping[str, Any], problems: tuple[str, ...]) -> CustomerFile:
    if not is_customer_name(path.stem):
        problems = ("The file name is not a valid customer name, so --customer cannot select it.", *problems)
    return CustomerFile(
        customer=path.stem,
        file=str(path),
        region=region_name(values["base_url"]) if "base_url" in values else "",
        cids=values.get("cids", ()),
        operator=values.get("operator", ""),
        tags=values.get("tags", ()),
        secret_set=values.get("secret_set", ""),
        member_cid=values.get("member_cid", ""),
        problems=problems,
    )


def _conflicts(files: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[Path, tuple[str, ...]]:
    """Return problems for each file that has credentials or a CID in common with another one."""
    problems: dict[Path, tuple[str, ...]] = {}
    for path, values in files:
        others = [(other.name, other_values) for other, other_values in files if other != path]
        login, cids_here = _login(values), set(values.get("cids", ()))
        logins = [name for name, other_values in others if login and login == _login(other_values)]
        cids = [name for name, other_values in others if cids_here & set(other_values.get("cids", ()))]
        if logins:
            problems[path] = (f"It has the same credentials as {', '.join(logins)}.",)
        if cids:
            problems[path] = (*problems.get(path, ()), f"It has a CID in common with {', '.join(cids)} (FALCON_CID).")
    return problems


def _login(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what identifies a login: with Flight Control one client can log in to several members."""
    if not {"client_id", "client_secret"} <= values.keys():
        return ()
    return values["client_id"], values["client_secret"], values.get("member_cid", "")
