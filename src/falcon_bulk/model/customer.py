"""What an env file says about a customer, and what a login with it shows."""

from collections.abc import Iterable

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.multi_customer import CustomerError


class CustomerFile(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's env file, without its credentials.

    customer: the name for --customer. Values that could not be read are empty. problems: one message for each.
    member_cid: the child that FALCON_MEMBER_CID logs in to, '' without it.
    secret_set: the date since which its secret is known to be the same, '' if that is not known.
    """

    customer: str
    file: str
    region: str
    cids: tuple[str, ...]
    operator: str
    tags: tuple[str, ...]
    problems: tuple[str, ...]
    secret_set: str = ""
    member_cid: str = ""

    @property
    def exit_code(self) -> ExitCode:
        """ACCESS if the file has problems."""
        return ExitCode.ACCESS if self.problems else ExitCode.DONE


class CustomerCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a login with a customer's file; None for unknown values.

    cid: of the newest alert, else the first of FALCON_CID, else ''. cid_expected: whether the newest alert's CID is in
    FALCON_CID. quota_remaining: the lowest number of remaining requests per minute that was seen. is_child: whether
    its FALCON_MEMBER_CID is a child of its login; None if it has none, or the children could not be listed.
    """

    file: CustomerFile
    cid: str = ""
    cid_expected: bool | None = None
    open_alerts: int | None = None
    quota_limit: int | None = None
    quota_remaining: int | None = None
    reading: bool = False
    is_child: bool | None = None
    exit_code: int = ExitCode.DONE
    error: CustomerError | None = None


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A child of a Flight Control parent. cid: in lower case, without checksum."""

    cid: str
    name: str = ""
    status: str = ""


class ChildFile(msgspec.Struct, frozen=True, kw_only=True):
    """A child, the customers whose env files are for it, and whether one of them was added just now."""

    child: Child
    customers: tuple[str, ...] = ()
    added: bool = False


def exit_code_of(customers: Iterable[CustomerFile | CustomerCheck]) -> int:
    """Return DONE if no customer failed, the exit code of the failed ones if it is the same, else PARTIAL."""
    failed = {int(customer.exit_code) for customer in customers} - {0}
    if not failed:
        return ExitCode.DONE
    return failed.pop() if len(failed) == 1 else ExitCode.PARTIAL
