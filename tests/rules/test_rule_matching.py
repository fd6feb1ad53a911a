"""Which alerts a rule's globs, paths and severities fit."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.closing_rule import RuleExpect, RuleMatch
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.operations.rules.alert_facts import AlertFacts
from falcon_bulk.operations.rules.globs import comparable, comparable_path, compile_glob, compile_path_glob
from falcon_bulk.operations.rules.matching import AlertTexts, is_expected, matches
from tests.support.rule_builders import updater_group

FOLDER = r"\Program Files\Vendor\*"


@pytest.mark.parametrize(
    ("glob", "path", "fit"),
    [
        (FOLDER, r"\Program Files\Vendor\updater.exe", True),
        (FOLDER, r"\Device\HarddiskVolume3\PROGRAM files\vendor\Updater.exe", True),
        (FOLDER, r"C:\Program Files\Vendor\updater.exe", True),
        (FOLDER, r"\Program Files\Vendor\bin\updater.exe", False),
        (FOLDER, r"\Program Files\Vendor", False),
        (FOLDER, r"\Program Files\Vendor\..\..\Temp\updater.exe", False),
        (FOLDER, r"\Users\eve\Program Files\Vendor\updater.exe", False),
        (FOLDER, r"\\server\share\Program Files\Vendor\updater.exe", False),
        (FOLDER, r"\Device\HarddiskVolumeShadowCopy1\Program Files\Vendor\updater.exe", False),
        (FOLDER, r"\Device\Mup\Program Files\Vendor\updater.exe", False),
        (FOLDER, r"\\?\C:\Program Files\Vendor\updater.exe", False),
        (FOLDER, "", False),
        (r"\Program Files\Vendor\**", r"\Program Files\Vendor\updater.exe", True),
        (r"\Program Files\Vendor\**", r"\Program Files\Vendor\a\b\updater.exe", True),
        (r"\Program Files\Vendor\**", r"\Program Files\Vendor\a\..\..\..\x.exe", False),
        (r"\Program Files\Vendor\**", r"\Program Files\VendorX\a.exe", False),
        (r"\Users\*\AppData\Local\Vendor\v?.exe", r"\Users\ann\AppData\Local\Vendor\v2.exe", True),
        (r"\Users\*\AppData\Local\Vendor\v?.exe", r"\Users\ann\x\AppData\Local\Vendor\v2.exe", False),
        (r"\Users\*\AppData\Local\Vendor\v?.exe", "\\Users\\ann\\AppData\\Local\\Vendor\\v\\.exe", False),
        ("/opt/vendor/*", "/opt/vendor/agent", True),
        ("/opt/vendor/*", "/opt/vendor/bin/agent", False),
        ("/opt/vendor/**", "/opt/vendor/bin/agent", True),
        (r"\Program Files (x86)\[Vendor]\*", r"\Program Files (x86)\[Vendor]\x", True),
    ],
)
def test_a_path_begins_at_the_root_and_a_star_stays_in_its_folder(glob: str, path: str, fit: bool) -> None:
    assert fits_path(glob, path) is fit


@pytest.mark.parametrize(
    ("glob", "text", "fit"),
    [
        ("updater.exe", "UPDATER.EXE", True),
        ("updater.exe", "updaterXexe", False),
        ("updater.exe", "my-updater.exe", False),
        ("*/silent*", "updater.exe /silent /log", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("*", "", False),
        ("straße*", "STRASSE 1", True),
        ("line*two", "line\ntwo", True),
    ],
)
def test_a_glob_fits_a_whole_text_without_case(glob: str, text: str, fit: bool) -> None:
    assert fits(glob, text) is fit


@given(st.lists(st.sampled_from(["a", "b", "ab", "*", "?", "\\", "."]), max_size=8), st.text("ab\\.", max_size=12))
def test_a_glob_fits_what_the_shells_rule_fits(parts: list[str], text: str) -> None:
    from fnmatch import fnmatchcase

    glob = "".join(parts)
    assert fits(glob, text) is (bool(text) and fnmatchcase(text, glob))


def test_no_command_line_makes_a_glob_slow() -> None:
    glob = "*" + "a*" * 12 + "b"
    begun = time.process_time()
    assert not fits(glob, "a" * 32_000)
    assert time.process_time() - begun < 5, "each part is looked for once, and not in all combinations"


def fits(glob: str, text: str) -> bool:
    return bool(text) and compile_glob(glob).fullmatch(comparable(text)) is not None


def fits_path(glob: str, path: str) -> bool:
    known = comparable_path(path)
    return bool(known) and compile_path_glob(glob).fullmatch(known) is not None


def facts(**changed: Any) -> AlertTexts:
    values: dict[str, Any] = {
        "composite_id": "a:ind:b:1",
        "sha256": ("ab" * 32,),
        "name": "MLSensor-High",
        "pattern_id": "10304",
        "product": "epp",
        "path": r"\Device\HarddiskVolume3\Program Files\Vendor\updater.exe",
        "filename": "updater.exe",
        "cmdline": "updater.exe /silent",
        "parent": "services.exe",
        "hosts": ("ACME-WKS-1", "acme-wks-1.acme.example"),
        "user": "SYSTEM",
        "disposition": ("Detection, standard detection.", "0"),
        "severity": 2,
    }
    return AlertTexts(AlertFacts(**values | changed))


def test_all_keys_must_fit_and_one_value_of_each() -> None:
    match = RuleMatch(name=("Other", "mlsensor-*"), product=("epp",), pattern_id=("1", "10304"))
    assert matches(match, facts())
    assert not matches(match, facts(product="idp"))
    assert not matches(RuleMatch(sha256=("cd" * 32,)), facts())


@pytest.mark.parametrize("field", ["path", "filename", "cmdline", "parent", "user"])
def test_a_missing_field_is_not_expected(field: str) -> None:
    value = {"path": r"\Program Files\Vendor\*", "parent": "services.exe", "user": "SYSTEM"}.get(field, "updater.exe*")
    expect = RuleExpect(**{field: (value,)})
    assert is_expected(expect, facts())
    assert not is_expected(expect, facts(**{field: ""}))


def test_every_host_that_an_alert_names_must_fit() -> None:
    assert is_expected(RuleExpect(host=("acme-wks-*",)), facts())
    assert not is_expected(RuleExpect(host=("acme-wks-1",)), facts())
    assert not is_expected(RuleExpect(host=("acme-*",)), facts(hosts=()))


def test_a_disposition_fits_by_its_description_or_its_number() -> None:
    for value in ("detection*", "0"):
        assert is_expected(RuleExpect(disposition=(value,)), facts())
    assert not is_expected(RuleExpect(disposition=("prevention*",)), facts())


def test_an_interpreter_is_expected_only_by_its_command_line() -> None:
    shell = facts(filename="powershell.exe", cmdline="powershell.exe -File vendor.ps1", is_interpreter=True)
    assert not is_expected(RuleExpect(parent=("services.exe",)), shell)
    assert is_expected(RuleExpect(parent=("services.exe",), cmdline=("*vendor.ps1",)), shell)


@pytest.mark.parametrize(
    ("name", "number", "severity"),
    [
        ("Medium", 50, 2),
        ("Low", 90, 4),
        ("Critical", 10, 4),
        (" high ", None, 3),
        (None, 30, 1),
        ("", 30, 1),
        (None, None, None),
        ("Severe", 10, None),
        ("Medium", "50", None),
    ],
)
def test_the_severity_is_the_worse_of_name_and_number(name: Any, number: Any, severity: int | None) -> None:
    import msgspec

    (document,) = updater_group("severity").ordinary(1, severity=number, severity_name=name).group().documents
    alert = decode_alert(msgspec.json.encode(document))
    read = AlertFacts.of(alert, own_hashes(alert))
    assert read.severity == severity
    expect = RuleExpect(max_severity="medium")
    assert is_expected(expect, AlertTexts(read)) is (severity is not None and severity <= 2)


def test_a_file_that_is_an_interpreter_by_its_path_alone_is_one() -> None:
    import msgspec

    path = "\\Device\\HarddiskVolume3\\Tools\\PowerShell.exe"
    (document,) = updater_group("renamed").ordinary(1, path=path, filename=...).group().documents
    alert = decode_alert(msgspec.json.encode(document))
    assert AlertFacts.of(alert, own_hashes(alert)).is_interpreter
