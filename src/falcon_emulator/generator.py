"""Generate alerts from a seed: the same seed and start time make the same alerts."""

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from falcon_emulator.alert_records import NO_EVIDENCE, Alert, Assignee, Comment, Evidence, File, State
from falcon_emulator.catalog import COMMENTS, GIVEN_NAMES, SURNAMES
from falcon_emulator.identities import composite_id
from falcon_emulator.seeded_random import seeded
from falcon_emulator.timestamps import DAY, HOUR, SECOND, rfc3339
from falcon_emulator.world import World

T = TypeVar("T")

DAYS_BACK = 90
BUSY_DAY = 12
CROWDED_HOUR = 240
HOSTILE_EVERY = 100

PROFILES: dict[str, dict[str, int]] = {
    "mixed": {
        "ldt": 50,
        "ods": 6,
        "overwatch": 1,
        "xdr": 5,
        "idp": 13,
        "ngsiem": 12,
        "mobile": 2,
        "lead": 2,
        "signal": 3,
        "fcs": 3,
        "thirdparty": 3,
    },
    "endpoint": {"ldt": 90, "ods": 10},
}

_ENDPOINT_KINDS = frozenset(("ldt", "ods", "overwatch", "signal"))
_CRAWLED_KINDS = frozenset(("ldt", "overwatch", "signal", "idp", "fcs"))
_STATUSES = {"new": 62, "in_progress": 9, "closed": 24, "reopened": 5}
_FALCON_COMPLETE_TEAM = Assignee("Crowdstrike Team", "eppteam@crowdstrike.com", "0" * 32)
_TAGS: dict[tuple[str, ...] | None, int] = {
    None: 760,
    (): 60,
    ("",): 30,
    ("ignored",): 20,
    ("", "ignored"): 10,
    ("false_positive",): 30,
    ("true_positive",): 20,
    ("falcon_complete",): 8,
    ("fc/offering/falcon_complete",): 7,
    ("falcon_complete", "FC-TP-No Remediation Required - PUP", "true_positive"): 10,
    ("falcon_complete", "FC-FP", "false_positive"): 5,
    ("triage", "globex-migration"): 15,
    ("FalconGroupingTags/globex-migration",): 10,
    ("red team", "2026-q1"): 15,
}


class Traits(NamedTuple):
    """The random choices made for each alert."""

    kind: str
    status: str
    hidden: bool
    tags: tuple[str, ...] | None
    assignee: Assignee | None
    commented: bool
    in_case: bool


class Generator:
    """Generates a tenant's alerts: its history and those that arrive later."""

    def __init__(
        self, seed: str, cids: Sequence[str], customer: str, expected: int, profile: str, spread: str = "lifelike"
    ) -> None:
        """Prepare hosts and files; their number grows with `expected`, the approximate number of alerts."""
        self.rng = seeded(seed)
        self.cids = cids
        self.profile = PROFILES[profile]
        self.spread = spread
        hosts = max(12, min(3000, expected // 40)) // len(cids) + 1
        self.worlds = {cid: World(self.rng, cid, customer, hosts) for cid in cids}
        everywhere = seeded("files that every customer has")
        self.common = [_file(everywhere) for _ in range(12)]
        self.common_weights = [1 / rank for rank in range(1, 13)]
        self.known = [_file(self.rng) for _ in range(max(20, expected // 200))]
        names = [f"{given}.{name}" for given, name in zip(GIVEN_NAMES, SURNAMES, strict=False)]
        analysts = [
            Assignee(name, f"{name}@example.com", f"{uuid.UUID(int=self.rng.getrandbits(128))}") for name in names
        ]
        self.assignees: dict[Assignee | None, int] = {
            None: 1720,
            **dict.fromkeys(analysts, 10),
            _FALCON_COMPLETE_TEAM: 40,
            Assignee(uid="soc@example.com"): 20,
        }
        self.made = 0

    def history(self, count: int, burst: int, now: int) -> list[Alert]:
        """Return `count` alerts spread over the days before `now` (ns), and `burst` more at one instant."""
        instants = [now - 20 * DAY - 123_456_789] * min(400, count // 50)
        moments = [
            *self._moments(count - len(instants), now),
            *instants,
            *[now - 10 * DAY - 987_654_321] * burst,
        ]
        return list(self._alerts(sorted(moments), now, fresh=False))

    def arrivals(self, count: int, now: int) -> list[Alert]:
        """Return `count` untouched alerts, created at `now` (ns) and in the nanoseconds before."""
        return list(self._alerts(range(now - count + 1, now + 1), now, fresh=True))

    def _moments(self, count: int, now: int) -> Iterator[int]:
        weights = self._weights()
        for slot in self.rng.choices(range(len(weights)), weights, k=count):
            yield now - slot * HOUR - int(self.rng.random() * HOUR)

    def _weights(self) -> list[float]:
        """Return the relative number of alerts in each hour before now.

        lifelike: days differ, one is busy, nights are quiet. even: the same in every hour. crowded: 60 % in one hour.
        Raises ValueError for another spread.
        """
        hours = range(DAYS_BACK * 24)
        match self.spread:
            case "even":
                return [1.0 for _ in hours]
            case "crowded":
                return [1.5 * (len(hours) - 1) if hour == CROWDED_HOUR else 1.0 for hour in hours]
            case "lifelike":
                days = [self.rng.uniform(0.4, 1.6) for _ in range(DAYS_BACK)]
                days[BUSY_DAY] = 12.0
                return [days[hour // 24] * (3 if 8 <= hour % 24 < 19 else 1) for hour in hours]
        raise ValueError(f"there is no spread {self.spread!r}")

    def _alerts(self, moments: Sequence[int], now: int, *, fresh: bool) -> Iterator[Alert]:
        rng, count = self.rng, len(moments)
        salts = [rng.getrandbits(64) for _ in range(count)]
        cids = rng.choices(self.cids, k=count)
        for created, salt, cid, traits in zip(moments, salts, cids, self._traits(count, fresh=fresh), strict=True):
            number = self.made
            self.made += 1
            hostile = number % HOSTILE_EVERY == HOSTILE_EVERY // 3
            world = self.worlds[cid]
            found = (world.hostile if hostile else world.plain)[traits.kind]
            parts = found.parts(salt)
            state = self._state(traits, created, now, salt)
            yield Alert(
                composite_id(traits.kind, cid, parts, salt, number),
                cid,
                traits.kind,
                parts,
                created,
                salt,
                state,
                state,
                self._evidence(traits.kind),
                _case(salt) if traits.in_case else (),
                hostile,
            )

    def _traits(self, count: int, *, fresh: bool) -> Iterator[Traits]:
        """Yield the traits of `count` alerts, drawn in bulk."""

        def draw(weights: Mapping[T, int]) -> list[T]:
            return self.rng.choices(list(weights), list(weights.values()), k=count)

        kinds = draw(self.profile)
        if fresh:
            return (Traits(kind, "new", False, None, None, False, False) for kind in kinds)
        return map(
            Traits,
            kinds,
            draw(_STATUSES),
            draw({False: 95, True: 5}),
            draw(_TAGS),
            draw(self.assignees),
            draw({False: 94, True: 6}),
            draw({False: 97, True: 3}),
        )

    def _state(self, traits: Traits, created: int, now: int, salt: int) -> State:
        """Return an alert's first state. A lead has no show_in_ui and, in the samples, is never touched."""
        crawled = 0
        updated = created + 2 * SECOND
        if traits.kind in _CRAWLED_KINDS:
            due = crawl_due(created)
            crawled = due if due <= now else created
            updated = crawled - crawled % 20_000
        if traits.kind == "lead":
            return State("new", min(updated, now), crawled, None)
        touched = traits.status != "new" or traits.commented
        if touched:
            updated = max(updated, created + (now - created) * (salt % 997) // 1000)
        comments: tuple[Comment, ...] = ()
        if traits.commented:
            comments = (Comment(COMMENTS[salt % len(COMMENTS)], rfc3339(updated), "analyst@example.com"),)
        return State(
            traits.status,
            min(updated, now),
            crawled,
            not traits.hidden,
            traits.assignee,
            traits.tags,
            comments,
            seconds_to_resolved=salt % 900 if traits.status == "closed" and salt % 5 == 0 else 0,
        )

    def _evidence(self, kind: str) -> Evidence:
        """Return random evidence: a subject for one endpoint alert in four, and the rarer fields with a hash."""
        if kind == "xdr":
            picked = [self._pick() for _ in range(self.rng.choice((0, 1, 1, 2, 3, 4)))]
            return Evidence(entities=tuple(dict.fromkeys(picked)))
        if kind not in _ENDPOINT_KINDS or (draw := self.rng.random()) > 0.36:
            return NO_EVIDENCE
        file = self._pick()
        if draw < 0.15:
            return Evidence(subject=file)
        if draw < 0.20:
            return Evidence(subject=file, indicator=file, quarantined=file)
        if draw < 0.25:
            return Evidence(subject=file, indicator=self._pick(), associated=self._pick())
        if draw < 0.31:
            return Evidence(indicator=file)
        if draw < 0.33:
            return Evidence(quarantined=file)
        return Evidence(associated=file) if draw < 0.345 else Evidence(written=file)

    def _pick(self) -> File:
        """Return a random file: a common one, one seen before, or a new one."""
        draw = self.rng.random()
        if draw < 0.45:
            return self.rng.choices(self.common, self.common_weights)[0]
        return self.known[int(draw * 1e9) % len(self.known)] if draw < 0.7 else _file(self.rng)


def _file(rng: random.Random) -> File:
    bits = rng.getrandbits(384)
    sha256, md5, name = f"{bits >> 128:064x}", f"{bits % (1 << 128):032x}", f"{bits % (1 << 24):06x}"
    return File(sha256, md5, f"C:\\Users\\Public\\{name}.exe")


def crawl_due(created: int) -> int:
    """Return when the crawler first touches an alert: about an hour after its creation (real samples)."""
    return created + HOUR + created % (3 * SECOND)


def is_crawled(alert: Alert) -> bool:
    """Return whether documents of this alert's kind have crawled_timestamp."""
    return alert.kind in _CRAWLED_KINDS


def _case(salt: int) -> tuple[str, ...]:
    return (str(uuid.UUID(int=salt << 64 | salt, version=4)),)
