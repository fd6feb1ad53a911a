"""Requests and answers, independent of any HTTP library, and Falcon's response envelope."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from falcon_emulator.switches import Switches

MAX_INT_DIGITS = 9
REGION_HEADER = "X-Cs-Region"
TRACE_HEADER = "X-Cs-Traceid"
_NO_ERRORS = {"null": b',"errors":null', "empty": b',"errors":[]', "absent": b""}
_NO_RESOURCES = {"null": b',"resources":null', "empty": b',"resources":[]', "absent": b""}


class ApiError(Exception):
    """The request is refused with this status and message; `code` in errors[] is the status unless given."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, *, code: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = status if code is None else code
        self.message = message
        self.headers = dict(headers or {})


class Call(msgspec.Struct):
    """One request. `query` has the last value of a repeated parameter, `lists` has all values.

    `target_length` is the length of the path with its query, as sent.
    """

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    remote: str
    lists: dict[str, list[str]] = {}
    target_length: int = 0

    def bool_parameter(self, name: str, default: bool) -> bool:
        """Return a boolean query parameter. Raises ApiError 400 unless it is true or false in lower case."""
        value = self.query.get(name)
        if value not in (None, "true", "false"):
            raise ApiError(400, f"{name} must be a boolean")
        return default if value is None else value == "true"

    def int_parameter(self, name: str, default: int) -> int:
        """Return a query parameter that is a non-negative integer. Raises ApiError 400 for anything else."""
        value = self.query.get(name, str(default))
        if not value.isascii() or not value.isdigit() or len(value) > MAX_INT_DIGITS:
            raise ApiError(400, f"{name} must be a non-negative integer")
        return int(value)

    def json(self) -> Any:
        """Return the decoded body. Raises ApiError 400 with Falcon's message if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ApiError(400, "failed to read and parse request") from None


class Answer(msgspec.Struct):
    """One response. `cut_off`: the connection closes in the middle of the body."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    content_type: str = "application/json"
    cut_off: bool = False


def error(code: int, message: str, **more: object) -> dict[str, object]:
    """Return an entry of errors[]."""
    return {"code": code, "message": message, **more}


def refusal(reason: ApiError, switches: Switches, powered_by: str = "detectsapi") -> Answer:
    """Return the answer to a refused request: the envelope with one error and no resources (empty with a 200)."""
    resources: list[Any] | None = [] if reason.status < 300 else None
    errors = [error(reason.code, reason.message)]
    answer = envelope(switches, resources, errors, status=reason.status, powered_by=powered_by)
    answer.headers |= reason.headers
    return answer


def region_header(switches: Switches) -> dict[str, str]:
    """Return the header X-Cs-Region of every answer; empty if the switch says so."""
    return {} if switches.region == "none" else {REGION_HEADER: switches.region}


def envelope(
    switches: Switches,
    resources: list[bytes] | list[Any] | None,
    errors: list[dict[str, object]] | None = None,
    *,
    status: int = 200,
    powered_by: str = "detectsapi",
    **meta: object,
) -> Answer:
    """Return an answer in Falcon's envelope; its trace id is also in the header X-Cs-Traceid.

    `resources` are encoded documents or plain values; None omits the key.
    """
    trace_id = str(uuid.uuid4())
    head = {"query_time": 0.004, "powered_by": powered_by, "trace_id": trace_id, **meta}
    parts = [b'{"meta":', msgspec.json.encode(head)]
    if resources:
        encoded = resources if isinstance(resources[0], bytes) else map(msgspec.json.encode, resources)
        parts += [b',"resources":[', b",".join(encoded), b"]"]
    elif resources is not None:
        parts.append(_NO_RESOURCES[switches.resources_when_none])
    if errors:
        parts += [b',"errors":', msgspec.json.encode(errors)]
    else:
        parts.append(_NO_ERRORS[switches.errors_when_none])
    return Answer(status, b"".join([*parts, b"}"]), {TRACE_HEADER: trace_id})
