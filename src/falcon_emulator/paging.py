"""The opaque `after` token of the combined endpoint.

It is Base64 of JSON, as decoded from public test data: Elasticsearch's search_after with the sort value and
composite_id. It is only valid with its own filter and sort (assumption: checked by a digest).
"""

import base64
import hashlib
from typing import Any

import msgspec

from falcon_emulator.http import ApiError


class Cursor(msgspec.Struct, forbid_unknown_fields=True):
    """The contents of an `after` token."""

    after: tuple[Any, str]
    total_fetched: int
    total_hits: int
    query: str
    version: str = "v1"
    total_relation: str = "eq"
    cluster_id: str = "emulator"


def digest(*parts: str) -> str:
    """Return a digest of a filter and sort."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def encode(cursor: Cursor) -> str:
    """Return the cursor as an `after` token."""
    return base64.b64encode(msgspec.json.encode(cursor)).decode()


def decode(after: str, query: str) -> Cursor:
    """Return the cursor of an `after` token.

    Raises ApiError 400 if it is garbled or its digest is not `query`.
    """
    try:
        cursor = msgspec.json.decode(base64.b64decode(after, validate=True), type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise ApiError(400, "invalid after token") from None
    if cursor.query != query:
        raise ApiError(400, "after token does not belong to this filter and sort")
    return cursor
