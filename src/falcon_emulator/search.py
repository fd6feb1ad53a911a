"""The search index: find the alerts that match a filter, in order, within a token's scope."""

from collections.abc import Iterable

import msgspec

from falcon_emulator.alert_records import Alert
from falcon_emulator.documents import render
from falcon_emulator.fields import field
from falcon_emulator.fql import And, Clause, Node, clauses, parse
from falcon_emulator.matching import Terms, predicate
from falcon_emulator.ordering import parse_sort
from falcon_emulator.store import HASH_FIELDS, AlertStore, newest_first
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import MILLISECOND, SECOND, is_relative
from falcon_emulator.timestamps import parse as parse_time

CACHED_RESULTS = 64


class Query(msgspec.Struct, frozen=True):
    """A search. `cids` None means all CIDs of the tenant."""

    filter: str = ""
    sort: str = ""
    q: str = ""
    include_hidden: bool = True
    cids: frozenset[str] | None = None


class Search:
    """Finds alerts in a store. Results are cached until anything changes."""

    def __init__(self, store: AlertStore, switches: Switches) -> None:
        self.store = store
        self.switches = switches
        self._version = -1
        self._results: dict[tuple[object, ...], list[Alert]] = {}

    def find(self, query: Query, now: int) -> list[Alert]:
        """Return all matching alerts, in order. Raises FqlError for a filter that Falcon refuses."""
        node = parse(query.filter, self.switches.bare_mix) if query.filter.strip() else None
        if self._version != self.store.version or len(self._results) >= CACHED_RESULTS:
            self._results.clear()
            self._version = self.store.version
        key = (query, msgspec.structs.astuple(self.switches), now // SECOND if node and _depends_on_now(node) else 0)
        if key not in self._results:
            self._results[key] = parse_sort(query.sort, self.switches).sorted(self._matches(query, node, now))
        return self._results[key]

    def _matches(self, query: Query, node: Node | None, now: int) -> list[Alert]:
        alerts: Iterable[Alert] = self.store.newest_first
        if node is not None:
            narrowed = self._candidates(node, now)
            alerts = filter(predicate(node, alert_terms(self.switches, now)), alerts if narrowed is None else narrowed)
        if not query.include_hidden:
            alerts = (alert for alert in alerts if alert.indexed.show_in_ui is not False)
        if query.cids is not None:
            alerts = (alert for alert in alerts if alert.cid in query.cids)
        if query.q:
            text = query.q.lower().encode()
            alerts = (alert for alert in alerts if text in render(alert, alert.indexed).lower())
        return list(alerts)

    def _candidates(self, node: Node, now: int) -> list[Alert] | None:
        """Return a superset of the matches from an index, newest first; None if no index applies."""
        if isinstance(node, Clause):
            return self._indexed(node) if _is_plain_equality(node) else self._created(node, node, now=now)
        if isinstance(node, And):
            found = [self._candidates(item, now) for item in node.items]
            found.append(self._created(*node.items, now=now))
            return min((alerts for alerts in found if alerts is not None), key=len, default=None)
        union: dict[str, Alert] = {}
        for item in node.items:
            alerts = self._candidates(item, now)
            if alerts is None:
                return None
            union |= {alert.composite_id: alert for alert in alerts}
        return sorted(union.values(), key=newest_first)

    def _indexed(self, clause: Clause) -> list[Alert] | None:
        texts = [value.text for value in clause.values]
        if clause.field in HASH_FIELDS:
            found = {alert.composite_id: alert for text in texts for alert in self.store.with_hash(text)}
        elif clause.field == "composite_id":
            found = {text: self.store.by_id[text] for text in texts if text in self.store.by_id}
        else:
            return None
        return sorted(found.values(), key=newest_first)

    def _created(self, *nodes: Node, now: int) -> list[Alert] | None:
        """Return the alerts within the bounds on created_timestamp among `nodes`; None without bounds."""
        bounds: dict[str, list[int]] = {">": [], "<": []}
        for node in nodes:
            if (
                isinstance(node, Clause)
                and node.field == "created_timestamp"
                and node.operator[:1] in bounds
                and not node.negated
            ):
                try:
                    moment = parse_time(node.values[0].text, now)
                except ValueError:
                    return None
                bounds[node.operator[0]].append(moment // MILLISECOND)
        if not bounds[">"] and not bounds["<"]:
            return None
        return self.store.created_between(max(bounds[">"], default=None), min(bounds["<"], default=None))


def _is_plain_equality(clause: Clause) -> bool:
    return not (
        clause.operator or clause.negated or any(value.has_wildcard or value.is_null for value in clause.values)
    )


def _depends_on_now(node: Node) -> bool:
    """Return whether the filter has times relative to now."""
    return any(is_relative(value.text) for clause in clauses(node) for value in clause.values)


def alert_terms(switches: Switches, now: int) -> Terms:
    """Return the context for filters over alerts."""
    return Terms(switches, now, lambda name: field(name, switches))
