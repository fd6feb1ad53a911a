"""For all tests."""

import logging
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# No deadline: how long an example takes says how busy the machine is.
settings.register_profile("every test", deadline=None)
settings.register_profile("quick tests", deadline=None, max_examples=20)
settings.load_profile("every test")

LOGGERS = ("falcon_bulk", "falcon_bulk.http")


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples where the slow tests are left out; make up for what the environment may bring."""
    if config.option.markexpr == "not slow":
        settings.load_profile("quick tests")
    # Where a proxy is set, loopback does without it.
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, (direct, "127.0.0.1", "localhost")))
    # nohup and the background of a script ignore these, and every command that a test starts would do so too.
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Take back what a command that ran in this process did to the log: the next test would see another one."""
    yield
    for logger in map(logging.getLogger, LOGGERS):
        for handler in tuple(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
