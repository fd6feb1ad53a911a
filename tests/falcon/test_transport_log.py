"""What the transport logs of a request: its trace id, its size, its tries; no value and no secret."""

import logging

import pytest
import requests

from falcon_bulk.errors import AnswerLost
from falcon_bulk.model.plan import Action
from tests.support.fake_clock import FakeClock
from tests.support.scripted_falcon import (
    PATCH,
    QUERY,
    SECRET,
    TOKEN,
    Reply,
    broken,
    good,
    logged_in,
    refused,
    scripted,
)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "falcon_bulk.http")
    return caplog


def lines(log: pytest.LogCaptureFixture, path: str) -> list[str]:
    return [message for message in log.messages if f" {path}" in message]


def test_the_trace_id_of_an_error_comes_from_its_header(log: pytest.LogCaptureFixture) -> None:
    timing = FakeClock()
    with scripted(timing) as falcon, logged_in(timing) as tenant:
        falcon.answer(QUERY, refused(503, headers={"X-Cs-Traceid": "trace-of-the-error"}), good(total=1))
        tenant.alerts.count("status:'new'")
    first, lost, again, answered = lines(log, QUERY)
    assert first.endswith(": try 1, request")
    assert {"limit", "filter", "include_hidden"} <= set(first.split("?")[1].split(":")[0].split("&"))
    assert "status 503, " in lost
    assert "trace id trace-of-the-error: answer lost, Falcon answers 503; retry in " in lost
    assert again.endswith("try 2, request")
    assert "trace id trace-1: answered" in answered
    assert "'new'" not in log.text


def test_a_reset_is_logged_without_status_and_with_the_decision(log: pytest.LogCaptureFixture) -> None:
    timing = FakeClock()
    with scripted(timing) as falcon, logged_in(timing) as tenant:
        falcon.answer(PATCH, broken(requests.ConnectionError("reset")))
        with pytest.raises(AnswerLost):
            tenant.alerts.update(["a"], (Action("update_status", "closed"),))
    _, lost = lines(log, PATCH)
    assert "try 1, no answer, " in lost
    assert ": AnswerLost: The answer to a change was lost: the connection broke" in lost


def test_the_login_is_logged_without_credentials_or_token(log: pytest.LogCaptureFixture) -> None:
    timing = FakeClock()
    with scripted(timing) as falcon, logged_in(timing) as tenant:
        falcon.answer(QUERY, refused(401), Reply(200, "<html>"), good(total=1))
        tenant.alerts.count("")
    assert len(lines(log, "/oauth2/token")) == 4
    assert any("token rejected" in line and "log in again" in line for line in lines(log, QUERY))
    assert not [secret for secret in (SECRET, TOKEN, "acme-id") if secret in log.text]


def test_without_a_log_nothing_is_formatted(caplog: pytest.LogCaptureFixture) -> None:
    timing = FakeClock()
    with scripted(timing), logged_in(timing) as tenant:
        tenant.alerts.count("")
    assert not caplog.records
