"""What is known of a customer: by its env file, and by logging in with it."""

from collections.abc import Iterable

import msgspec

from falcon_bulk.errors import ExitCode
from falcon_bulk.model.multi_customer import CustomerError


class CustomerFile(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's env file as it was read, without its credentials.

    customer: the name for --customer. What could not be read is blank. problems: a text for each.
    """

    customer: str
    file: str
    region: str
    cids: tuple[str, ...]
    operator: str
    tags: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """ACCESS if something is wrong with the file."""
        return ExitCode.ACCESS if self.problems else ExitCode.DONE


class CustomerCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a login with a customer's file showed; None for what is not known.

    cid: the newest alert's, else the first of FALCON_CID, else ''. cid_expected: whether the newest alert's CID
    is one of FALCON_CID. quota_remaining: the lowest number seen of requests left in a minute.
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
    """0 if all are well, the code of those that are not if they have the same, else 6."""
    failed = {int(one.exit_code) for one in customers} - {0}
    if not failed:
        return ExitCode.DONE
    return failed.pop() if len(failed) == 1 else ExitCode.PARTIAL
