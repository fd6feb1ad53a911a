"""Make composite ids in the shape that real documents of each kind have; they contain ':', '-' and '|'."""

from collections.abc import Callable
from typing import NamedTuple

from falcon_emulator.world import Parts


class Seeds(NamedTuple):
    """The inputs of an id; `number` makes it unique within the tenant."""

    cid: str
    parts: Parts
    salt: int
    number: int

    @property
    def aid(self) -> str:
        return str(self.parts[1].fields["agent_id"])

    @property
    def hex32(self) -> str:
        return f"{self.salt:016x}{self.number:016x}"

    @property
    def uuid(self) -> str:
        text = self.hex32
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-9{text[12]}{text[17:19]}-{text[20:]}"


def composite_id(kind: str, cid: str, parts: Parts, salt: int, number: int) -> str:
    """Return the composite id of an alert of `kind`."""
    return f"{cid}:{_LOCAL[kind](Seeds(cid, parts, salt, number))}"


def _sensor(seeds: Seeds) -> str:
    process = 100_000_000_000 + seeds.salt % 900_000_000_000
    pattern = seeds.parts[0].fields["pattern_id"]
    return f"ind:{seeds.aid}:{process}-{pattern}-{seeds.number * 16 + 7056}"


_LOCAL: dict[str, Callable[[Seeds], str]] = {
    "ldt": _sensor,
    "overwatch": _sensor,
    "signal": _sensor,
    "ods": lambda seeds: f"ods:{seeds.cid}:{seeds.hex32}",
    "idp": lambda seeds: f"ind:{seeds.cid}:{seeds.uuid.upper()}",
    "ngsiem": lambda seeds: f"ngsiem:{seeds.cid}:{seeds.hex32}",
    "xdr": lambda seeds: f"ind:{seeds.cid}:xdr|{seeds.salt:x}|{seeds.number}",
    "mobile": lambda seeds: f"ind:{seeds.aid}:{seeds.number}|{seeds.salt}",
    "lead": lambda seeds: f"automated-lead:{seeds.cid}:{seeds.hex32}{seeds.salt:032x}",
    "fcs": lambda seeds: f"fcs:ioa-211:{seeds.uuid}",
    "thirdparty": lambda seeds: f"thirdparty:{seeds.cid}:{seeds.hex32}",
}
