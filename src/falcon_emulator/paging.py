"""The opaque `after` of the combined endpoint.

Base64 of JSON, as decoded from public test data: Elasticsearch's search_after with the sort value and
composite_id. It is tied to the filter and sort it was made for (assumption: by a digest).
"""

import base64
import hashlib
from typing import Any

import msgspec

from falcon_emulator.http import ApiError


class Cursor(msgspec.Struct, forbid_unknown_fields=True):
    """What an `after` says."""

    after: tuple[Any, str]
    total_fetched: int
    total_hits: int
    query: str
    version: str = "v1"
    total_relation: str = "eq"
    cluster_id: str = "emulator"


def digest(*parts: str) -> str:
    """What ties a cursor to its filter and sort."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def encode(cursor: Cursor) -> str:
    """The cursor as `after` text."""
    return base64.b64encode(msgspec.json.encode(cursor)).decode()


def decode(after: str, query: str) -> Cursor:
    """The cursor in `after`.

    Raises ApiError 400 for a garbled one or one of another filter or sort than `query`.
    """
    try:
        cursor = msgspec.json.decode(base64.b64decode(after, validate=True), type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise ApiError(400, "invalid after token") from None
    if cursor.query != query:
        raise ApiError(400, "after token does not belong to this filter and sort")
    return cursor
