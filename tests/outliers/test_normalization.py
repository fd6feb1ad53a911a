"""Values that differ only by ordinary variation are equal after normalization, and others are not."""

import pytest

from falcon_bulk.operations.outliers.normalization import (
    account_kind,
    is_short_name_of,
    normalize_arguments,
    normalize_disposition,
    normalize_file_name,
    normalize_folder,
    normalize_user,
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
    assert normalize_folder(path) == normalize_folder(FOLDER)


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
def test_other_folders_stay_different(path: str) -> None:
    assert normalize_folder(path) != normalize_folder(FOLDER)


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
    assert normalize_folder(one) == normalize_folder(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C:\\Users\\a.doe\\a.exe", "C:\\Users\\Public\\a.exe"),
        ("C:\\Users\\a.doe\\AppData\\Local\\Temp\\a.exe", "C:\\Windows\\Temp\\a.exe"),
        ("/usr/bin/a", "/dev/shm/a"),
    ],
)
def test_folders_of_another_kind_stay_different(one: str, other: str) -> None:
    assert normalize_folder(one) != normalize_folder(other)


def test_a_short_name_counts_as_the_long_name_it_can_stand_for() -> None:
    short = normalize_folder("C:\\PROGRA~1\\GLOBEX~1\\agent.exe")
    assert is_short_name_of(short, normalize_folder(FOLDER))
    assert not is_short_name_of(short, normalize_folder("C:\\Program Files\\Initech\\agent.exe"))
    assert not is_short_name_of(short, normalize_folder("C:\\ProgramData\\Globex Remote\\agent.exe"))


@pytest.mark.parametrize(
    "line",
    [
        "C:\\PROGRAM FILES\\GLOBEX\\AGENT.EXE  --run 1204 --log D:\\Users\\Eva\\AppData\\Local\\Temp\\q\\r\\run.log",
        "agent.exe --run 7 --log %TEMP%\\z.log",
    ],
)
def test_a_command_line_is_the_same_with_other_numbers_users_and_temporary_names(line: str) -> None:
    assert normalize_arguments(line, "agent.exe") == normalize_arguments(LINE, "agent.exe")


@pytest.mark.parametrize("line", ["agent.exe", f"{LINE} --proxy 203.0.113.9", "agent.exe -enc " + "JABzAD0A" * 20])
def test_command_lines_with_other_arguments_stay_different(line: str) -> None:
    assert normalize_arguments(line, "agent.exe") != normalize_arguments(LINE, "agent.exe")


def test_encoded_text_is_masked_but_not_removed() -> None:
    assert normalize_arguments("a.exe -enc " + "JABzAD0A" * 20, "a.exe") == "-enc #"
    assert normalize_arguments("a.exe -enc " + "SQBFAFgA" * 90, "a.exe") == "-enc #"


def test_a_program_without_arguments_differs_from_a_missing_command_line() -> None:
    assert normalize_arguments('"C:\\a b\\agent.exe" ', "agent.exe") == "."
    assert normalize_arguments("", "agent.exe") == ""


@pytest.mark.parametrize("name", ["SETUP.EXE", "setup (1).exe", "setup(12).exe", "setup - Copy.exe"])
def test_a_copy_has_the_name_of_the_original(name: str) -> None:
    assert normalize_file_name(name) == "setup.exe"


def test_random_names_are_equal_and_words_are_not() -> None:
    assert normalize_file_name("is-QK3F2.tmp") == normalize_file_name("is-7B2A9C.tmp")
    assert normalize_file_name("svchost.exe") != normalize_file_name("svch0st.exe")


def test_a_user_is_the_same_with_and_without_its_domain() -> None:
    assert (
        normalize_user("ACME\\a.doe", "") == normalize_user("A.Doe", "") == normalize_user("a.doe@acme.example.com", "")
    )
    assert normalize_user("ACME-WKS-7$", "") == normalize_user("SYSTEM", "") == normalize_user("SYSTÈME", "S-1-5-18")


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
def test_the_kind_of_account_is_recognized(user: str, kind: str) -> None:
    assert account_kind(user, "") == kind


def test_a_disposition_is_prevention_or_detection() -> None:
    assert normalize_disposition("2176", "Prevention/Quarantine,process was blocked") == "prevention"
    assert normalize_disposition("2048", "") == normalize_disposition("16", "Prevention, process killed.")
    assert normalize_disposition("0", "") == normalize_disposition("128", "Detection/Quarantine, standard detection")
    assert normalize_disposition("", "") == ""
