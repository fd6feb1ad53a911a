"""What an env file says about a customer, and what a login with it shows."""

from collections.abc import Iterable

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.multi_customer import CustomerError


class CustomerFile(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's env file, without its credentials.

    customer: the name for --customer. Values that could not be read are empty. problems: one message for each.
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

    @property
    def exit_code(self) -> ExitCode:
        """ACCESS if the file has problems."""
        return ExitCode.ACCESS if self.problems else ExitCode.DONE


class CustomerCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a login with a customer's file; None for unknown values.

    cid: of the newest alert, else the first of FALCON_CID, else ''. cid_expected: whether the newest alert's CID is in
    FALCON_CID. quota_remaining: the lowest number of remaining requests per minute that was seen.
    """

    file: CustomerFile
    cid: str = ""
    cid_expected: bool | None = None
    open_alerts: int | None = None
    quota_limit: int | None = None
    quota_remaining: int | None = None
    reading: bool = False
    exit_code: int = ExitCode.DONE
    error: CustomerError | None = None


def exit_code_of(customers: Iterable[CustomerFile | CustomerCheck]) -> int:
    """Return DONE if no customer failed, the exit code of the failed ones if it is the same, else PARTIAL."""
    failed = {int(customer.exit_code) for customer in customers} - {0}
    if not failed:
        return ExitCode.DONE
    return failed.pop() if len(failed) == 1 else ExitCode.PARTIAL
