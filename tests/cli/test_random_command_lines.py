"""Whatever is typed: an exit code of the table, no traceback, and no change without consent."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from falcon_bulk.cli.main import main
from falcon_bulk.errors import ExitCode
from falcon_emulator import Server, Tenant
from falcon_emulator.request_log import Request
from tests.support.command import CommandRunner
from tests.support.random_command_lines import CONSENT, RUN, command_lines

BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
STDIN = st.sampled_from([b"", b"acme 60\n", b"no\n", b"\xff\x00", b"[", b"ab:ind:cd\n"])


class Typing(NamedTuple):
    """Where command lines are typed, and the run that they may name."""

    shell: CommandRunner
    run: str


class Ended(NamedTuple):
    code: int
    out: bytes
    err: str


@pytest.fixture(scope="module")
def typing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typing]:
    with Server(Tenant(alerts=60, seed=3)) as server:
        shell = CommandRunner(tmp_path_factory.mktemp("typed"), server)
        (shell.folder / "ids.txt").write_text("\n".join(alert["composite_id"] for alert in shell.alerts()[:5]))
        (shell.folder / "reports").mkdir()
        first = shell.json("bulk-close", "--set-status", "in_progress", "--status", "new", *CONSENT)
        shell.json("bulk-close", "--set-status", "reopened", "--since", "5000d", "--dry-run", "--plan", "lab.plan")
        yield Typing(shell, first["run_id"])


@contextmanager
def as_a_command(shell: CommandRunner, stdin: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """Give this process the folder, the environment and the standard streams of a command."""
    former = Path.cwd(), dict(os.environ), (sys.stdin, sys.stdout, sys.stderr)
    out, err = io.BytesIO(), io.BytesIO()
    os.chdir(shell.folder)
    environment = shell.environment()
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), "utf-8", "surrogateescape")
    sys.stdout = io.TextIOWrapper(out, "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True)
    try:
        yield out, err
    finally:
        sys.stdin, sys.stdout, sys.stderr = former[2]
        os.environ.clear()
        os.environ.update(former[1])
        os.chdir(former[0])


def typed(shell: CommandRunner, argv: list[str], stdin: bytes) -> Ended:
    with as_a_command(shell, stdin) as (out, err):
        return Ended(main(argv), out.getvalue(), err.getvalue().decode())


def is_writing(request: Request) -> bool:
    return request.endpoint != "token" and (
        request.method in ("PATCH", "DELETE", "PUT") or (request.endpoint == "indicators" and request.method == "POST")
    )


def consents(argv: list[str]) -> bool:
    """True if the words of consent are there; apply has its bound in the plan."""
    bound = any(word.startswith(("--max", "--expect")) for word in argv)
    return "--yes" in argv and (bound or "apply" in argv)


def assert_behaved(ended: Ended, argv: list[str], requests: list[Request]) -> None:
    assert ended.code in set(ExitCode), ended
    assert ended.code != ExitCode.UNEXPECTED or "Reading or writing failed" in ended.err, ended
    assert "Traceback" not in ended.err
    assert "Unexpected" not in ended.err
    assert consents(argv) or not any(map(is_writing, requests))
    assert ended.code in (ExitCode.DONE, ExitCode.EMPTY) or ended.err or ended.out


def try_in_this_process(typing: Typing, argv: list[str], stdin: bytes) -> None:
    argv = [word.replace(RUN, typing.run) for word in argv]
    before = typing.shell.request_count()
    ended = typed(typing.shell, argv, stdin)
    assert_behaved(ended, argv, typing.shell.requests()[before:])


@BOUNDED
@given(argv=command_lines(), stdin=STDIN)
@example(argv=["bulk-close", "--since", "5000d", "--customer", "acme"], stdin=b"acme 60\n")
@example(argv=["close-hash", "--hash", "ab" * 32, "--customer", "acme", "--yes"], stdin=b"")
@example(argv=["bulk-close", "--ids-file", "ids.txt", "--customer", "acme", "--yes", "--max", "nan"], stdin=b"")
@example(argv=[], stdin=b"")
def test_no_command_line_changes_anything_without_consent_or_ends_in_a_traceback(
    typing: Typing, argv: list[str], stdin: bytes
) -> None:
    try_in_this_process(typing, argv, stdin)


@pytest.mark.slow
@settings(BOUNDED, max_examples=2500)
@given(argv=command_lines(), stdin=STDIN)
def test_nor_does_any_of_thousands(typing: Typing, argv: list[str], stdin: bytes) -> None:
    try_in_this_process(typing, argv, stdin)


@pytest.mark.slow
@settings(BOUNDED, max_examples=250)
@given(argv=command_lines(), stdin=st.one_of(st.none(), STDIN))
def test_in_a_process_of_its_own_too(typing: Typing, argv: list[str], stdin: bytes | None) -> None:
    words = [word.replace(RUN, typing.run) for word in argv]
    done = typing.shell.bare(*words, given=stdin)
    assert_behaved(Ended(done.code, done.out, done.err), words, done.requests)


def test_a_command_line_that_consents_does_change_something(typing: Typing) -> None:
    """Otherwise the silence of the others would prove nothing."""
    shell = typing.shell
    before = shell.request_count()
    ids = shell.folder / "one.txt"
    ids.write_text(next(alert["composite_id"] for alert in shell.alerts() if alert["status"] != "closed"))
    argv = ["bulk-close", "--ids-file", "one.txt", "--override", "all", *CONSENT, "--customer", "acme"]
    assert typed(shell, argv, b"").code == ExitCode.DONE
    assert any(map(is_writing, shell.requests()[before:]))
