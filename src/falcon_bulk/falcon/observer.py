"""Send single read requests and return each answer as it came, also a refusal: for the questions of `doctor --probe`.

The client of the commands hides what this is about: it repeats requests, falls back, and raises errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from falcon_bulk.falcon.response_classifier import RequestType
from falcon_bulk.falcon.responses import ApiResponse, RawAnswer, decode_or_empty
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.clock import Clock

OBSERVE = RequestType("read alerts", "Alerts: Read", 60.0, observed=True, max_tries=3)


@dataclass(frozen=True)
class Observation:
    """An answer as it came. status: of HTTP. seconds: from the request to the whole body."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    body: ApiResponse
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether this is a 2xx in Falcon's envelope."""
        return self.status < 300 and self.body.meta is not None

    @property
    def in_part(self) -> bool:
        """Whether this is a 2xx with errors: it may hold only part of what was asked for."""
        return self.status < 300 and bool(self.body.problems)

    @property
    def documents(self) -> list[msgspec.Raw]:
        """The resources, as received."""
        return self.body.resources or []

    @property
    def error(self) -> str:
        """Falcon's words about what is wrong, '' for none."""
        return "; ".join(problem.text for problem in self.body.problems)

    def shape(self, key: str) -> str:
        """Return how a key without a value is shown: `null`, `empty` or `absent`; `filled` for one with a value."""
        try:
            keys = msgspec.json.decode(self.content, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return "absent"
        if key not in keys:
            return "absent"
        return {b"null": "null", b"[]": "empty"}.get(bytes(keys[key]), "filled")

    @property
    def after_is_absent(self) -> bool:
        """Whether `meta.pagination` has no `after` at all."""
        pagination = self.body.meta.pagination if self.body.meta else None
        return pagination is None or pagination.after is None


class AlertObserver:
    """Reads of one tenant's alerts, each sent once. service: FalconPy's Alerts object.

    A 429 is waited for, a rejected token renewed, a lost connection tried again. Raises Unreachable, MissingScope,
    LoginRefused, Stopped.
    """

    def __init__(self, transport: Transport, service: Any, clock: Clock) -> None:
        self._transport = transport
        self._service = service
        self._clock = clock

    def ids(
        self, fql: str = "", *, limit: int = 1, offset: int = 0, sort: str = "", hidden: bool = True
    ) -> Observation:
        """Ask for ids (queries v2)."""
        keywords: dict[str, Any] = {"limit": limit, "offset": offset, "include_hidden": hidden}
        keywords |= {name: value for name, value in (("filter", fql), ("sort", sort)) if value}
        return self._observe(self._service.query_alerts_v2, **keywords)

    def page(self, fql: str = "", *, limit: int = 1, after: str = "", sort: str = "") -> Observation:
        """Ask for a page of documents (combined v1)."""
        body: dict[str, Any] = {"limit": limit}
        body |= {name: value for name, value in (("filter", fql), ("after", after), ("sort", sort)) if value}
        return self._observe(self._service.get_alerts_combined, body=body)

    def by_id(self, ids: Sequence[str]) -> Observation:
        """Ask for documents by id (entities v2)."""
        return self._observe(self._service.get_alerts_v2, body={"composite_ids": list(ids)}, include_hidden=True)

    def aggregate(self, spec: Mapping[str, Any]) -> Observation:
        """Ask for one aggregate (aggregates v2)."""
        specs = [{"name": "probe", **spec}]
        return self._observe(self._service.get_aggregate_alerts_v2, body=specs, include_hidden=True)

    def _observe(self, operation: Callable[..., Any], **keywords: Any) -> Observation:
        began = self._clock.monotonic()
        answer: RawAnswer = self._transport.call(OBSERVE, operation, **keywords)
        seconds = self._clock.monotonic() - began
        return Observation(answer.status, answer.headers, answer.content, decode_or_empty(answer.content), seconds)
