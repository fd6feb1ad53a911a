"""Counting a plan while it is made, so that its preview needs no second look at the alerts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.outliers import OutlierReport
from falcon_bulk.model.preview import Preview, TopValues
from falcon_bulk.model.run import NamedItem

MAX_SHOWN = 5
MAX_VALUES = 50_000
MAX_GROUPS = 20

# Programs that run other people's code: their hash tells little about what happened.
INTERPRETERS = frozenset(
    {
        *("cmd", "conhost", "cscript", "explorer", "msbuild", "mshta", "msiexec", "powershell", "pwsh"),
        *("regsvr32", "rundll32", "svchost", "wmic", "wscript"),
        *("bash", "curl", "dash", "osascript", "sh", "zsh"),
        *("java", "javaw", "node", "perl", "php", "python", "python3", "pythonw", "ruby"),
    }
)

SYSTEM_FOLDERS = ("\\windows\\system32\\", "\\windows\\syswow64\\", "/usr/bin/", "/usr/sbin/", "/system/library/")

_PROPERTIES: dict[str, Callable[[Alert], str]] = {
    "Status": lambda alert: text(alert.status),
    "Severity": lambda alert: alert.severity_label,
    "Product": lambda alert: text(alert.product),
    "Visibility": lambda alert: "hidden" if alert.hidden else "shown",
    "Name": lambda alert: alert.title,
    "Host": lambda alert: alert.host,
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
    planned alerts with each other.
    """

    def __init__(
        self, *, ids: Sequence[str] = (), hashes: Sequence[str] = (), outliers: AlertConsumer | None = None
    ) -> None:
        self.selected = 0
        self.planned = 0
        self.skipped: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self._ids = ids
        self._seen_ids: set[str] = set()
        self._left_ids: dict[str, NamedItem] = {}
        self._hashes = dict.fromkeys(hashes)
        self._planned_hashes: set[str] = set()
        self._left_hashes: dict[str, tuple[str, str]] = {}
        self._counts: dict[str, Counter[str]] = {title: Counter() for title in (*_PROPERTIES, _HASH)}
        self._oldest = self._newest = ""
        self._interpreters: set[str] = set()
        self._outliers = outliers

    def skip(self, reason: str, item_id: str, own_hashes: Iterable[str] = ()) -> None:
        """Count a selected alert that needs no change."""
        self.skipped[reason] += 1
        self._leave("skipped", reason, item_id, own_hashes)

    def hold(self, guardrail: str, item_id: str, own_hashes: Iterable[str] = ()) -> None:
        """Count a selected alert that a guardrail holds."""
        self.held[guardrail] += 1
        self._leave("held", guardrail, item_id, own_hashes)

    def plan(self, alert: Alert, own_hashes: Collection[str] = ()) -> None:
        """Count a selected alert that will be changed."""
        self.selected += 1
        self.planned += 1
        for title, value_of in _PROPERTIES.items():
            self._count(title, value_of(alert) or "none")
        for digest in own_hashes:
            self._count(_HASH, digest)
        if self._ids:
            self._seen_ids.add(alert.composite_id)
        if self._hashes:
            self._planned_hashes.update(own_hashes)
        if created := text(alert.created_timestamp):
            self._oldest = min(self._oldest or created, created)
            self._newest = max(self._newest, created)
        if own_hashes:
            self._interpreters.update(_interpreter(alert))
        if self._outliers is not None:
            self._outliers.add(alert, own_hashes)

    def add_missing(self) -> None:
        """Count what was given by id and not found, or given twice."""
        if not self._ids:
            return
        distinct = dict.fromkeys(self._ids)
        for item_id in distinct:
            if item_id not in self._seen_ids:
                self.skip("not_found", item_id)
        if repeated := len(self._ids) - len(distinct):
            self.selected += repeated
            self.skipped["duplicate"] += repeated

    def build(self, actions: Iterable[str], *, warnings: Iterable[str] = ()) -> Preview:
        """Return the plan in numbers. actions: what each item gets, as text."""
        all_warnings = list(warnings)
        if self._hashes and self._interpreters:
            names = sorted(self._interpreters)
            listed = ", ".join(names[:MAX_SHOWN]) + (
                f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
            )
            all_warnings.append(
                f"The hash belongs to {listed}: a common interpreter or "
                "system program. Look at the command lines before you close all that it ran."
            )
        return Preview(
            selected=self.selected,
            planned=self.planned,
            skipped=dict(self.skipped),
            held=dict(self.held),
            samples=tuple(_top_values(title, counts) for title, counts in self._counts.items() if counts),
            oldest=self._oldest,
            newest=self._newest,
            actions=tuple(actions),
            warnings=tuple(all_warnings),
            outliers=self._outliers.report(MAX_GROUPS) if self._outliers and self.planned else None,
            items=(*self._left_ids.values(), *self._unchanged_hashes()),
        )

    def _leave(self, outcome: str, reason: str, item_id: str, own_hashes: Iterable[str]) -> None:
        self.selected += 1
        if self._ids:
            self._seen_ids.add(item_id)
            named = "not_found" if reason == "not_found" else outcome
            self._left_ids[item_id] = NamedItem(composite_id=item_id, outcome=named, reason=reason)
        if self._hashes:
            for digest in own_hashes:
                self._left_hashes.setdefault(digest, (outcome, reason))

    def _unchanged_hashes(self) -> Iterable[NamedItem]:
        """The given hashes of which no alert is planned: not found, or why the first of their alerts was left."""
        for digest in self._hashes:
            if digest not in self._planned_hashes:
                outcome, reason = self._left_hashes.get(digest, ("not_found", "not_found"))
                yield NamedItem(sha256=digest, outcome=outcome, reason=reason)

    def _count(self, title: str, value: str) -> None:
        counts = self._counts[title]
        if value in counts or len(counts) < MAX_VALUES:
            counts[value] += 1


def _top_values(title: str, counts: Counter[str]) -> TopValues:
    shown = counts.most_common(MAX_SHOWN)
    return TopValues(title=title, counts=tuple(shown), others=len(counts) - len(shown))


def _interpreter(alert: Alert) -> Iterable[str]:
    """Yield the alert's file name if it is an interpreter's, or that of a system program found everywhere."""
    name, path = text(alert.filename), text(alert.filepath).casefold()
    known = name.casefold().removesuffix(".exe") in INTERPRETERS
    common = alert.global_prevalence == "common" and any(folder in path for folder in SYSTEM_FOLDERS)
    if name and (known or common):
        yield name
