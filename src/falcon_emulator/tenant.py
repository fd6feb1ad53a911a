"""One Falcon tenant: its alerts, API client, clock, switches and log."""

import hashlib

import msgspec

from falcon_emulator.access import Access
from falcon_emulator.actions import Action, apply_actions
from falcon_emulator.alert_records import Alert
from falcon_emulator.clock import Clock
from falcon_emulator.faults import Faults
from falcon_emulator.generator import Generator
from falcon_emulator.indicators import Indicators
from falcon_emulator.ratelimit import RateLimit
from falcon_emulator.request_log import Change, RequestLog
from falcon_emulator.search import Search
from falcon_emulator.store import AlertStore
from falcon_emulator.switches import Switches


def _hex32(text: str) -> str:
    """Return 32 hex digits, the shape of a CID."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Tenant:
    """The state behind one customer's API.

    `cut_endpoints` and `emptied` are the endpoints and `after` tokens that were answered in part, for the switches
    that do so once.

    While a server runs, other threads may only set plain attributes such as switches; everything else goes
    through `Server.call`.
    """

    def __init__(
        self,
        *,
        alerts: int = 25_000,
        seed: int = 1,
        customer: str = "acme",
        burst: int = 0,
        children: int = 0,
        switches: Switches | None = None,
        profile: str = "mixed",
        spread: str = "lifelike",
        now: float | None = None,
    ) -> None:
        """Generate `alerts` over 90 days and `burst` more at one instant, in the parent CID and `children` child CIDs.

        `profile` and `spread` choose the kinds of alerts and when they were created; see the generator.
        `now` is the tenant's time at the start, in seconds since 1970; a fixed value makes the documents repeatable.
        """
        self.customer = customer
        self.identity = f"{seed}:{customer}"
        self.cid = _hex32(self.identity)
        self.children = tuple(_hex32(f"{self.identity}:{child}") for child in range(children))
        self.switches = switches or Switches()
        self.clock = Clock(now)
        self.access = Access(self.identity, self.cid, self.children, self.switches)
        self.rate = RateLimit(self.switches)
        self.faults = Faults(self.identity)
        self.request_log = RequestLog()
        self.cut_endpoints: set[str] = set()
        self.emptied: set[str] = set()
        self.in_flight = 0
        self.indicators = Indicators()
        self.generator = Generator(self.identity, (self.cid, *self.children), customer, alerts + burst, profile, spread)
        self.store = AlertStore(self.generator.history(alerts, burst, self.clock.start), self.clock.start)
        self.search = Search(self.store, self.switches)
        self.request_log.count_alerts([alert.kind for alert in self.store.newest_first])

    @property
    def client_id(self) -> str:
        return self.access.client_id

    @property
    def client_secret(self) -> str:
        return self.access.client_secret

    def env_text(self, url: str) -> str:
        """Return the contents of an env file for this tenant, served at `url`."""
        entries = {
            "FALCON_CLIENT_ID": self.client_id,
            "FALCON_CLIENT_SECRET": self.client_secret,
            "FALCON_BASE_URL": url,
            "FALCON_CID": ",".join((self.cid, *self.children)),
            "FALCON_CUSTOMER": self.customer,
        }
        return "".join(f"{name}={value}\n" for name, value in entries.items())

    def change(self, alert: Alert, actions: list[Action], author: str, request: int = 0) -> bool:
        """Apply actions to an alert as `author` and return whether anything changed.

        `updated_timestamp` moves too; for a write without effect, only if the switch says so. The search index sees
        the change after its lag.
        """
        now = self.clock.now()
        after = apply_actions(alert.state, actions, now, author, hide_closed=self.switches.closing_hides)
        differs = after != alert.state
        if differs or self.switches.no_op_moves_updated:
            before, after = alert.state, msgspec.structs.replace(after, updated=now)
            self.store.change(alert, after, now, self.switches.index_lag)
            written = [(action.name, action.value) for action in actions]
            self.request_log.changes.append(Change(now, request, alert.composite_id, written, before, after))
        return differs

    def arrive(self, count: int) -> list[Alert]:
        """Create `count` new alerts now and return them."""
        alerts = self.generator.arrivals(count, self.clock.now())
        self.store.add(alerts)
        self.request_log.count_alerts([alert.kind for alert in alerts])
        return alerts

    def crawl(self, minutes: float) -> int:
        """Advance the clock by `minutes`, let the crawler touch every alert, and return how many there are."""
        self.clock.advance(minutes * 60)
        now = self.clock.now()
        self.store.process_due(now)
        self.store.crawl(self.store.newest_first, now)
        return len(self.store.newest_first)

    def advance(self, seconds: float) -> None:
        """Move the tenant's clock forward and do what has become due."""
        self.clock.advance(seconds)
        self.store.process_due(self.clock.now())
