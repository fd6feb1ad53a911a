"""The true positives of all customers ever seen, which no rule may contradict.

They are kept in the state folder and not in a customer's journal: a run over one customer has to know those of all, and
a rule that is new, renamed or widened those found before it was written.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import Refused, Rejected
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import Resolution
from falcon_bulk.operations.changes.alert_target import read_rows
from falcon_bulk.operations.changes.guardrails import is_marked_true_positive
from falcon_bulk.operations.reading.read_all import AlertReader
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_selection
from falcon_bulk.operations.rules.alert_facts import AlertFacts

SCHEMA = "falcon-bulk/true-positives/1"
FILE_NAME = "true-positives.json"
LOCK_PATIENCE = 30
"""Seconds to wait for another command that writes the file."""
CLAUSES = tuple(f"{field}:'{Resolution.TRUE_POSITIVE}'" for field in ("tags", "resolution"))
"""The tag sets the resolution; `resolution` mirrors it, and a tenant may not know it as a field of filters."""


class KnownTruePositive(msgspec.Struct, frozen=True):
    """A true positive: whose it is, and what rules read of it. cid: of the journal that its customer has."""

    customer: str
    cid: str
    facts: AlertFacts


class _Content(msgspec.Struct, frozen=True):
    schema: str
    alerts: tuple[KnownTruePositive, ...]


_decode_content = msgspec.json.Decoder(_Content).decode


class TruePositiveStore:
    """The file of the known true positives."""

    def __init__(self, state_folder: Path) -> None:
        self.path = state_folder / FILE_NAME
        self._lock = state_folder / f"{FILE_NAME}.lock"

    def load(self) -> tuple[KnownTruePositive, ...]:
        """Return all that are known; () if there is no file. Raises Refused if it cannot be read."""
        try:
            content = _decode_content(self.path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._unreadable(getattr(error, "strerror", None) or "it is damaged") from None
        if content.schema != SCHEMA:
            raise self._unreadable(f"it is of another version ({content.schema[:40]})")
        return content.alerts

    def update(self, customer: str, cid: str, found: Iterable[AlertFacts], no_longer: Set[str]) -> None:
        """Add the true positives of a customer or renew them, and drop those that are not marked any more.

        Raises Refused if the file cannot be read or written.
        """
        with self._locked():
            known = {known_alert.facts.composite_id: known_alert for known_alert in self.load()}
            before = dict(known)
            for facts in found:
                known[facts.composite_id] = KnownTruePositive(customer, cid, facts)
            for composite_id in no_longer:
                known.pop(composite_id, None)
            if known == before and self.path.exists():
                return
            with write_atomically(self.path, 0o600) as file:
                file.write(msgspec.json.encode(_Content(SCHEMA, tuple(known.values()))))

    def version(self) -> tuple[int, int, int]:
        """Return what changes whenever the file does."""
        try:
            status = self.path.stat()
        except OSError:
            return 0, 0, 0
        return status.st_ino, status.st_size, status.st_mtime_ns

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with FileLock(self._lock, timeout=LOCK_PATIENCE, mode=0o600):
                yield
        except Timeout:
            raise self._unreadable("another command holds it") from None
        except OSError as error:
            raise self._unreadable(error.strerror or type(error).__name__) from None

    def _unreadable(self, reason: str) -> Refused:
        return Refused(
            f"The known true positives in {self.path} cannot be used: {reason}. Without them no rule closes anything.",
            "Restore the file from a copy. If what it knows may be forgotten, remove it.",
        )


def read_true_positives(
    alerts: AlertReader,
    known: Sequence[str],
    cids: Set[str],
    progress: ReadProgress,
    *,
    readers: int,
) -> tuple[dict[str, AlertFacts], set[str]]:
    """Return a customer's true positives, and which of the known ones are not marked as such any more.

    known: composite ids. One that Falcon does not know any more, since alerts end after some time, stays known.
    Raises what reading raises, and WrongTenant.
    """
    found: dict[str, AlertFacts] = {}
    for clause in CLAUSES:
        try:
            for page in read_selection(alerts, Selection(filter=clause), progress, Alert, readers=readers):
                for item in page:
                    if is_marked_true_positive(item.alert):
                        found[item.alert.composite_id] = AlertFacts.of(item.alert, item.own_hashes)
        except Rejected:
            if clause == CLAUSES[0]:
                raise
    no_longer: set[str] = set()
    others = (composite_id for composite_id in known if composite_id not in found)
    for _, by_id in read_rows(others, str, alerts, cids, readers):
        for composite_id, alert in by_id.items():
            if is_marked_true_positive(alert):
                found[composite_id] = AlertFacts.of(alert, own_hashes(alert))
            else:
                no_longer.add(composite_id)
    return found, no_longer
