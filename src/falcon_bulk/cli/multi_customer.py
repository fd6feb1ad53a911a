"""Runs one command for several customers, in parallel; a customer that fails stops no other."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from falcon_bulk.cli.output import collect_write_failures
from falcon_bulk.cli.session import PARALLEL_CUSTOMERS, Session
from falcon_bulk.errors import ExitCode, FalconBulkError
from falcon_bulk.model.clock import POLL_INTERVAL
from falcon_bulk.model.multi_customer import CustomerError, CustomerResult
from falcon_bulk.report.multi_customer import Parts
from falcon_bulk.report.report import Report, Reported

Result = TypeVar("Result")
Value = TypeVar("Value")
Work = Callable[[Session], Reported[Result]]
Combine = Callable[[Parts[Result]], Report]


class Published(NamedTuple, Generic[Result]):
    """What a command returns after its report is published. result: None for several customers."""

    exit_code: int
    result: Result | None


def run_command(session: Session, work: Work[Result], combine: Combine[Result]) -> Published[Result]:
    """Run `work` for the session's customer, or as `run_for_customers` for several, and publish the report."""
    if session.customers.several:
        return Published(run_for_customers(session, work, combine), None)
    result, report = work(session)
    return Published(session.publish(report), result)


def run_for_customers(session: Session, work: Work[Result], combine: Combine[Result]) -> int:
    """Run `work` for each customer, write each one's file, publish the combined report, return its exit code.

    work, combine: see `results_for_customers`; combine gets the results in the order of the customers' names.
    """
    session.open_notifier()  # raises now if nobody can be notified

    def work_and_write(customer_session: Session) -> Reported[Result]:
        reported = work(customer_session)
        failures: list[OSError] = []
        with collect_write_failures(failures):
            customer_session.write_file(reported.report)
        for failure in failures:  # what was done is reported all the same
            customer_session.console.error(
                f"The file could not be written: {failure.strerror or type(failure).__name__}."
            )
            code = reported.report.exit_code or ExitCode.UNEXPECTED
            return Reported(reported.result, replace(reported.report, exit_code=code))
        return reported

    return session.publish(combine(results_for_customers(session, work_and_write)), files_are_written=True)


def results_for_customers(session: Session, work: Work[Result]) -> Parts[Result]:
    """Run `work` for each customer and return the results in the order of the customers' names.

    work: gets a session for one customer, and returns the result with the report on it. What it raises is the error of
    that customer alone.
    """

    def run_one(customer_session: Session) -> CustomerResult[Reported[Result]]:
        name = customer_session.customers.name
        try:
            reported = work(customer_session)
        except Exception as error:  # noqa: BLE001 - a defect met at one customer must not stop the others
            exit_code = error.exit_code if isinstance(error, FalconBulkError) else ExitCode.UNEXPECTED
            return CustomerResult(
                customer=name, cid=customer_session.expected_cid, exit_code=exit_code, error=CustomerError.of(error)
            )
        return CustomerResult(
            customer=name, cid=customer_session.expected_cid, exit_code=reported.report.exit_code, result=reported
        )

    return for_each_customer(session, run_one)


def for_each_customer(session: Session, function: Callable[[Session], Value]) -> list[Value]:
    """Call a function with a session for each customer, in parallel; return the values in the order of their names.

    function: what it raises ends them all.
    """
    with ThreadPoolExecutor(session.options.parallel_customers or PARALLEL_CUSTOMERS) as pool:
        running = [pool.submit(function, session.for_customer(name)) for name in session.customers.several]
        try:
            # A signal may arrive at another thread; it is handled once this one is awake.
            while wait(running, timeout=POLL_INTERVAL).not_done:
                pass
            return [future.result() for future in running]
        except BaseException:
            session.clock.stop(signal.SIGINT)
            raise
