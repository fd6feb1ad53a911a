"""`-o`: each file is named when it is written; those in a folder are named after customer, day and command."""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.report.formats import FORMATS
from tests.support.command import CommandResult, CommandRunner
from tests.support.sampling import quick_first


def on_one_day(work: Callable[[], CommandResult]) -> tuple[CommandResult, str]:
    """Return what a command left and the day (UTC, YYMMDD) on which it began and ended."""
    while True:
        before = time.strftime("%y%m%d", time.gmtime())
        done = work()
        if time.strftime("%y%m%d", time.gmtime()) == before:
            return done, before


def files(shell: CommandRunner, folder: str = "reports") -> set[str]:
    return {path.name for path in Path(shell.folder, folder).iterdir()}


def test_a_file_is_named_by_customer_day_and_command_and_said(acme: Any) -> None:
    shell: CommandRunner = acme()
    done, day = on_one_day(lambda: shell("hash-summary", "-o", "reports/", "--output-format", "html"))
    assert done.code == 0, done
    assert files(shell) == {f"acme_{day}_hash-summary.html"}
    assert f"Wrote reports/acme_{day}_hash-summary.html.\n" in done.err
    quiet, _ = on_one_day(lambda: shell("summary", "-o", "reports", "--quiet"))
    assert quiet.err == ""


def test_a_file_that_was_named_is_said_too_and_quiet_hides_it(acme: Any) -> None:
    shell: CommandRunner = acme()
    assert "Wrote all.csv.\n" in shell("query", "-o", "all.csv").err
    assert shell("query", "-o", "all.csv", "--quiet").err == ""


def test_other_commands_and_customers_leave_a_file_alone(acme: Any) -> None:
    shell: CommandRunner = acme()
    shell.write_customer("globex", tenant="acme", FALCON_CUSTOMER="acme")
    (shell.folder / "reports").mkdir()
    commands: list[tuple[tuple[str, ...], str]] = [
        (("summary", "--customer", "acme"), "acme_{}_summary.md"),
        (("summary", "--customer", "globex"), "globex_{}_summary.md"),
        (("summary", "--env-file", "customers/acme.env"), "acme_{}_summary.md"),
        (("query", "--customer", "acme"), "acme_{}_query.md"),
        (("runs", "--customer", "acme"), "acme_{}_runs-list.md"),
        (("bulk-close", "--product", "epp", "--dry-run", "--customer", "acme"), "acme_{}_bulk-close.md"),
    ]
    expected: dict[str, bytes] = {}
    for argv, name in commands:
        done, day = on_one_day(partial(shell.bare, *argv, "-o", "reports"))
        assert done.code == 0, done
        written = name.format(day)
        assert f"Wrote reports/{written}.\n" in done.err
        expected[written] = (shell.folder / "reports" / written).read_bytes()
        assert {name: (shell.folder / "reports" / name).read_bytes() for name in expected} == expected
    assert files(shell) == set(expected)


SCHEDULED = ("--", "summary", "--customer", "acme")


@pytest.mark.parametrize(
    ("kind", "argv", "more"),
    quick_first(
        ("schedule", ("schedule", "--daily", "07:00"), SCHEDULED),
        ("doctor", ("doctor", "--customer", "acme"), ()),
        ("customers", ("customers", "check", "acme"), ()),
        ("query", ("query", "--customer", "acme"), ()),
        ("hash-summary", ("hash-summary", "--customer", "acme"), ()),
        ("summary", ("summary", "--customer", "acme"), ()),
        ("run", ("bulk-close", "--customer", "acme", "--product", "epp", "--dry-run"), ()),
        ("runs", ("runs", "--customer", "acme"), ()),
    ),
)
def test_the_same_command_replaces_its_file_in_every_format(
    acme: Any, kind: str, argv: tuple[str, ...], more: tuple[str, ...]
) -> None:
    shell: CommandRunner = acme(alerts=60)
    for fmt in sorted(FORMATS[kind]):
        for _ in range(2):
            done = shell.bare(*argv, "-o", "reports/", "--output-format", fmt, *more)
            assert done.code == 0, (fmt, done)


def test_a_file_about_no_customer_has_none_in_its_name(acme: Any) -> None:
    shell: CommandRunner = acme()
    checked, day = on_one_day(
        lambda: shell.bare("customers", "check", "acme", "-o", "reports/", "--output-format", "json")
    )
    assert checked.code == 0, checked
    shell.write_env(".env", "FALCON_CLIENT_ID=\n")
    examined, _ = on_one_day(lambda: shell.bare("doctor", "-o", "reports/"))
    assert examined.code == 4, examined
    scheduled, _ = on_one_day(
        lambda: shell.bare("schedule", "-o", "reports/", "--daily", "07:00", "--", "summary", "--customer", "acme")
    )
    assert scheduled.code == 0, scheduled
    assert files(shell) == {f"{day}_customers-check.json", f"{day}_doctor.md", f"{day}_schedule.md"}
    written = json.loads((shell.folder / "reports" / f"{day}_customers-check.json").read_text())
    assert written["customers"][0]["customer"] == "acme"
