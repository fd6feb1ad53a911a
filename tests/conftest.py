"""For all tests."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is.
settings.register_profile("falcon-bulk", deadline=None)
settings.load_profile("falcon-bulk")

LOGGERS = ("falcon_bulk", "falcon_bulk.http")


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
