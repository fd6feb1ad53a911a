"""Reads the body of an answer within bounds: of time, of size, and of size once it is unpacked.

A server or a proxy may send one byte a second without an end, or a few bytes that unpack to gigabytes.
"""

import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import requests
import urllib3.exceptions
from isal import isal_zlib

from falcon_bulk.model.clock import Clock, Stopwatch

MAX_PACKED = 128 * 2**20
MAX_UNPACKED = 512 * 2**20
"""Bytes. A page of 1,000 alerts takes some 10 MB."""
CHUNK = 2**18
PIECE = 2**16
"""Bytes that are unpacked at a time: for a whole page the library would enlarge and copy its buffer again and again."""
LARGE = 2**17
"""Bytes as received: more are a page of documents, and not ids or counts."""
_GZIP = zlib.MAX_WBITS + 16
UNPACKERS = 2
_thread = threading.local()
_GZIP_START = b"\x1f\x8b"


class ReceivedBody(NamedTuple):
    """A body as it was received. size: its bytes, packed. unpack: returns it decompressed."""

    size: int
    unpack: Callable[[], bytes]


@contextmanager
def unpacking_after(wait: Callable[[], None]) -> Iterator[None]:
    """Call `wait` in the block before the thread unpacks a large body: packed, it takes a tenth of the memory."""
    _thread.wait = wait
    try:
        yield
    finally:
        _thread.wait = _no_wait


@contextmanager
def unpacking_in(slots: threading.Semaphore) -> Iterator[None]:
    """Take a slot in the block before the thread unpacks a large body, and give it back at the end."""
    has_slot = False

    def take_slot() -> None:
        nonlocal has_slot
        has_slot = has_slot or slots.acquire()

    try:
        with unpacking_after(take_slot):
            yield
    finally:
        if has_slot:
            slots.release()


def fetch_body(response: requests.Response, clock: Clock, seconds: float, *, stoppable: bool = True) -> ReceivedBody:
    """Receive the whole body.

    seconds: how long all of it may take. stoppable: whether a stop that was requested ends it, by raising Stopped.
    This and unpacking raise an OSError of requests if the body is cut off, too late, too large, or not valid gzip.

    gzip is decompressed here because urllib3 takes twice the time and memory. `identity` is removed from a list of
    encodings because urllib3 takes it for deflate.
    """
    header = response.raw.headers.pop("Content-Encoding", "")  # without the header urllib3 does not decompress
    encodings = [encoding for part in header.lower().split(",") if (encoding := part.strip()) not in ("", "identity")]
    if encodings and encodings != ["gzip"]:
        response.raw.headers["Content-Encoding"] = ", ".join(encodings)
    content = _read(response, clock, seconds, stoppable)

    def unpack() -> bytes:
        if len(content) > LARGE:
            getattr(_thread, "wait", _no_wait)()
        if encodings != ["gzip"]:
            return content
        return _unpackers().submit(gunzip, content).result() if len(content) > LARGE else gunzip(content)

    return ReceivedBody(len(content), unpack)


def gunzip(packed: bytes, limit: int = MAX_UNPACKED) -> bytes:
    """Return the decompressed bytes of one or more gzip members; like urllib3, ignore what follows the last.

    Raises ContentDecodingError if they are damaged or more than `limit`.
    """
    parts: list[bytes] = []
    left = limit
    position = 0
    while position < len(packed):
        member = isal_zlib.decompressobj(_GZIP)
        while not member.eof:
            piece = packed[position : position + PIECE]
            if not piece:
                raise requests.exceptions.ContentDecodingError("the compressed answer is cut off")
            position += len(piece)
            try:
                parts.append(member.decompress(piece, left + 1))
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub takes the class for an instance
                raise requests.exceptions.ContentDecodingError(error) from None
            left -= len(parts[-1])
            if left < 0:
                raise requests.exceptions.ContentDecodingError(f"the answer unpacks to more than {limit:,} bytes")
        position -= len(member.unused_data)
        if not packed.startswith(_GZIP_START, position):
            break
    return b"".join(parts)


def _no_wait() -> None: ...


@cache
def _unpackers() -> ThreadPoolExecutor:
    """Return the threads that unpack pages.

    The C library keeps what a thread frees for that thread, so that each of many would keep the memory of a page.
    """
    return ThreadPoolExecutor(UNPACKERS, "unpacker")


def _read(response: requests.Response, clock: Clock, seconds: float, stoppable: bool) -> bytes:
    since = Stopwatch(clock)
    parts: list[bytes] = []
    size = 0
    for part in _parts(response):
        if stoppable:
            clock.wait(0.0)  # raises Stopped, unless this thread is finishing what is in flight
        parts.append(part)
        size += len(part)
        if size > MAX_PACKED:
            response.close()
            raise requests.exceptions.ContentDecodingError(f"the answer has more than {MAX_PACKED:,} bytes")
        if since.longest > seconds:
            response.close()
            raise requests.exceptions.ReadTimeout(f"the answer is not whole after {seconds:,.0f} s")
    return b"".join(parts)


def _parts(response: requests.Response) -> Iterator[bytes]:
    """Yield what has come in, as it comes in."""
    raw = response.raw
    try:
        while part := raw.read1(CHUNK, decode_content=True):
            yield part
    except urllib3.exceptions.ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from None
    except urllib3.exceptions.DecodeError as error:
        raise requests.exceptions.ContentDecodingError(error) from None
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.exceptions.ConnectionError(error) from None
    except urllib3.exceptions.SSLError as error:
        raise requests.exceptions.SSLError(error) from None
