"""The customers of a journal are looked up once, however many of them ask."""

from pathlib import Path

import pytest

from falcon_bulk.errors import JournalProblem
from falcon_bulk.journal.journal import Journal
from falcon_bulk.journal.journal_customers import JournalCustomers
from tests.journal.conftest import RecordRun


def test_a_journal_is_opened_once(journal: Journal, record_run: RecordRun) -> None:
    record_run()
    known = JournalCustomers()
    assert known.of(journal.path) == {"acme"}
    journal.path.unlink()
    assert known.of(journal.path) == {"acme"}


def test_one_that_cannot_be_read_is_told_of_once(tmp_path: Path) -> None:
    path = tmp_path / "damaged.sqlite3"
    path.write_bytes(b"no database" * 1_000)
    known = JournalCustomers()
    with pytest.raises(JournalProblem):
        known.of(path)
    assert known.of(path) == frozenset()
