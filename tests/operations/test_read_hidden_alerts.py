"""Hidden alerts that pages leave out are read by id, even if there are more than one window shows."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from falcon_bulk.falcon.page import Page
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.operations.reading import read_all as reading
from falcon_bulk.operations.reading.read_all import read_all
from falcon_bulk.operations.reading.read_progress import ReadProgress
from tests.support.plan_builders import a_document

PAGE, WINDOW = 5, 20
SECOND = "2026-11-24T06:{:02}:{:02}Z"


class Hiding:
    """A search that counts hidden alerts, names them by id, and leaves them out of pages. Only the reading half."""

    def __init__(self, times: Sequence[str]) -> None:
        self.hidden = {
            f"hidden-{number:04}": a_document(
                composite_id=f"hidden-{number:04}", created_timestamp=at, show_in_ui=False
            )
            for number, at in enumerate(times)
        }
        self.times = dict(zip(self.hidden, times, strict=True))

    def count(self, fql: str) -> int:
        return len(self.hidden)

    def page(self, fql: str, *, after: str = "", sort: str = "", limit: int = 0) -> Page:
        return Page([], total=len(self.hidden), after="")

    def ids(self, fql: str, *, offset: int, limit: int = PAGE, sort: str = "") -> tuple[list[str], int]:
        assert offset + PAGE <= WINDOW, "Falcon refuses what lies beyond the window"
        since = re.search(r"created_timestamp:>='(.+?)'", fql)
        found = [one for one, at in self.times.items() if not since or at >= since[1]]
        return found[offset : offset + PAGE], len(found)

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        return [msgspec.Raw(self.hidden[composite_id]) for composite_id in ids]


@pytest.fixture(autouse=True)
def _a_small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", PAGE)
    monkeypatch.setattr(reading, "WINDOW", WINDOW)


def read(alerts: Hiding) -> tuple[Counter[str], ReadProgress]:
    progress = ReadProgress(SystemClock())
    pages = read_all(alerts, "status:'new'", progress, Alert)  # type: ignore[arg-type]
    found = Counter(item.alert.composite_id for page in pages for item in page)
    progress.note_difference()
    return found, progress


@pytest.mark.parametrize("number", [0, 3, PAGE, WINDOW, WINDOW + 1, 3 * WINDOW + 2])
def test_all_hidden_alerts_are_read_once(number: int) -> None:
    alerts = Hiding([SECOND.format(*divmod(one, 60)) for one in range(number)])
    found, progress = read(alerts)
    assert found == Counter(list(alerts.hidden))
    assert progress.notes == []


def test_hidden_alerts_of_one_time_across_a_window_are_read_once() -> None:
    alerts = Hiding([SECOND.format(0, one // 7) for one in range(3 * WINDOW)])
    found, progress = read(alerts)
    assert found == Counter(list(alerts.hidden))
    assert progress.notes == []


def test_hidden_alerts_that_the_search_names_twice_are_read_once() -> None:
    alerts = Hiding([SECOND.format(0, one) for one in range(PAGE - 2)])
    former = alerts.ids
    alerts.ids = lambda fql, **more: ([*former(fql, **more)[0], "hidden-0000"], PAGE - 1)  # type: ignore[method-assign]
    found, _ = read(alerts)
    assert found == Counter(list(alerts.hidden))


def test_hidden_alerts_that_an_answer_by_id_holds_twice_are_read_once() -> None:
    alerts = Hiding([SECOND.format(0, one) for one in range(PAGE + 2)])
    former = alerts.by_id
    alerts.by_id = lambda ids: [*reversed(documents := former(ids)), documents[0]]  # type: ignore[method-assign]
    found, progress = read(alerts)
    assert found == Counter(list(alerts.hidden))
    assert progress.notes == []


def test_more_of_one_time_than_a_window_shows_are_reported_and_reading_ends() -> None:
    alerts = Hiding([SECOND.format(0, 0)] * (WINDOW + 3))
    found, progress = read(alerts)
    assert len(found) == WINDOW
    assert progress.incomplete == [
        "Falcon counted 23 alerts, 20 were read; alerts may have arrived or changed in the meantime."
    ]


def test_a_time_that_falcon_sent_and_that_is_none_gets_into_no_filter() -> None:
    times = [SECOND.format(number // 60, number % 60) for number in range(2 * WINDOW)]
    alerts = Hiding(times)
    for number, foreign in ((3, "x'+status:'closed"), (WINDOW - 1, "~")):
        composite_id = f"hidden-{number:04}"
        alerts.hidden[composite_id] = a_document(composite_id=composite_id, created_timestamp=foreign, show_in_ui=False)
    asked: list[str] = []
    former = alerts.ids

    def ids(fql: str, **more: Any) -> tuple[list[str], int]:
        asked.append(fql)
        return former(fql, **more)

    alerts.ids = ids  # type: ignore[method-assign]
    found, _ = read(alerts)
    assert found.total() == len(times)
    assert not [fql for fql in asked if "closed" in fql or "~" in fql]
