"""What is kept beside a run and cannot be read is said, and never taken for nothing."""

from pathlib import Path

import pytest

from falcon_bulk.errors import Busy, JournalProblem, WrongTenant
from falcon_bulk.journal.customer_cids import FILE, check_customer_cid, forget_customer_cid, remember_customer_cid
from falcon_bulk.journal.health import check_journal
from falcon_bulk.journal.journal import Journal
from falcon_bulk.journal.lock import hold_locks

CID, OTHER_CID = "c" * 32, "d" * 32


@pytest.mark.parametrize("content", [b'{"acme": ', b'{"acme": "\xff"}', b"[]", b"[" * 100_000, b""])
def test_damaged_customer_cids_refuse_a_change_and_say_what_to_do(tmp_path: Path, content: bytes) -> None:
    remember_customer_cid(tmp_path, "acme", CID)
    (tmp_path / FILE).write_bytes(content)
    for use in (
        lambda: check_customer_cid(tmp_path, "acme", (CID,)),
        lambda: remember_customer_cid(tmp_path, "acme", CID),
    ):
        with pytest.raises(WrongTenant, match="damaged") as caught:
            use()
        assert caught.value.hint == "Remove it; the next change remembers the CID again."


def test_a_customers_cid_is_remembered_until_it_is_forgotten(tmp_path: Path) -> None:
    remember_customer_cid(tmp_path, "acme", CID)
    remember_customer_cid(tmp_path, "acme", OTHER_CID)
    check_customer_cid(tmp_path, "acme", (CID,))
    with pytest.raises(WrongTenant, match=OTHER_CID):
        check_customer_cid(tmp_path, "acme", (OTHER_CID,))
    assert forget_customer_cid(tmp_path, "acme") == CID
    remember_customer_cid(tmp_path, "acme", OTHER_CID)
    check_customer_cid(tmp_path, "acme", (OTHER_CID,))


def test_a_journal_with_a_page_that_was_overwritten_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / f"{CID}.sqlite3"
    Journal(path).close()
    assert check_journal(path).runs == 0
    content = bytearray(path.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    content[page : page + 64] = b"\x0d" + b"\xff" * 63  # the first page of a table, behind the schema's
    path.write_bytes(content)
    with pytest.raises(JournalProblem, match="damaged"):
        check_journal(path)
    assert path.read_bytes() == content


def test_a_lock_whose_holder_left_no_name_turns_another_run_away_all_the_same(tmp_path: Path) -> None:
    with hold_locks(tmp_path, [CID], "261124abcdef"):
        (tmp_path / f"{CID}.holder").unlink()
        with pytest.raises(Busy, match="that started just now"), hold_locks(tmp_path, [CID], "261124fedcba"):
            raise AssertionError("two runs hold one lock")
