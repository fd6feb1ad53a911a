"""A stop that is asked for while requests follow one another without a wait."""

import signal

import pytest

from falcon_bulk.errors import Stopped
from falcon_bulk.falcon.rate_limit import RequestPacer
from falcon_bulk.model.clock import SystemClock


def test_after_a_stop_no_further_request_leaves() -> None:
    timing = SystemClock()
    pacer = RequestPacer(timing)
    pacer.before_request()
    timing.stop(signal.SIGINT)
    with pytest.raises(Stopped):
        pacer.before_request()
    assert pacer.requests == 1


def test_after_a_stop_what_was_sent_is_still_read_back() -> None:
    timing = SystemClock()
    pacer = RequestPacer(timing)
    timing.stop(signal.SIGINT)
    with timing.finishing():
        pacer.before_request()
    assert pacer.requests == 1
