"""The body of an answer: bounded in time and size, packed and unpacked."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import Stopped
from falcon_bulk.falcon import body
from falcon_bulk.falcon.body import fetch_body, gunzip
from falcon_bulk.model.clock import SystemClock
from tests.support.dripping_server import DrippingServer, serve_dripping
from tests.support.fake_clock import FakeClock


@given(st.lists(st.binary(max_size=2_000), min_size=1, max_size=4), st.binary(max_size=20))
def test_members_are_joined_and_what_follows_them_is_ignored(members: list[bytes], behind: bytes) -> None:
    packed = b"".join(gzip.compress(member) for member in members)
    if not behind.startswith(b"\x1f\x8b"):
        assert gunzip(packed + behind) == b"".join(members)


@pytest.mark.parametrize("cut", [1, 8, 9, 30])
def test_a_member_that_is_cut_off_is_an_error(cut: int) -> None:
    packed = gzip.compress(bytes(range(256)) * 4)
    with pytest.raises(requests.exceptions.ContentDecodingError):
        gunzip(packed[:-cut])


def test_what_unpacks_to_more_than_the_limit_is_refused_without_unpacking_it_all() -> None:
    squeezer = zlib.compressobj(wbits=zlib.MAX_WBITS + 16)
    bomb = b"".join(squeezer.compress(bytes(2**20)) for _ in range(64)) + squeezer.flush()
    assert len(bomb) < 2**17
    with pytest.raises(requests.exceptions.ContentDecodingError, match="more than 1,048,576 bytes"):
        gunzip(bomb, 2**20)
    assert len(gunzip(bomb, 2**26)) == 2**26


@pytest.fixture
def dripping() -> Iterator[DrippingServer]:
    with serve_dripping(0.005) as server:
        yield server


def answer(server: DrippingServer) -> requests.Response:
    return requests.get(f"{server.url}/alerts", stream=True, timeout=10)


def test_an_answer_that_drips_has_a_deadline_as_a_whole(dripping: DrippingServer) -> None:
    with pytest.raises(requests.exceptions.ReadTimeout, match="not whole after"):
        fetch_body(answer(dripping), SystemClock(), 0.2)


def test_an_answer_without_an_end_has_a_bound(dripping: DrippingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MAX_PACKED", 20)
    with pytest.raises(requests.exceptions.ContentDecodingError, match="more than 20 bytes"):
        fetch_body(answer(dripping), SystemClock(), 60)


def test_a_stop_ends_an_answer_that_drips(dripping: DrippingServer) -> None:
    clock = FakeClock()
    response = answer(dripping)
    clock.stopping = True
    with pytest.raises(Stopped):
        fetch_body(response, clock, 60)
