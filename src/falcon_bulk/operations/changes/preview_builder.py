"""Counting a plan while it is made, so that its preview needs no second look at the alerts."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.preview import Preview, TopValues
from falcon_bulk.operations.outliers.detector import OutlierDetector

SHOWN = 5
MOST_VALUES = 50_000
MOST_GROUPS = 20

# Programs that run other people's code: their hash says little about what happened.
INTERPRETERS = frozenset(
    {
        *("cmd", "conhost", "cscript", "explorer", "msbuild", "mshta", "msiexec", "powershell", "pwsh"),
        *("regsvr32", "rundll32", "svchost", "wmic", "wscript"),
        *("bash", "curl", "dash", "osascript", "sh", "zsh"),
        *("java", "javaw", "node", "perl", "php", "python", "python3", "pythonw", "ruby"),
    }
)

SYSTEM_FOLDERS = ("\\windows\\system32\\", "\\windows\\syswow64\\", "/usr/bin/", "/usr/sbin/", "/system/library/")

_SAMPLED: dict[str, Callable[[Alert], Iterable[str]]] = {
    "Status": lambda alert: [text(alert.status) or "none"],
    "Severity": lambda alert: [alert.severity_label or "none"],
    "Product": lambda alert: [text(alert.product) or "none"],
    "Visibility": lambda alert: ["hidden" if alert.hidden else "shown"],
    "Name": lambda alert: [alert.title or "none"],
    "Host": lambda alert: [alert.host or "none"],
    "SHA256": own_hashes,
}


class PreviewBuilder:
    """The numbers of a plan in the making. hashes: those it is made by, whose alerts are compared with each other."""

    def __init__(self, hashes: Sequence[str] = ()) -> None:
        self.selected = 0
        self.planned = 0
        self.skipped: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = {title: Counter() for title in _SAMPLED}
        self._oldest = self._newest = ""
        self._interpreters: set[str] = set()
        self._likenesses = OutlierDetector(frozenset(hashes)) if hashes else None

    def skip(self, reason: str, number: int = 1) -> None:
        """An alert of the selection needs no change, or is not there."""
        if number:
            self.selected += number
            self.skipped[reason] += number

    def hold(self, rail: str) -> None:
        """A guard rail keeps an alert of the selection as it is."""
        self.selected += 1
        self.held[rail] += 1

    def plan(self, alert: Alert) -> None:
        """An alert of the selection will be changed."""
        self.selected += 1
        self.planned += 1
        own = own_hashes(alert)
        for title, values in _SAMPLED.items():
            counts = self._counts[title]
            for value in own if values is own_hashes else values(alert):
                if value in counts or len(counts) < MOST_VALUES:
                    counts[value] += 1
        created = text(alert.created_timestamp)
        if created:
            self._oldest = min(self._oldest or created, created)
            self._newest = max(self._newest, created)
        if own:
            self._interpreters.update(_interpreter(alert))
        if self._likenesses is not None:
            self._likenesses.add(alert, own)

    def preview(self, sent: Iterable[str], *, by_hash: bool, warnings: Iterable[str] = ()) -> Preview:
        """The plan in numbers. sent: the actions in words. by_hash: warn where a hash is an interpreter's."""
        said = list(warnings)
        if by_hash and self._interpreters:
            names = sorted(self._interpreters)
            shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            said.append(
                f"The hash belongs to {shown}: a common interpreter or "
                "system program. Look at the command lines before you close all that it ran."
            )
        return Preview(
            selected=self.selected,
            planned=self.planned,
            skipped=dict(self.skipped),
            held=dict(self.held),
            samples=tuple(_sample(title, counts) for title, counts in self._counts.items() if counts),
            oldest=self._oldest,
            newest=self._newest,
            sent=tuple(sent),
            warnings=tuple(said),
            alike=self._likenesses.report(MOST_GROUPS) if self._likenesses and self.planned else None,
        )


def _sample(title: str, counts: Counter[str]) -> TopValues:
    shown = counts.most_common(SHOWN)
    return TopValues(title=title, counts=tuple(shown), others=len(counts) - len(shown))


def _interpreter(alert: Alert) -> Iterable[str]:
    """The alert's file name if it is an interpreter's, or that of a program of the system found everywhere."""
    name, path = text(alert.filename), text(alert.filepath).casefold()
    known = name.casefold().removesuffix(".exe") in INTERPRETERS
    common = alert.global_prevalence == "common" and any(folder in path for folder in SYSTEM_FOLDERS)
    if name and (known or common):
        yield name
