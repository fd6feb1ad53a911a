"""Values that are typed by mistake are refused in words, before an env file is looked for."""

import pytest

from falcon_bulk.cli.main import main

CLOSE = ("close-hash", "--hash", "0" * 64, "--dry-run", "--env-file", "nowhere.env")


@pytest.mark.parametrize("option", ["--comment", "--assign-to", "--operator", "--tag", "--host"])
@pytest.mark.parametrize("value", ["", " "])
def test_a_value_that_is_blank_was_meant_to_be_something(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CLOSE, option, value]) == 2
    assert "nowhere.env" not in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_no_calendar_has_in_utc_is_no_time(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", option, value, "--env-file", "nowhere.env"]) == 2
    assert f"is not a time for {option}" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("apply", "some.plan", "--plan-ttl"), ("runs", "prune", "--older-than")])
@pytest.mark.parametrize("value", ["", "7", "d", "-1d", "1.5h", "99999w", "7d 2h"])
def test_an_age_is_a_number_and_a_unit(
    command: tuple[str, ...], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, value, "--env-file", "nowhere.env"]) == 2
    assert f"is not an age for {command[-1]}" in capsys.readouterr().err


def test_apply_does_not_advise_an_option_that_it_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "some.plan", "--env-file", "nowhere.env"]) == 2
    said = capsys.readouterr().err
    assert "Add --yes." in said
    assert "--dry-run" not in said


@pytest.mark.parametrize("words", [[], ["emulator"]])
def test_a_group_without_a_command_shows_its_help_and_not_an_escaped_one(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert "Commands:\n" in shown.err
    assert "\\n" not in shown.err
    assert shown.out == ""
