"""What Falcon's answers look like, decoded no further than needed.

The envelope is known from the swagger (gofalcon, FalconPy) and live reports: `errors` may be absent, null or
non-empty on a 2xx; a PATCH answers without `resources`; documents are kept as the bytes that came.
"""

import re
from typing import Annotated, Any

import msgspec


class ApiError(msgspec.Struct, frozen=True):
    """An element of `errors`."""

    code: Any = None
    message: Any = None
    id: Any = None

    @property
    def status(self) -> int:
        """The code as a number, 0 if it is none."""
        return self.code if isinstance(self.code, int) else 0

    @property
    def transient(self) -> bool:
        """True if the same request may go well later: a server error, or too many requests."""
        return self.status >= 500 or self.status == 429

    @property
    def text(self) -> str:
        """The message as text."""
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
    """The envelope of every alerts and indicator answer."""

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
        """How many alerts match in all, 0 if the answer does not say."""
        return _whole(self.meta.pagination.total if self.meta and self.meta.pagination else None) or 0

    @property
    def after(self) -> str:
        """The token of the next page, '' on the last one."""
        token = self.meta.pagination.after if self.meta and self.meta.pagination else None
        return token if isinstance(token, str) else ""

    @property
    def affected(self) -> int | None:
        """How many alerts a PATCH says it wrote, None if it does not say."""
        return _whole(self.meta.writes.resources_affected if self.meta and self.meta.writes else None)


class Bucket(msgspec.Struct, frozen=True):
    """A bucket of an aggregate: `label`, not `key` (falcon-mcp PR #483)."""

    count: int = 0
    label: Any = None
    key_as_string: Any = None
    string_from: Any = None


class Aggregate(msgspec.Struct, frozen=True):
    """An element of `resources` of aggregates v2. sum_other_doc_count: alerts of values that have no bucket."""

    name: Any = None
    buckets: list[Bucket] | None = None
    sum_other_doc_count: Any = None


class Token(msgspec.Struct, frozen=True):
    """The body of POST /oauth2/token."""

    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: float = 1799


def _whole(value: object) -> int | None:
    """A number as it is counted with, None for anything else; JSON writers may make 42.0 of 42."""
    return int(value) if isinstance(value, int | float) else None


_decode_answer = msgspec.json.Decoder(ApiResponse).decode
decode_token = msgspec.json.Decoder(Token).decode

# An escape in a JSON text; group 1 is a surrogate without its other half.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def decode_response(content: bytes) -> ApiResponse:
    """The envelope in a body. Raises msgspec.DecodeError, or UnicodeDecodeError for text of it that is no UTF-8.

    A lone surrogate, which a file name of an attacker may bring along, makes the whole page unreadable for msgspec;
    it is replaced by U+FFFD then. All other bytes of a document stay as they came.
    """
    try:
        return _decode_answer(content)
    except msgspec.DecodeError:
        return _decode_answer(_ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], content))
