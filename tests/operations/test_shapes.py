"""What is ordinary variation and what is not: shapes are equal, or they are not."""

import pytest

from falcon_bulk.operations.outliers.normalization import (
    account_shape,
    arguments_shape,
    disposition_shape,
    folder_shape,
    is_short_for,
    name_shape,
    user_shape,
)

FOLDER = "C:\\Program Files\\Globex Remote\\agent.exe"
LINE = '"C:\\Program Files\\Globex\\agent.exe" --run 7 --log C:\\Users\\a.doe\\AppData\\Local\\Temp\\x1\\run.log'


@pytest.mark.parametrize(
    "path",
    [
        "D:\\Program Files\\Globex Remote\\agent.exe",
        "\\Device\\HarddiskVolume3\\Program Files\\Globex Remote\\agent.exe",
        "\\\\?\\C:\\PROGRAM FILES (X86)\\Globex Remote\\agent.exe",
        "\\??\\C:\\Archivos de programa\\Globex Remote\\agent.exe",
    ],
)
def test_a_folder_is_the_same_on_each_disk_and_in_each_language(path: str) -> None:
    assert folder_shape(path) == folder_shape(FOLDER)


@pytest.mark.parametrize(
    "path",
    [
        "C:\\ProgramData\\Globex Remote\\agent.exe",
        "C:\\Program Files\\Initech\\agent.exe",
        "C:\\Program Files\\agent.exe",
        "C:\\Windows\\Temp\\agent.exe",
        "\\\\fs-1\\Program Files\\Globex Remote\\agent.exe",
    ],
)
def test_another_folder_is_another_one(path: str) -> None:
    assert folder_shape(path) != folder_shape(FOLDER)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C:\\Users\\a.doe\\bin\\a.exe", "\\Device\\HarddiskVolume2\\Benutzer\\Eva M\\bin\\a.exe"),
        ("C:\\Windows\\Temp\\a.exe", "C:\\Windows\\TEMP\\is-QK3F2.tmp\\a.exe"),
        ("C:\\Windows\\System32\\a.exe", "C:\\Windows\\SysWOW64\\a.exe"),
        ("C:\\Windows\\System32\\a.exe", "\\SystemRoot\\System32\\a.exe"),
        ("C:\\Globex\\app-1.2.3\\a.exe", "C:\\Globex\\app-10.4\\a.exe"),
        ("C:\\Globex\\{6f9619ff-8b86-d011-b42d-00cf4fc964ff}\\a.exe", "C:\\Globex\\77\\a.exe"),
        ("/home/doe/bin/a", "/home/muster/bin/a"),
        ("/tmp/.x/a", "/tmp/a"),
    ],
)
def test_users_versions_and_temporary_folders_make_no_difference(one: str, other: str) -> None:
    assert folder_shape(one) == folder_shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C:\\Users\\a.doe\\a.exe", "C:\\Users\\Public\\a.exe"),
        ("C:\\Users\\a.doe\\AppData\\Local\\Temp\\a.exe", "C:\\Windows\\Temp\\a.exe"),
        ("/usr/bin/a", "/dev/shm/a"),
    ],
)
def test_places_of_another_kind_stay_apart(one: str, other: str) -> None:
    assert folder_shape(one) != folder_shape(other)


def test_a_short_name_is_taken_for_the_long_one_it_can_stand_for() -> None:
    short = folder_shape("C:\\PROGRA~1\\GLOBEX~1\\agent.exe")
    assert is_short_for(short, folder_shape(FOLDER))
    assert not is_short_for(short, folder_shape("C:\\Program Files\\Initech\\agent.exe"))
    assert not is_short_for(short, folder_shape("C:\\ProgramData\\Globex Remote\\agent.exe"))


@pytest.mark.parametrize(
    "line",
    [
        "C:\\PROGRAM FILES\\GLOBEX\\AGENT.EXE  --run 1204 --log D:\\Users\\Eva\\AppData\\Local\\Temp\\q\\r\\run.log",
        "agent.exe --run 7 --log %TEMP%\\z.log",
    ],
)
def test_a_command_line_is_the_same_with_other_numbers_users_and_temporary_names(line: str) -> None:
    assert arguments_shape(line, "agent.exe") == arguments_shape(LINE, "agent.exe")


@pytest.mark.parametrize("line", ["agent.exe", f"{LINE} --proxy 203.0.113.9", "agent.exe -enc " + "JABzAD0A" * 20])
def test_other_arguments_are_another_command_line(line: str) -> None:
    assert arguments_shape(line, "agent.exe") != arguments_shape(LINE, "agent.exe")


def test_what_is_encoded_is_not_compared_but_that_it_is() -> None:
    assert arguments_shape("a.exe -enc " + "JABzAD0A" * 20, "a.exe") == "-enc #"
    assert arguments_shape("a.exe -enc " + "SQBFAFgA" * 90, "a.exe") == "-enc #"


def test_a_program_without_arguments_is_told_from_an_unknown_command_line() -> None:
    assert arguments_shape('"C:\\a b\\agent.exe" ', "agent.exe") == "."
    assert arguments_shape("", "agent.exe") == ""


@pytest.mark.parametrize("name", ["SETUP.EXE", "setup (1).exe", "setup(12).exe", "setup - Copy.exe"])
def test_a_copy_has_the_name_of_what_was_copied(name: str) -> None:
    assert name_shape(name) == "setup.exe"


def test_random_names_are_alike_and_words_are_not() -> None:
    assert name_shape("is-QK3F2.tmp") == name_shape("is-7B2A9C.tmp")
    assert name_shape("svchost.exe") != name_shape("svch0st.exe")


def test_an_account_is_the_same_with_and_without_its_domain() -> None:
    assert user_shape("ACME\\a.doe", "") == user_shape("A.Doe", "") == user_shape("a.doe@acme.example.com", "")
    assert user_shape("ACME-WKS-7$", "") == user_shape("SYSTEM", "") == user_shape("SYSTÈME", "S-1-5-18")


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ("SYSTEM", "built-in"),
        ("root", "built-in"),
        ("svc_sql", "service"),
        ("gmsa-web$", "service"),
        ("a.doe", "person"),
    ],
)
def test_accounts_are_told_apart_by_kind(user: str, kind: str) -> None:
    assert account_shape(user, "") == kind


def test_a_disposition_is_that_something_was_prevented_or_not() -> None:
    assert disposition_shape("2176", "Prevention/Quarantine,process was blocked") == "prevention"
    assert disposition_shape("2048", "") == disposition_shape("16", "Prevention, process killed.")
    assert disposition_shape("0", "") == disposition_shape("128", "Detection/Quarantine, standard detection")
    assert disposition_shape("", "") == ""
