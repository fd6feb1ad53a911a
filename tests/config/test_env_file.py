"""Env files: which are refused, and that what is in them is read exactly and shown nowhere."""

import os
import shlex
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falcon_bulk.config.env_file import MAX_BYTES, load_env_file, quote_value, read_env_file, write_env_file
from falcon_bulk.errors import BadEnvFile

SECRET = "s3ntinel-of-acme"

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs file modes")


def an_env_file(folder: Path, text: str | bytes, *, name: str = "acme.env", mode: int = 0o600) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def refusal(path: Path, **how: object) -> BadEnvFile:
    with pytest.raises(BadEnvFile) as caught:
        load_env_file(path, **how)  # type: ignore[arg-type]
    assert str(path) in caught.value.message
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


def test_values_are_read_as_they_stand(tmp_path: Path) -> None:
    text = (
        "\ufeff# Acme\n\nexport FALCON_CLIENT_ID = abc # which one\r\n"
        "FALCON_CLIENT_SECRET='$HOME ${PATH} #1'\nFALCON_CID=\nHTTPS_PROXY=http://localhost:1\n"
    )
    assert read_env_file(an_env_file(tmp_path, text)) == {
        "FALCON_CLIENT_ID": "abc",
        "FALCON_CLIENT_SECRET": "$HOME ${PATH} #1",
        "FALCON_CID": "",
        "HTTPS_PROXY": "http://localhost:1",
    }


def test_nothing_is_written_to_the_process_environment(tmp_path: Path) -> None:
    before = dict(os.environ)
    read_env_file(an_env_file(tmp_path, f"FALCON_CLIENT_SECRET={SECRET}\n"))
    assert dict(os.environ) == before


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "acme.env").message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"A=1\n\n# note\n\nFALCON_CLIENT_SECRET='{SECRET}\n", 5),
        (f'FALCON_CLIENT_SECRET="{SECRET}"x\n', 1),
        (f"A=1\n{SECRET}\n", 2),
        (f"A=1\r\n\r\n{SECRET}=x\r\n", 3),
        (f"FALCON_CLIENT_SECRET: {SECRET}\n", 1),
        (f"FALCON_CLIENT_SECRET:{SECRET}==\n", 1),
        (f"={SECRET}\n", 1),
    ],
)
def test_an_unreadable_line_is_named_by_its_number_and_not_its_text(tmp_path: Path, text: str, line: int) -> None:
    assert f", line {line}: " in refusal(an_env_file(tmp_path, text)).message


def test_a_duplicate_key_is_refused_with_both_lines(tmp_path: Path) -> None:
    error = refusal(an_env_file(tmp_path, f"FALCON_CID=a\n\nFALCON_CID={SECRET}\n"))
    assert "line 3: FALCON_CID is already on line 1" in error.message


def test_an_unknown_duplicate_key_is_not_shown(tmp_path: Path) -> None:
    word = SECRET.replace("-", "_")
    error = refusal(an_env_file(tmp_path, f"{word}=\n{word}=\n"))
    assert "line 2" in error.message
    assert word not in error.message


def test_text_that_is_not_utf8_is_named_by_its_line(tmp_path: Path) -> None:
    assert ", line 2: " in refusal(an_env_file(tmp_path, b"A=1\r\nB=\xff" + SECRET.encode())).message
    assert ", line 1: " in refusal(an_env_file(tmp_path, f"A={SECRET}".encode("utf-16"))).message


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert "too large" in refusal(an_env_file(tmp_path, "#" * (MAX_BYTES + 1))).message


def test_the_parsed_file_does_not_show_its_values(tmp_path: Path) -> None:
    assert SECRET not in repr(load_env_file(an_env_file(tmp_path, f"FALCON_CLIENT_SECRET={SECRET}\n")))


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602, 0o610, 0o601, 0o700])
def test_a_mode_looser_than_600_is_refused_with_the_command_that_fixes_it(tmp_path: Path, mode: int) -> None:
    path = an_env_file(tmp_path, f"FALCON_CLIENT_SECRET={SECRET}\n", name="acme $x.env", mode=mode)
    error = refusal(path)
    assert f"{mode:o}" in error.message
    assert shlex.split(error.hint) == ["chmod", "600", str(path)]


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_mode_600_or_tighter_is_accepted(tmp_path: Path, mode: int) -> None:
    assert load_env_file(an_env_file(tmp_path, "A=1\n", mode=mode)).warnings == ()


@posix_only
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = an_env_file(tmp_path, f"A={SECRET}\n")
    assert "another user" in refusal(path, uid=os.geteuid() + 1).message


@posix_only
def test_a_folder_or_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.env"
    os.mkfifo(fifo, 0o600)
    assert "not a regular file" in refusal(fifo).message
    assert "not a regular file" in refusal(tmp_path).message


@posix_only
def test_a_link_into_a_folder_of_ones_own_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "link.env"
    link.symlink_to(an_env_file(tmp_path, "A=1\n"))
    assert read_env_file(link) == {"A": "1"}


@posix_only
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o703])
def test_a_link_into_a_folder_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    shared = tmp_path / "shared"
    (shared / "deep").mkdir(parents=True)
    link = tmp_path / "link.env"
    link.symlink_to(an_env_file(shared / "deep", f"A={SECRET}\n"))
    shared.chmod(mode)
    error = refusal(link)
    assert str(shared) in error.message
    assert error.hint.endswith(f"chmod go-w {shlex.quote(str(shared))}")


@posix_only
def test_a_linked_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    an_env_file(shared, f"A={SECRET}\n")
    shared.chmod(0o777)
    (tmp_path / "customers").symlink_to(shared)
    assert "others can write" in refusal(tmp_path / "customers" / "acme.env").message


@posix_only
def test_a_link_into_a_sticky_folder_is_followed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    link = tmp_path / "link.env"
    link.symlink_to(an_env_file(shared, "A=1\n"))
    shared.chmod(0o1777)
    assert read_env_file(link) == {"A": "1"}


@posix_only
def test_a_link_to_nothing_and_a_loop_of_links_are_refused(tmp_path: Path) -> None:
    nothing, loop = tmp_path / "nothing.env", tmp_path / "loop.env"
    nothing.symlink_to(tmp_path / "absent")
    loop.symlink_to(loop)
    refusal(nothing)
    refusal(loop)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_an_invalid_path_is_refused(tmp_path: Path, name: str) -> None:
    refusal(tmp_path / name)


def test_a_path_with_dots_is_not_taken_for_a_link(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    an_env_file(tmp_path, "A=1\n")
    tmp_path.chmod(0o770)
    assert read_env_file(tmp_path / "sub" / ".." / "acme.env") == {"A": "1"}


def test_without_file_modes_a_loose_file_gives_a_warning(tmp_path: Path) -> None:
    file = load_env_file(an_env_file(tmp_path, "A=1\n", mode=0o644), posix=False)
    assert file.values == {"A": "1"}
    assert len(file.warnings) == 1
    assert "not checked" in file.warnings[0]


printable = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" '\"\\#$`=\u00e9"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(secret=printable, operator=printable)
def test_what_is_written_reads_back_as_it_was(tmp_path: Path, secret: str, operator: str) -> None:
    values = {"FALCON_CLIENT_ID": "abc", "FALCON_CLIENT_SECRET": secret, "FALCON_OPERATOR": operator}
    path = tmp_path / "acme.env"
    path.unlink(missing_ok=True)
    write_env_file(path, values)
    assert read_env_file(path) == values


@pytest.mark.parametrize("value", ["abc\\", "\\'", "a' #b", '"', "''", " x ", "#", "a\\\\'b\\", "${HOME}"])
def test_awkward_values_are_written_so_that_they_read_back(value: str, tmp_path: Path) -> None:
    write_env_file(tmp_path / "x.env", {"FALCON_CLIENT_SECRET": value, "FALCON_CID": "'"})
    assert read_env_file(tmp_path / "x.env")["FALCON_CLIENT_SECRET"] == value


@posix_only
def test_a_written_file_is_closed_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_env_file(tmp_path / "x.env", {"A": "1"})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.env").stat().st_mode) == 0o600


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = an_env_file(tmp_path, "A=1\n")
    with pytest.raises(BadEnvFile, match="already exists"):
        write_env_file(path, {"A": "2"})
    assert read_env_file(path) == {"A": "1"}


def test_a_file_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadEnvFile, match="cannot be written"):
        write_env_file(tmp_path / "absent" / "x.env", {"A": "1"})


@posix_only
def test_a_full_disk_is_reported_and_leaves_no_file(tmp_path: Path) -> None:
    import resource

    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        with pytest.raises(BadEnvFile, match="cannot be written"):
            write_env_file(tmp_path / "x.env", {"A": "1"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["a\nb", "a\x1bb", "a\u202eb", "a\u200bb", "\t"])
def test_a_value_with_invisible_characters_is_not_written(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadEnvFile, match=r"^FALCON_CLIENT_SECRET has an unprintable character"):
        quote_value("FALCON_CLIENT_SECRET", value)
