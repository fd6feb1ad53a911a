"""The structure of Falcon's answers, decoded no further than needed.

The envelope is known from the swagger (gofalcon, FalconPy) and live reports: `errors` may be absent, null or
non-empty on a 2xx; a PATCH answers without `resources`; documents stay the bytes that were received.
"""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a body raises; RecursionError for nesting without end."""
MAX_NUMBER = 10**15
"""Numbers of alerts from here on are no answer."""


class ApiError(msgspec.Struct, frozen=True):
    """An element of `errors`."""

    code: Any = None
    message: Any = None
    id: Any = None

    @property
    def status(self) -> int:
        """The code, usually an HTTP status; 0 if it is not a number."""
        return self.code if isinstance(self.code, int) else 0

    def is_about(self, ids: Collection[str]) -> bool:
        """Return whether it says that one of the ids was not found: in `id` or, without one, in its text."""
        if self.status != 404:
            return False
        return self.id in ids if isinstance(self.id, str) and self.id else any(item_id in self.text for item_id in ids)

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later: a server error, or too many requests."""
        return self.status >= 500 or self.status == 429

    @property
    def text(self) -> str:
        """The message as a string."""
        return self.message if isinstance(self.message, str) else str(self.message or "")


class Pagination(msgspec.Struct, frozen=True):
    """`meta.pagination`: `after` is absent or "" on the last page of combined v1."""

    total: Any = None
    after: Any = None


class Writes(msgspec.Struct, frozen=True):
    """`meta.writes` of a PATCH; whether no-op writes are counted is not known."""

    resources_affected: Any = None


class Meta(msgspec.Struct, frozen=True):
    """`meta` of any answer."""

    trace_id: Any = None
    pagination: Pagination | None = None
    writes: Writes | None = None


class ApiResponse(msgspec.Struct, frozen=True):
    """The envelope of every answer about alerts or indicators."""

    meta: Meta | None = None
    errors: list[ApiError] | None = None
    resources: list[msgspec.Raw] | None = None

    @property
    def trace_id(self) -> str:
        """Falcon's id of this request, for its support."""
        return str(self.meta.trace_id or "") if self.meta else ""

    @property
    def problems(self) -> list[ApiError]:
        """The errors, empty if there are none."""
        return self.errors or []

    @property
    def total(self) -> int:
        """How many alerts match; 0 if the answer does not say."""
        return _as_int(self.meta.pagination.total if self.meta and self.meta.pagination else None) or 0

    @property
    def after(self) -> str:
        """The token of the next page; '' on the last page."""
        token = self.meta.pagination.after if self.meta and self.meta.pagination else None
        return token if isinstance(token, str) else ""

    @property
    def affected(self) -> int | None:
        """How many alerts a PATCH reports as written; None if it does not say."""
        return _as_int(self.meta.writes.resources_affected if self.meta and self.meta.writes else None)


class RawAnswer(NamedTuple):
    """An answer as it came, with any status."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Bucket(msgspec.Struct, frozen=True):
    """A bucket of an aggregate. Its value is in `label`, not `key` (falcon-mcp PR #483)."""

    count: int = 0
    label: Any = None
    key_as_string: Any = None
    string_from: Any = None


class Aggregate(msgspec.Struct, frozen=True):
    """An element of `resources` of aggregates v2. sum_other_doc_count: alerts whose values have no bucket."""

    name: Any = None
    buckets: list[Bucket] | None = None
    sum_other_doc_count: Any = None


class Token(msgspec.Struct, frozen=True):
    """The body of POST /oauth2/token. The token goes into a header: visible ASCII only."""

    access_token: Annotated[str, msgspec.Meta(pattern=r"\A[!-~]+\Z")]
    expires_in: float = 1799


def _as_int(value: object) -> int | None:
    """Return a number as an int, None for anything else or out of all bounds. Some JSON writers write 42 as 42.0."""
    return int(value) if isinstance(value, int | float) and abs(value) < MAX_NUMBER else None


_decode_answer = msgspec.json.Decoder(ApiResponse).decode
decode_token = msgspec.json.Decoder(Token).decode
decode_aggregate = msgspec.json.Decoder(Aggregate).decode

# An escape in a JSON text; group 1 is a surrogate without its other half.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def decode_response(content: bytes) -> ApiResponse:
    """Return the envelope of a body. Raises msgspec.DecodeError, UnicodeDecodeError for text that is not UTF-8, or
    RecursionError for nesting without end.

    msgspec refuses a whole page for one escaped lone surrogate, which an attacker's file name may contain; it is
    replaced by U+FFFD. All other bytes of a document stay as they were received.
    """
    try:
        return _decode_answer(content)
    except msgspec.DecodeError:
        return _decode_answer(_ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], content))


def decode_or_empty(content: bytes) -> ApiResponse:
    """Return the envelope of a body, an empty one for a body that is none."""
    try:
        return decode_response(content)
    except UNREADABLE:
        return ApiResponse()
