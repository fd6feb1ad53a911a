"""What the user asked for: which alerts."""

import msgspec

MAX_HASHES_NAMED = 5
"""Of more hashes, only the first are named in words, and they are cut."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Checked selection options. All parts are ANDed; the values of one part are ORed.

    since and until are absolute instants in UTC (`2026-11-17T06:50:00Z`); until is exclusive.
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

    @property
    def everything(self) -> bool:
        """True if nothing narrows the selection: all alerts of the tenant, or all visible ones."""
        raw = "" if not self.filter.strip("*()'\" ") else self.filter
        return msgspec.structs.replace(self, filter=raw, visible_only=False) == Selection()

    @property
    def words(self) -> str:
        """The selection as a person would say it, for previews, reports and plans."""
        parts = [
            ("exactly the given ids", f"{len(self.ids)}" if self.ids else ""),
            _hashes_in_words(self.hashes),
            ("severity", " or ".join(self.severities)),
            ("product", " or ".join(self.products)),
            ("status", " or ".join(self.statuses)),
            ("host", self.host),
            ("name", self.name),
            ("created since", self.since),
            ("created before", self.until),
            ("filter", self.filter),
        ]
        said = [f"{label} {value}" for label, value in parts if value]
        if self.visible_only:
            said.append("visible only")
        return ", ".join(said) or "all alerts"


def _hashes_in_words(hashes: tuple[str, ...]) -> tuple[str, str]:
    """A label and a value, as the other parts have them."""
    if len(hashes) <= MAX_HASHES_NAMED:
        return "hash", " or ".join(hashes)
    first = ", ".join(f"{digest[:12]}…" for digest in hashes[:2])
    return f"{len(hashes):,} hashes", f"({first}, …)"
