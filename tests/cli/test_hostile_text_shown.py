"""What attackers wrote into names, hosts and command lines reaches no terminal and no pipe as it stands."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Fault, Server, Tenant
from tests.support.command import CommandRunner, without_styling
from tests.support.sampling import quick_first

UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    """A tenant in which every alert bears a text of an attacker's."""
    tenant = Tenant(alerts=2500, seed=13)
    for alert in tenant.store.newest_first:
        world = tenant.generator.worlds[alert.cid].hostile[alert.kind]
        alert.parts = world.parts(alert.salt)
        alert.hostile = True
    with Server(tenant) as server:
        yield CommandRunner(tmp_path_factory.mktemp("hostile"), server)


def assert_all_seen(text: str) -> None:
    """Nothing but line feeds is invisible or moves the cursor."""
    unseen = {f"U+{ord(c):04X}" for c in text if c != "\n" and unicodedata.category(c) in UNSEEN}
    assert not unseen


def as_shown(screen: bytes) -> str:
    """What a terminal was sent, without the carriage returns that it adds itself."""
    return screen.decode().replace("\r\n", "\n")


def test_colours_are_the_only_escapes_that_a_terminal_gets(hostile: CommandRunner) -> None:
    with hostile.terminal("query", "--limit", "400", columns=400) as terminal:
        done = terminal.finish()
    for escape in (b"\x1b[31mred", b"\x1b[0m\x07", b"\xc2\x9b"):
        assert escape not in done.out
    assert_all_seen(without_styling(done.out))


@pytest.mark.parametrize("fmt", quick_first("csv", "table", "markdown"))
def test_nothing_unseen_reaches_a_pipe(hostile: CommandRunner, fmt: str) -> None:
    done = hostile("query", "--all", "--format", fmt, "--details")
    assert done.code == 0, done
    assert_all_seen(done.text)
    assert_all_seen(done.err)
    assert "31mred" in done.text
    assert "u202efdp" in done.text


@pytest.mark.parametrize("fmt", quick_first("table", "markdown", "csv"))
def test_nothing_unseen_reaches_a_terminal(hostile: CommandRunner, fmt: str) -> None:
    for command in (("query", "--limit", "400", "--details"), ("hash-summary",)):
        with hostile.terminal(*command, "--format", fmt, "--no-color", "--no-progress", columns=400) as terminal:
            done = terminal.finish()
        assert done.code == 0
        assert_all_seen(as_shown(done.out))


@pytest.mark.slow
@pytest.mark.parametrize("fmt", ["json", "jsonl"])
def test_documents_on_a_terminal_are_escaped_and_mean_the_same(hostile: CommandRunner, fmt: str) -> None:
    with hostile.terminal("query", "--limit", "200", "--format", fmt, "--no-progress") as terminal:
        done = terminal.finish()
    assert_all_seen(as_shown(done.out))
    assert "\\u202e" in done.out.decode()


@pytest.mark.slow
def test_nothing_unseen_reaches_a_file_but_json(hostile: CommandRunner) -> None:
    for suffix in (".txt", ".md", ".csv"):
        file: Path = hostile.folder / f"out{suffix}"
        assert hostile("query", "--all", "-o", str(file), "--quiet").code == 0
        assert_all_seen(file.read_text())


def test_no_cell_of_a_csv_is_a_formula(hostile: CommandRunner) -> None:
    done = hostile("query", "--all", "--fields", "name,device.hostname,cmdline,user_name", "--format", "csv")
    cells = [cell for row in csv.reader(io.StringIO(done.text)) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(FORMULA_STARTS)]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_a_preview_and_a_question_show_nothing_unseen(hostile: CommandRunner) -> None:
    with hostile.terminal(
        "bulk-close", "--since", "5000d", "--override", "all", "--no-color", "--no-progress"
    ) as terminal:
        terminal.wait_for(" alerts:")
        terminal.type("no\n")
        done = terminal.finish()
    assert done.code == 3
    assert_all_seen(as_shown(done.out))


@pytest.mark.slow
def test_what_a_user_typed_is_shown_harmlessly_too(hostile: CommandRunner) -> None:
    for argv in (
        ("query", "--hash", "\x1b[2J\u202e"),
        ("query", "--filter", "name:'\u202e\x1b[2J'"),
        ("query", "--customer", "\x1b[2J"),
        ("query", "--customer", "acme", "--env-file", "a\x1b[2J.env"),
        ("\x1b[2J",),
    ):
        done = hostile.bare(*argv, *(("--customer", "acme") if "--customer" not in argv else ()))
        assert_all_seen(done.err)
        assert_all_seen(done.text)


def test_what_falcon_says_is_shown_harmlessly(acme: Any) -> None:
    shell = acme(alerts=20)
    words = "\x1b[2J[red]no[/red]\u202e\r\nHint: rm -rf /"
    shell.server.call(
        lambda: shell.tenant.faults.add(Fault(kind="status", endpoint="queries", status=400, text=words, times=None))
    )
    done = shell("query")
    assert done.code == 2
    assert_all_seen(done.err)
    assert "[red]no[/red]" in done.err
    assert len(done.err.splitlines()) == 2
