"""Counts a plan while it is made, so that its preview needs no second look at the alerts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.outliers import OutlierReport
from falcon_bulk.model.plan import Action, ActionSet
from falcon_bulk.model.preview import ActionCount, Preview, TopValues
from falcon_bulk.model.run import NamedItem
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.interpreters import interpreters_in, is_interpreter

MAX_SHOWN = 5
MAX_VALUES = 50_000
MAX_GROUPS = 20
MAX_NAMES = 3

_PROPERTIES: dict[str, Callable[[Alert], str]] = {
    "Status": lambda alert: alert.status_name,
    "Severity": lambda alert: alert.severity_label,
    "Product": lambda alert: text(alert.product),
    "Visibility": lambda alert: "hidden" if alert.hidden else "shown",
    "Name": lambda alert: alert.title,
    "Host": lambda alert: alert.host,
    "File": lambda alert: text(alert.filename) or text(alert.filepath),
    "Parent": lambda alert: text(alert.parent_details.filename) if alert.parent_details else "",
    "Command line": lambda alert: text(alert.cmdline),
}
_HASH = "SHA256"


class AlertConsumer(Protocol):
    """What takes a look at each planned alert, such as the search for outliers."""

    def add(self, alert: Alert, own_hashes: Iterable[str] | None = None) -> None:
        """Take an alert with its own hashes."""

    def report(self, limit: int) -> OutlierReport:
        """Return the result, of at most `limit` groups."""


class PreviewBuilder:
    """The numbers of a plan in the making.

    ids, hashes: what was given by name; what of it is not planned is listed in the preview. outliers: compares the
    planned alerts with each other. resolutions: returns how often this customer gave each resolution to alerts of the
    hashes. left: what of the given is known to be left alone before any alert is counted.
    """

    def __init__(
        self,
        *,
        ids: Sequence[str] = (),
        hashes: Sequence[str] = (),
        outliers: AlertConsumer | None = None,
        resolutions: Callable[[], Mapping[str, int]] = dict,
        left: Iterable[NamedItem] = (),
    ) -> None:
        self.selected = 0
        self.planned = 0
        self.skipped: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self._ids = ids
        self._planned_ids: set[str] = set()
        self._left_ids: dict[str, NamedItem] = {}
        self._hashes = dict.fromkeys(hashes)
        self._planned_hashes: set[str] = set()
        self._left_hashes: dict[str, tuple[str, str]] = {}
        for item in left:
            if item.sha256:
                self._left_hashes[item.sha256] = (item.outcome, item.reason)
            else:
                self._left_ids[item.composite_id] = item
        self._counts: dict[str, Counter[str]] = {title: Counter() for title in (*_PROPERTIES, _HASH)}
        self._oldest = self._newest = ""
        self._interpreters: dict[str, set[str]] = {}
        self._interpreter_parents: dict[str, str] = {}
        self._effects: Counter[Action] = Counter()
        self._closed = 0
        self._resolutions = resolutions
        self._outliers = outliers

    def skip(self, reason: str, item_id: str, own_hashes: Iterable[str] = ()) -> None:
        """Count a selected alert that needs no change."""
        self.skipped[reason] += 1
        self._leave("skipped", reason, item_id, own_hashes)

    def hold(self, guardrail: str, item_id: str, own_hashes: Iterable[str] = ()) -> None:
        """Count a selected alert that a guardrail holds."""
        self.held[guardrail] += 1
        self._leave("held", guardrail, item_id, own_hashes)

    def plan(self, alert: Alert, own_hashes: Collection[str] = (), actions: ActionSet = ()) -> None:
        """Count a selected alert that will be changed, and the actions that it gets."""
        self.selected += 1
        self.planned += 1
        self._closed += alert.status_name == Status.CLOSED
        for action in actions:
            if action.name != "append_comment":
                self._effects[action] += 1
        for title, value_of in _PROPERTIES.items():
            self._count(title, value_of(alert) or "none")
        for digest in own_hashes:
            self._count(_HASH, digest)
        if self._ids:
            self._planned_ids.add(alert.composite_id)
        if self._hashes:
            self._planned_hashes.update(own_hashes)
        if created := text(alert.created_timestamp):
            self._oldest = min(self._oldest or created, created)
            self._newest = max(self._newest, created)
        if self._hashes:
            self._note_interpreters(alert, own_hashes)
        if self._outliers is not None:
            self._outliers.add(alert, own_hashes)

    def leave_planned(self, own_hashes: Iterable[str] = ()) -> None:
        """Count an alert of the plan that will be left alone, since it changed or is not there any more."""
        self.selected += 1
        self.planned += 1
        if self._hashes:
            self._planned_hashes.update(own_hashes)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions of all planned alerts, each once, without comments."""
        return tuple(self._effects)

    def add_missing(self) -> None:
        """Count what was given by id and not found, or given twice."""
        if not self._ids:
            return
        for item_id in self._ids:
            if item_id not in self._planned_ids and item_id not in self._left_ids:
                self.skip("not_found", item_id)
        if repeated := len(self._ids) - len(self._planned_ids) - len(self._left_ids):
            self.selected += repeated
            self.skipped["duplicate"] += repeated

    def build(self, actions: Iterable[str], *, warnings: Iterable[str] = ()) -> Preview:
        """Return the plan in numbers. actions: what each item gets, as text."""
        interpreters = self._interpreter_hashes()
        samples = [top_values(title, counts) for title, counts in self._counts.items() if counts]
        if len(interpreters) > 1:
            by_hash = Counter({f"{h} {', '.join(names)}": self._counts[_HASH][h] for h, names in interpreters.items()})
            samples.append(top_values("Interpreter", by_hash))
        return Preview(
            selected=self.selected,
            planned=self.planned,
            skipped=dict(self.skipped),
            held=dict(self.held),
            samples=tuple(samples),
            oldest=self._oldest,
            newest=self._newest,
            actions=tuple(actions),
            warnings=(*self._interpreter_warnings(interpreters), *self._resolution_warnings(), *warnings),
            effects=tuple(
                ActionCount(name=action.name, value=action.value, alerts=number)
                for action, number in self._effects.items()
            ),
            closed=self._closed,
            outliers=self._outliers.report(MAX_GROUPS) if self._outliers and self.planned else None,
            items=(*self._left_ids.values(), *self._unchanged_hashes()),
        )

    def _note_interpreters(self, alert: Alert, own_hashes: Iterable[str]) -> None:
        """Note which selected hashes are interpreters': by this alert's file, or as its parent or grandparent."""
        for name in interpreters_in(alert):
            for digest in own_hashes:
                if digest in self._hashes:
                    self._interpreters.setdefault(digest, set()).add(name)
        for process in (alert.parent_details, alert.grandparent_details):
            if process is not None and is_interpreter(text(process.filename)):
                self._interpreter_parents.setdefault(text(process.sha256).lower(), text(process.filename))

    def _interpreter_hashes(self) -> dict[str, list[str]]:
        """Return the selected hashes that are those of interpreters, whatever the file is called in the alerts."""
        for digest, name in self._interpreter_parents.items():
            if digest in self._planned_hashes and digest in self._hashes:
                self._interpreters.setdefault(digest, set()).add(name)
        return {digest: sorted(names) for digest, names in self._interpreters.items()}

    def _interpreter_warnings(self, interpreters: Mapping[str, Sequence[str]]) -> Iterable[str]:
        """Warn of hashes that are those of interpreters; the tables of --details name each of several."""
        if not interpreters:
            return
        names = sorted({name for known in interpreters.values() for name in known})
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        subject = "The hash is that"
        if len(self._hashes) > 1:
            subject = f"{len(interpreters):,} of {len(self._hashes):,} hashes are those"
        yield (
            f"{subject} of an interpreter or system program ({', '.join(names[:MAX_NAMES])}{more}): "
            "read the command lines first."
        )

    def _resolution_warnings(self) -> Iterable[str]:
        """Warn if this customer gave alerts of the same hashes another resolution than the change gives."""
        given = {action.value for action in self._effects if action.name == "add_tag"}
        wanted = next((name for name in Resolution if name in given), None)
        contradicting = [name for name in Resolution if name != wanted] if wanted else [Resolution.TRUE_POSITIVE]
        counts = self._resolutions()
        former = [f"{counts[name]:,} {name}" for name in contradicting if counts.get(name)]
        if self.planned and former:
            hashes = "this hash" if len(self._hashes) == 1 else "these hashes"
            yield f"Alerts of {hashes} were resolved differently here before: {', '.join(former)}."

    def _leave(self, outcome: str, reason: str, item_id: str, own_hashes: Iterable[str]) -> None:
        self.selected += 1
        if self._ids:
            named = "not_found" if reason == "not_found" else outcome
            self._left_ids[item_id] = NamedItem(composite_id=item_id, outcome=named, reason=reason)
        if self._hashes:
            for digest in own_hashes:
                self._left_hashes.setdefault(digest, (outcome, reason))

    def _unchanged_hashes(self) -> Iterable[NamedItem]:
        """Yield the given hashes of which no alert is planned: not found, or why the first of their alerts was left."""
        for digest in self._hashes:
            if digest not in self._planned_hashes:
                outcome, reason = self._left_hashes.get(digest, ("not_found", "not_found"))
                yield NamedItem(sha256=digest, outcome=outcome, reason=reason)

    def _count(self, title: str, value: str) -> None:
        counts = self._counts[title]
        if value in counts or len(counts) < MAX_VALUES:
            counts[value] += 1


def top_values(title: str, counts: Counter[str]) -> TopValues:
    """Return the most frequent values, and how many others there are."""
    shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_SHOWN]
    return TopValues(title=title, counts=tuple(shown), others=len(counts) - len(shown))
