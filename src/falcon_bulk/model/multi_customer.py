"""The results of one command for several customers."""

from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec

from falcon_bulk.errors import ExitCode, FalconBulkError
from falcon_bulk.model.hash_summary import HashSummary
from falcon_bulk.model.vocabulary import Resolution, Status

Result = TypeVar("Result")

OPEN = (Status.NEW, Status.IN_PROGRESS, Status.REOPENED)


class CustomerError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a command failed for a customer. trace_id: of Falcon's answer, left out if there is none."""

    code: str
    message: str
    hint: str
    trace_id: str = ""

    @classmethod
    def of(cls, error: Exception) -> "CustomerError":
        """Return an error for display; of an unexpected one only its type, because its text may contain secrets."""
        if isinstance(error, FalconBulkError):
            return cls(code=error.code, message=error.message, hint=error.hint, trace_id=error.trace_id)
        return cls(
            code=FalconBulkError.code, message=f"Unexpected {type(error).__name__}.", hint="Run it alone with --debug."
        )


class CustomerResult(msgspec.Struct, Generic[Result], frozen=True, kw_only=True):
    """The result or error of one customer of several. cid: '' if not known."""

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
    """The counts of one customer's alerts of a hash: all, open and by resolution."""

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
        """The number of alerts of all customers."""
        return sum(counts.alerts for counts in self.customers.values())

    @property
    def disputed(self) -> bool:
        """Whether it is a false positive at one customer and a true positive at another."""
        benign = {name for name, counts in self.customers.items() if counts.false_positive}
        malicious = {name for name, counts in self.customers.items() if counts.true_positive}
        return any(a != b for a in benign for b in malicious)


def shared_hashes(summaries: Iterable[HashSummary]) -> tuple[SharedHash, ...]:
    """Return the hashes of several customers, by their number of customers, then of alerts, largest first."""
    by_hash: dict[str, dict[str, HashAtCustomer]] = {}
    for summary in summaries:
        for count in summary.hashes:
            by_hash.setdefault(count.sha256, {})[summary.customer] = HashAtCustomer(
                alerts=count.alerts,
                open=sum(count.by_status.get(status, 0) for status in OPEN),
                false_positive=count.by_resolution.get(Resolution.FALSE_POSITIVE, 0),
                true_positive=count.by_resolution.get(Resolution.TRUE_POSITIVE, 0),
                first_seen=count.first_seen,
                last_seen=count.last_seen,
            )
    hashes = [SharedHash(sha256=sha256, customers=customers) for sha256, customers in by_hash.items()]
    hashes.sort(key=lambda shared: (-len(shared.customers), -shared.alerts, shared.sha256))
    return tuple(hashes)
