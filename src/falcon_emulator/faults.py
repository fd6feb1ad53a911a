"""Queued faults: what goes wrong, at which endpoint, when and how often."""

from typing import Literal

import msgspec

from falcon_emulator.seeded_random import seeded

Endpoint = Literal[
    "all",
    "token",
    "revoke",
    "queries",
    "entities",
    "combined",
    "patch",
    "aggregates",
    "indicators",
    "children",
    "unknown",
]
Kind = Literal[
    "status",
    "rate_limit",
    "drop",
    "delay",
    "truncate",
    "empty",
    "html",
    "not_json",
    "redirect",
    "revoke_token",
    "partial",
    "nothing_applied",
    "poison",
    "wrong_total",
    "partial_page",
]

PATCH_KINDS = ("partial", "nothing_applied", "poison")


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong, `times` times (None: always), after `skip` requests that pass.

    `applied` says whether the request takes effect before the fault. The kinds:

    status           answers `status` with `text`; 200 is not a fault
    rate_limit       429, its header in the style `header`, the window opening in `seconds`
    drop             resets the connection
    delay            waits `seconds` before the effect, or (applied) between the effect and the answer
    truncate         sends half of the body; mode "length": with a matching length, else the connection breaks
    empty            200 and no body
    html             a proxy's HTML page, with `status`
    not_json         200 and a body that is not JSON
    redirect         308 to `location`, and X-Cs-Region `region` if given
    revoke_token     revokes the token, from this request on
    partial          PATCH applies to the first `count` ids, errors[] lists the others
    nothing_applied  PATCH answers 200, with errors[] and no effect
    poison           PATCH with one of `ids`: mode "batch_400" or "batch_404" refuses all, "only_itself" just those
    wrong_total      meta.pagination.total is `count` too high
    partial_page     200 with the first `count` resources, errors[] has `status` and `text`
    """

    kind: Kind
    endpoint: Endpoint = "all"
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    applied: bool = False
    status: int = 500
    text: str = "Internal Server Error"
    header: Literal["seconds", "milliseconds", "missing", "nonsense", "past"] = "seconds"
    seconds: float = 1.0
    count: int = 0
    ids: list[str] = []
    mode: Literal["", "batch_400", "batch_404", "only_itself", "length"] = ""
    location: str = ""
    region: str = ""

    def matches(self, endpoint: str, body: bytes) -> bool:
        """Return whether the fault applies to a request to `endpoint` with `body`."""
        if self.times == 0 or self.endpoint not in ("all", endpoint):
            return False
        if self.kind in PATCH_KINDS and endpoint != "patch":
            return False
        return self.kind != "poison" or any(text.encode() in body for text in self.ids)


class Faults:
    """The queued faults. At most one applies to a request: the first that matches and is due."""

    def __init__(self, seed: str) -> None:
        self.queued: list[Fault] = []
        self._rng = seeded(seed)

    def add(self, *faults: Fault) -> None:
        """Queue faults behind the others."""
        self.queued.extend(faults)

    def clear(self) -> None:
        """Remove all faults."""
        self.queued.clear()

    def take(self, endpoint: str, body: bytes) -> Fault | None:
        """Return the fault that applies to a request now, or None, and count it as used once."""
        for fault in self.queued:
            if not fault.matches(endpoint, body):
                continue
            if fault.skip > 0:
                fault.skip -= 1
            elif self._rng.random() < fault.probability:
                fault.times = None if fault.times is None else fault.times - 1
                return fault
        return None
