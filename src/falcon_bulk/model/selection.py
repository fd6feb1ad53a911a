"""Which alerts the user selected."""

import msgspec

MAX_HASHES_NAMED = 5
"""If there are more, a description names only the first hashes, cut short."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Checked selection options. All parts are ANDed; the values of one part are ORed.

    since and until are absolute instants in UTC (`2026-11-17T06:50:00Z`); until is exclusive. relative: whether one of
    them was counted back from this machine's clock.
    """

    filter: str = ""
    hashes: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    host: str = ""
    name: str = ""
    since: str = ""
    until: str = ""
    visible_only: bool = False
    ids: tuple[str, ...] = ()
    relative: bool = False

    @property
    def everything(self) -> bool:
        """Whether nothing narrows the selection: all alerts of the tenant, or all visible ones."""
        raw = "" if not self.filter.strip("*()'\" ") else self.filter
        return msgspec.structs.replace(self, filter=raw, visible_only=False, relative=False) == Selection()

    @property
    def description(self) -> str:
        """The selection in plain language, for previews, reports and plans."""
        parts = [
            ("exactly", f"{len(self.ids):,} given {'id' if len(self.ids) == 1 else 'ids'}" if self.ids else ""),
            describe_hashes(self.hashes),
            ("severity", " or ".join(self.severities)),
            ("product", " or ".join(self.products)),
            ("status", " or ".join(self.statuses)),
            ("host", self.host),
            ("name", self.name),
            ("created since", self.since),
            ("created before", self.until),
            ("filter", self.filter),
        ]
        described = [f"{label} {value}" for label, value in parts if value]
        if self.visible_only:
            described.append("visible only")
        return ", ".join(described) or "all alerts"


def describe_hashes(hashes: tuple[str, ...]) -> tuple[str, str]:
    """Return a label and a value, as for the other parts."""
    if len(hashes) <= MAX_HASHES_NAMED:
        return "hash", " or ".join(hashes)
    first = ", ".join(f"{digest[:12]}…" for digest in hashes[:2])
    return f"{len(hashes):,} hashes", f"({first}, …)"
