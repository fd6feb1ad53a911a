"""One command for several customers, side by side; a customer that fails stops no other."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from falcon_bulk.cli.session import Session
from falcon_bulk.errors import ExitCode, FalconBulkError
from falcon_bulk.model.clock import POLL_INTERVAL
from falcon_bulk.model.multi_customer import CustomerError, CustomerResult

Result = TypeVar("Result")


def run_for_each_customer(
    context: Session, work: Callable[[Session], tuple[Result, int]]
) -> list[CustomerResult[Result]]:
    """The parts of a round in the order of the customers' names.

    work: gets a context of its own for each customer, and returns its result with its exit code. What it raises
    is that customer's error and nobody else's.
    """

    _ = context.notifier  # raises now if nobody could be notified

    def part(name: str) -> CustomerResult[Result]:
        alone = context.alone(name)
        try:
            result, exit_code = work(alone)
        except FalconBulkError as error:
            return CustomerResult(
                customer=name, cid=alone.cid, exit_code=error.exit_code, error=CustomerError.of(error)
            )
        except Exception as error:  # noqa: BLE001 - a defect met at one customer must not stop the others
            return CustomerResult(
                customer=name, cid=alone.cid, exit_code=ExitCode.UNEXPECTED, error=CustomerError.of(error)
            )
        return CustomerResult(customer=name, cid=alone.cid, exit_code=exit_code, result=result)

    with ThreadPoolExecutor(context.parallel_customers) as pool:
        flying = [pool.submit(part, name) for name in context.round]
        try:
            # A signal may come to another thread, and is dealt with once this one is awake.
            while wait(flying, timeout=POLL_INTERVAL).not_done:
                pass
            return [future.result() for future in flying]
        except BaseException:
            context.timing.stop(signal.SIGINT)
            raise
