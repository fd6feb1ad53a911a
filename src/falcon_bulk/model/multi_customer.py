"""The results of one command for several customers."""

from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec

from falcon_bulk.errors import ExitCode, FalconBulkError
from falcon_bulk.model.hash_summary import HashSummary
from falcon_bulk.model.vocabulary import Resolution, Status

Result = TypeVar("Result")

OPEN = (Status.NEW, Status.IN_PROGRESS, Status.REOPENED)


class CustomerError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a command failed for a customer."""

    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: Exception) -> "CustomerError":
        """Return the error as it is shown; of an unexpected one only its type, since its text may hold anything."""
        if isinstance(error, FalconBulkError):
            return cls(code=error.code, message=error.message, hint=error.hint)
        return cls(
            code=FalconBulkError.code, message=f"Unexpected {type(error).__name__}.", hint="Run it alone with --debug."
        )


class CustomerResult(msgspec.Struct, Generic[Result], frozen=True, kw_only=True):
    """What became of one customer of several: a result, or an error. cid: '' if not known."""

    customer: str
    cid: str
    exit_code: int
    result: Result | None = None
    error: CustomerError | None = None


def combined_exit_code(parts: Iterable[CustomerResult[Result]]) -> int:
    """Return the exit code that all customers share, else PARTIAL."""
    codes = {part.exit_code for part in parts}
    return codes.pop() if len(codes) == 1 else ExitCode.PARTIAL


class HashAtCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's alerts of a hash: their number, open ones, and the resolutions given."""

    alerts: int
    open: int
    false_positive: int
    true_positive: int
    first_seen: str
    last_seen: str


class SharedHash(msgspec.Struct, frozen=True, kw_only=True):
    """A hash and the customers that have alerts of it."""

    sha256: str
    customers: dict[str, HashAtCustomer]

    @property
    def alerts(self) -> int:
        """Return the alerts of all customers."""
        return sum(one.alerts for one in self.customers.values())

    @property
    def disputed(self) -> bool:
        """Return True if it is a false positive at one customer and a true positive at another."""
        benign = {name for name, one in self.customers.items() if one.false_positive}
        malign = {name for name, one in self.customers.items() if one.true_positive}
        return any(a != b for a in benign for b in malign)


def shared_hashes(summaries: Iterable[HashSummary]) -> tuple[SharedHash, ...]:
    """Return the hashes of several customers, by their number of customers, then of alerts, largest first."""
    found: dict[str, dict[str, HashAtCustomer]] = {}
    for summary in summaries:
        for count in summary.hashes:
            found.setdefault(count.sha256, {})[summary.customer] = HashAtCustomer(
                alerts=count.alerts,
                open=sum(count.by_status.get(status, 0) for status in OPEN),
                false_positive=count.by_resolution.get(Resolution.FALSE_POSITIVE, 0),
                true_positive=count.by_resolution.get(Resolution.TRUE_POSITIVE, 0),
                first_seen=count.first_seen,
                last_seen=count.last_seen,
            )
    hashes = [SharedHash(sha256=sha256, customers=customers) for sha256, customers in found.items()]
    hashes.sort(key=lambda shared: (-len(shared.customers), -shared.alerts, shared.sha256))
    return tuple(hashes)
