"""The state folder: where it is, and who may write it."""

import os
import stat
from pathlib import Path

import pytest

from falcon_bulk.config.state import prepare_state_dir, state_dir
from falcon_bulk.errors import AccessProblem, ExitCode

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs file modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_environment_moves_the_state_folder(tmp_path: Path) -> None:
    assert state_dir({"FALCON_BULK_STATE_DIR": str(tmp_path / "s")}) == tmp_path / "s"
    assert state_dir({"FALCON_BULK_STATE_DIR": "~/s"}) == Path.home() / "s"
    assert state_dir({"FALCON_BULK_STATE_DIR": "s"}).is_absolute()
    assert state_dir({"FALCON_BULK_STATE_DIR": "~nobody-of-acme/s"}).is_absolute()


def test_the_default_is_the_platforms_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    for environ in ({}, {"FALCON_BULK_STATE_DIR": " "}):
        folder = state_dir(environ)
        assert folder.is_absolute()
        assert "falcon-bulk" in folder.parts


@posix_only
def test_the_folder_is_created_for_its_user_only(tmp_path: Path) -> None:
    prepare_state_dir(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") == 0o700
    prepare_state_dir(tmp_path / "a" / "b")


@posix_only
def test_the_users_readable_folder_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare_state_dir(tmp_path)
    assert mode(tmp_path) == 0o700


@posix_only
@pytest.mark.parametrize("bits", [0o777, 0o770, 0o1777, 0o702])
def test_a_folder_others_can_write_is_refused(tmp_path: Path, bits: int) -> None:
    tmp_path.chmod(bits)
    with pytest.raises(AccessProblem, match="Others can write") as caught:
        prepare_state_dir(tmp_path)
    assert caught.value.exit_code == ExitCode.ACCESS
    assert caught.value.hint == f"chmod 700 {tmp_path}"
    assert mode(tmp_path) == bits


@posix_only
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AccessProblem, match="another user"):
        prepare_state_dir(tmp_path, uid=os.geteuid() + 1)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    for path in (tmp_path / "s", tmp_path / "s" / "deeper", tmp_path / "a\0b"):
        with pytest.raises(AccessProblem, match="Cannot use the state folder"):
            prepare_state_dir(path)


def test_without_file_modes_the_folder_is_only_created(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    prepare_state_dir(tmp_path, posix=False)
    prepare_state_dir(tmp_path / "s", posix=False)
    assert (tmp_path / "s").is_dir()
