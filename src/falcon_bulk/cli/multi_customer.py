"""One command for several customers, side by side; a customer that fails stops no other."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from falcon_bulk.cli.session import Context
from falcon_bulk.errors import ExitCode, FalconBulkError
from falcon_bulk.model.clock import GLANCE
from falcon_bulk.model.multi_customer import Part, PartError

Result = TypeVar("Result")


def each_customer(context: Context, work: Callable[[Context], tuple[Result, int]]) -> list[Part[Result]]:
    """The parts of a round in the order of the customers' names.

    work: gets a context of its own for each customer, and returns its result with its exit code. What it raises
    is that customer's error and nobody else's.
    """

    _ = context.notifier  # raises now if nobody could be notified

    def part(name: str) -> Part[Result]:
        alone = context.alone(name)
        try:
            result, exit_code = work(alone)
        except FalconBulkError as error:
            return Part(customer=name, cid=alone.cid, exit_code=error.exit_code, error=PartError.of(error))
        except Exception as error:  # noqa: BLE001 - a defect met at one customer must not stop the others
            return Part(customer=name, cid=alone.cid, exit_code=ExitCode.UNEXPECTED, error=PartError.of(error))
        return Part(customer=name, cid=alone.cid, exit_code=exit_code, result=result)

    with ThreadPoolExecutor(context.parallel_customers) as pool:
        flying = [pool.submit(part, name) for name in context.round]
        try:
            # A signal may come to another thread, and is dealt with once this one is awake.
            while wait(flying, timeout=GLANCE).not_done:
                pass
            return [future.result() for future in flying]
        except BaseException:
            context.timing.stop(signal.SIGINT)
            raise
