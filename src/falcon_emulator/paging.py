"""The opaque `after` token of the combined endpoint.

It is Base64 of JSON, as decoded from public test data: Elasticsearch's search_after with the sort value and
composite_id. It is only valid with its own filter and sort (assumption: checked by a digest). Spotlight and Discover
refuse one after 120 seconds (elastic/integrations #14670); whether Alerts does is not known.
"""

import base64
import hashlib
from typing import Any

import msgspec

from falcon_emulator.http import ApiError
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import SECOND

EXPIRED = "Search context expired, 'after' key no longer valid"


class Cursor(msgspec.Struct, forbid_unknown_fields=True):
    """The contents of an `after` token; `issued` in ns."""

    after: tuple[Any, str]
    total_fetched: int
    total_hits: int
    query: str
    issued: int
    version: str = "v1"
    total_relation: str = "eq"
    cluster_id: str = "emulator"


def digest(*parts: str) -> str:
    """Return a digest of a filter and sort."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def encode(cursor: Cursor) -> str:
    """Return the cursor as an `after` token."""
    return base64.b64encode(msgspec.json.encode(cursor)).decode()


def decode(after: str, query: str, switches: Switches, now: int) -> Cursor:
    """Return the cursor of an `after` token.

    Raises ApiError 400 if it is garbled or its digest is not `query`, and in the form that the switch says if it is
    older than the switch allows.
    """
    try:
        cursor = msgspec.json.decode(base64.b64decode(after, validate=True), type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise ApiError(400, "invalid after token") from None
    if cursor.query != query:
        raise ApiError(400, "after token does not belong to this filter and sort")
    if switches.after_seconds and now - cursor.issued > switches.after_seconds * SECOND:
        raise ApiError(int(switches.after_expired), EXPIRED, code=404)
    return cursor
