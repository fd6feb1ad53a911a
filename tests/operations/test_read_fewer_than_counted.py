"""A search that counts more alerts of a hash than it returns: those are read, and the difference is reported."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from falcon_bulk.falcon.fql import hash_clauses
from falcon_bulk.falcon.page import Page
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.operations.reading.by_hash import read_by_hashes
from falcon_bulk.operations.reading.read_progress import ReadProgress
from tests.support.plan_builders import HASH, OTHER_HASH, a_document

BY_SHA256 = hash_clauses([HASH])["sha256"]


class Withholding:
    """It counts `counted` alerts by sha256, and gives those it has. Nothing is hidden or in entities."""

    def __init__(self, counted: int, *documents: bytes) -> None:
        self.counted = counted
        self.documents = [msgspec.Raw(document) for document in documents]
        self.asked: list[str] = []

    def count(self, fql: str) -> int:
        return self.counted if fql == BY_SHA256 else 0

    def page(self, fql: str, *, after: str = "", sort: str = "", limit: int = 0) -> Page:
        self.asked.append(fql)
        given = self.documents if HASH in fql else []
        return Page(given, total=len(given), after="")

    def ids(self, fql: str, *, offset: int = 0, limit: int = 0, sort: str = "") -> tuple[list[str], int]:
        return [], 0

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        return []

    def count_by_hour(self, fql: str) -> list[tuple[datetime, int]]:
        return []

    def count_by_range(self, fql: str, edges: Sequence[datetime]) -> list[tuple[datetime, int]]:
        return []


def read(alerts: Withholding) -> tuple[list[str], ReadProgress]:
    progress = ReadProgress(SystemClock())
    pages = read_by_hashes(alerts, "", [HASH], progress, Alert)
    return [item.alert.composite_id for page in pages for item in page], progress


def test_the_field_is_read_again_alone_and_still_missing_alerts_are_reported() -> None:
    alerts = Withholding(3, a_document(1), a_document(2))
    found, progress = read(alerts)
    assert len(found) == len(set(found)) == 2
    assert BY_SHA256 in alerts.asked
    assert progress.incomplete[-1] == "Falcon counts 3 alerts by sha256 but returned 2."


def test_returned_alerts_without_the_hash_are_ignored() -> None:
    found, progress = read(Withholding(2, a_document(1), a_document(2, sha256=OTHER_HASH)))
    assert len(found) == 1
    assert progress.incomplete[-1] == "Falcon counts 2 alerts by sha256 but returned 1."
