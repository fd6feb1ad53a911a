"""Files appear whole or not at all; standard output is told apart from a terminal."""

import io
import os
import stat
import threading
from pathlib import Path

import pytest

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import UsageProblem
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink, render
from falcon_bulk.report.sheet import Column, Sheet


@pytest.fixture(autouse=True)
def usual_umask() -> object:
    former = os.umask(0o022)
    yield
    os.umask(former)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "report.csv") as file:
        file.write(b"new")
    assert (tmp_path / "report.csv").read_bytes() == b"new"
    assert mode_of(tmp_path / "report.csv") == 0o644
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_former_file_and_no_draft(tmp_path: Path, failure: type[BaseException]) -> None:
    target = tmp_path / "report.csv"
    target.write_bytes(b"old")
    with pytest.raises(failure), write_atomically(target) as file:  # noqa: PT012
        file.write(b"half")
        raise failure
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_no_file_where_there_was_none(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), write_atomically(tmp_path / "report.csv"):
        raise ConnectionError
    assert not list(tmp_path.iterdir())


def test_a_reader_sees_the_former_or_the_new_file_and_never_a_part(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    versions = [bytes([letter]) * 200_000 for letter in b"ab"]
    target.write_bytes(versions[0])
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(target.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        with write_atomically(target) as file:
            for start in range(0, 200_000, 50_000):
                file.write(versions[turn % 2][start : start + 50_000])
    stop.set()
    reader.join()
    assert seen <= set(versions)


def test_the_mode_can_be_narrower(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_bytes(b"old")
    with write_atomically(target, mode=0o600) as file:
        assert [mode_of(path) for path in tmp_path.iterdir() if path != target] == [0o600]
        file.write(b"{}")
    assert mode_of(target) == 0o600


def test_a_file_that_was_private_stays_private(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    target.touch(mode=0o600)
    with write_atomically(target) as file:
        file.write(b"new")
    assert mode_of(target) == 0o600


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "related"
    folder.mkdir()
    (tmp_path / "link.csv").symlink_to(folder / "target.csv")
    for text in (b"one", b"two"):
        with write_atomically(tmp_path / "link.csv") as file:
            file.write(text)
        assert (folder / "target.csv").read_bytes() == text
    assert (tmp_path / "link.csv").is_symlink()
    assert len(list(folder.iterdir())) == 1


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="is a folder"), write_atomically(tmp_path):
        pass


@pytest.mark.parametrize("name", ["missing/report.csv", "file/report.csv", "nul\0l.csv"])
def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageProblem, match="Cannot write"), write_atomically(tmp_path / name):
        pass


def test_a_device_is_written_to_and_not_replaced() -> None:
    with write_atomically("/dev/null") as file:
        file.write(b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with write_atomically(pipe) as file:
        file.write(b"through")
    reader.join()
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


SHEET = Sheet("", (Column("a"),), [("漢\udc80",)])


def test_a_sink_is_complete_and_plain_unless_it_is_a_terminal() -> None:
    binary = io.BytesIO()
    Sink(binary).render([SHEET], Format.TABLE)
    assert binary.getvalue().decode() == "a\n--------\n漢\\udc80\n"


def test_a_sink_stays_open_after_it_was_written_to() -> None:
    binary = io.BytesIO()
    for _ in range(2):
        Sink(binary).render([SHEET], Format.CSV)
    assert binary.getvalue().count(b"a\n") == 2


def test_what_an_encoding_lacks_is_shown_escaped() -> None:
    binary = io.BytesIO()
    Sink(binary, terminal=True, width=20, encoding="ascii").render([SHEET], Format.TABLE)
    assert b"\\u6f22\\udc80" in binary.getvalue()


def test_standard_output_that_is_no_terminal_has_no_width_and_no_colour(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    sink = Sink.stdout()
    assert (sink.terminal, sink.color, sink.width) == (False, False, None)


def test_standard_output_that_is_a_terminal_has_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "77")
    sink = Sink.stdout(color=False)
    assert (sink.terminal, sink.color, sink.width) == (True, False, 77)
    assert Sink.stdout().color


def test_a_format_that_is_no_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match="json"):
        render([SHEET], Format.JSON, io.StringIO(), color=False, width=None)
