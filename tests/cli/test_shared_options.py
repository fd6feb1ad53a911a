"""What every command takes, and how a command line is understood."""

from itertools import pairwise
from shlex import split
from typing import Any

import pytest

from falcon_bulk.cli.main import COMMANDS
from tests.support.command import CommandRunner
from tests.support.sampling import quick_first

HEAVY = ("falconpy", "rich", "msgspec", "requests", "aiohttp", "tqdm", "sqlite3", "sqlalchemy")
# Whoever measures coverage loads more than the command does.
TELLING_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1", "COVERAGE_PROCESS_CONFIG": ""}


@pytest.mark.parametrize("command", quick_first(*COMMANDS, quick=4))
def test_help_has_examples_and_loads_nothing_heavy(readable: CommandRunner, command: str) -> None:
    for flag in ("--help", "-h"):
        done = readable.bare(command, flag, env=TELLING_IMPORTS)
        assert done.code == 0, done
        assert "Examples:" in done.text
        assert f"falcon-bulk {command}" in done.text
        loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
        assert "click" in loaded
        assert not loaded & set(HEAVY)


def test_the_overview_lists_every_command_and_loads_none(readable: CommandRunner) -> None:
    done = readable.bare("--help", env=TELLING_IMPORTS)
    assert done.code == 0
    assert all(f"  {command}  " in done.text for command in COMMANDS)
    assert "Examples:" in done.text
    assert "falcon_bulk.cli.commands.query" not in done.err
    assert not any(f" {name}\n" in done.err for name in HEAVY)


@pytest.mark.slow
def test_each_example_in_a_help_is_a_command_line_that_is_understood(readable: CommandRunner) -> None:
    """The customers named do not exist here, so what is left to fail is the env file."""
    for command in ("query", "hash-summary", "close-hash", "bulk-close"):
        lines = [line.strip() for line in readable.bare(command, "--help").text.splitlines()]
        examples = [line for line in lines if line.startswith("falcon-bulk ")]
        assert len(examples) >= 3
        for example in examples:
            words = split(example.replace("SHA256", "ab" * 32))[1:]
            argv = [
                "/dev/null" if before in ("--ids-file", "--hash-file") else word
                for before, word in pairwise(["", *words])
            ]
            done = readable.bare(*argv, "--customers-dir", "elsewhere")
            assert done.code in (2, 4), (example, done)
            assert "elsewhere/acme.env" in done.err or "not a terminal" in done.err or "/dev/null" in done.err, done
            assert not done.requests


@pytest.mark.parametrize("where", ["before", "after", "both"])
def test_a_shared_option_stands_before_or_after_the_command(readable: CommandRunner, where: str) -> None:
    shared = ("--customer", "acme", "--format", "jsonl", "--quiet")
    argv = {
        "before": (*shared, "query", "--limit", "2"),
        "after": ("query", "--limit", "2", *shared),
        "both": (*shared, "query", "--limit", "2", *shared),
    }[where]
    done = readable.bare(*argv)
    assert (done.code, done.err) == (0, "")
    assert len(done.documents) == 2


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [
        ("--format", "json", "csv"),
        ("--env-file", "a.env", "b.env"),
        ("-o", "a.csv", "b.csv"),
        ("--readers", "2", "3"),
    ],
)
def test_two_different_values_are_an_error(readable: CommandRunner, option: str, one: str, other: str) -> None:
    done = readable.bare(option, one, "query", option, other)
    assert done.code == 2, done
    assert "twice" in done.err
    assert not done.requests


def test_two_different_values_after_the_command_are_an_error(readable: CommandRunner) -> None:
    done = readable("query", "--env-file", "customers/globex.env", "--env-file", "customers/acme.env")
    assert done.code == 2, done
    assert "twice" in done.err
    assert not done.requests


@pytest.mark.parametrize(
    ("option", "one", "other"),
    quick_first(
        ("--filter", "name:'EICAR*'", "status:'new'"),
        ("--max", "5", "500"),
        ("--expect", "5", "6"),
        ("--host", "A*", "B*"),
        ("--name", "A*", "B*"),
        ("--since", "7d", "70d"),
        ("--until", "7d", "70d"),
    ),
)
def test_a_second_value_does_not_silently_undo_the_first(
    readable: CommandRunner, option: str, one: str, other: str
) -> None:
    selection = () if option == "--filter" else ("--filter", "status:'new'")
    argv = ("bulk-close", *selection, "--dry-run", option, one)
    done = readable(*argv, option, other)
    assert done.code == 2, done
    assert f"{option} is given twice" in done.err
    assert not done.requests
    assert "twice" not in readable(*argv, option, one).err


@pytest.mark.slow
def test_env_file_and_customer_may_name_the_same_file_but_not_two(readable: CommandRunner) -> None:
    readable.write_env("globex.env", readable.env_file.read_text())
    assert readable("query", "--limit", "1", "--env-file", "customers/acme.env").code == 0
    done = readable("query", "--env-file", "globex.env")
    assert (done.code, done.requests) == (2, [])


@pytest.mark.parametrize(
    "typed", quick_first("qeury", "close_hash", "bulkclose", "hashsummary", "undoo", "Query", quick=2)
)
def test_a_mistyped_command_is_guessed(readable: CommandRunner, typed: str) -> None:
    done = readable.bare(typed)
    assert done.code == 2
    assert f"No such command '{typed}'" in done.err
    assert "Did you mean " in done.err


def test_a_mistyped_option_is_guessed(readable: CommandRunner) -> None:
    done = readable("query", "--stauts", "new")
    assert done.code == 2
    assert "--status" in done.err
    assert not done.requests


@pytest.mark.parametrize(
    "name", quick_first("../acme", "a/b", "", ".hidden", "acme\n", "a" * 65, "acme.env", "-acme", quick=3)
)
def test_a_customers_name_leads_out_of_no_folder(readable: CommandRunner, name: str) -> None:
    done = readable.bare("query", f"--customer={name}")
    assert done.code == 2, done
    assert not done.requests


@pytest.mark.slow
def test_quiet_says_nothing_but_data_and_errors(readable: CommandRunner) -> None:
    assert readable("query", "--quiet").err == ""
    assert readable("query", "-q", "--filter", "status:'none'").err == ""
    assert readable("query", "-q", "--hash", "zz").err.startswith("Error: ")


@pytest.mark.slow
def test_the_process_environment_serves_where_no_customer_is_named(readable: CommandRunner) -> None:
    env = dict(line.split("=", 1) for line in readable.env_file.read_text().splitlines())
    done = readable.bare("query", "--limit", "1", "--format", "jsonl", env=env)
    assert done.code == 0, done
    assert len(done.documents) == 1


@pytest.mark.slow
def test_an_unexpected_error_is_one_line_and_with_debug_a_traceback(readable: CommandRunner) -> None:
    """A broken installation is as unexpected as it gets."""
    broken = readable.folder / "broken-package"
    (broken / "falconpy").mkdir(parents=True, exist_ok=True)
    (broken / "falconpy" / "__init__.py").write_text("raise RuntimeError('no')\n")
    paths = {"PYTHONPATH": f"{broken}:{readable.environment()['PYTHONPATH']}"}
    done = readable("query", env=paths)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "RuntimeError" in done.err
    assert "--debug" in done.err
    debugged = readable("query", "--debug", env=paths)
    assert debugged.code == 1
    assert "Traceback" in debugged.err
    assert readable.tenant.client_secret not in debugged.err


def test_the_version_is_told(readable: CommandRunner) -> None:
    from falcon_bulk import __version__

    done = readable.bare("--version")
    assert (done.code, __version__ in done.text) == (0, True)


@pytest.mark.slow
def test_no_color_reaches_a_terminal_that_wants_none(acme: Any) -> None:
    shell = acme(alerts=40)
    with shell.terminal("query", "--no-color") as terminal:
        plain = terminal.finish()
    with shell.terminal("query") as terminal:
        coloured = terminal.finish()
    assert b"\x1b[" in coloured.out
    assert b"\x1b" not in plain.out
