"""A support case can be read from the log: each request, its answer, the tries and what was decided."""

import logging
import os
import re
import stat
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.cli.logging_setup import HEADER, PrivateRotatingFileHandler, SafeFormatter
from falcon_bulk.config.secret import register_secret
from falcon_emulator import Fault
from tests.support.command import COMMAND, PATIENCE, CommandResult, CommandRunner
from tests.support.process_hooks import install_hook

LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<pid>\d+) acme call (?P<call>\d+) (?P<method>[A-Z]+) "
    r"(?P<path>/\S+): try (?P<number>\d+), (?P<what>request|.+)"
)
ANSWER = re.compile(
    r"(?:status (?P<status>\d+), (?P<sent>\d+) bytes sent, (?P<received>\d+) bytes received|no answer), "
    r"(?P<ms>\d+) ms, trace id (?P<trace>\S+): (?P<decision>.+)"
)
CHANGE = ("bulk-close", "--product", "epp", "--yes", "--max", "1000", "--override", "all", "--batch-delay", "0")


def http_lines(text: str) -> list[re.Match[str]]:
    return [found for line in text.splitlines() if (found := LINE.fullmatch(line))]


def decisions(text: str, path: str = "") -> list[re.Match[str]]:
    """The answers in a log, by what was decided, in their order."""
    answers = [line for line in http_lines(text) if line["what"] != "request" and line["path"].startswith(path)]
    found = [ANSWER.fullmatch(line["what"]) for line in answers]
    assert all(found), text
    return [answer for answer in found if answer]


def add_fault(shell: CommandRunner, **fault: Any) -> None:
    shell.server.call(lambda: shell.tenant.faults.add(Fault(**fault)))


def assert_each_request_has_one_answer(text: str, done: CommandResult) -> None:
    lines = http_lines(text)
    tries = [(line["pid"], line["call"], line["number"]) for line in lines]
    requests = Counter(key for key, line in zip(tries, lines, strict=True) if line["what"] == "request")
    answers = Counter(key for key, line in zip(tries, lines, strict=True) if line["what"] != "request")
    assert requests == answers
    assert set(requests.values()) == {1}
    assert len(requests) == len(done.requests)


@pytest.fixture
def shell(acme: Any) -> CommandRunner:
    tenant: CommandRunner = acme(alerts=60)
    return tenant


def test_each_request_is_logged_with_its_answer_and_what_was_decided(shell: CommandRunner) -> None:
    add_fault(shell, kind="status", endpoint="combined", status=503)
    add_fault(shell, kind="drop", endpoint="combined")
    add_fault(shell, kind="rate_limit", endpoint="aggregates")
    add_fault(shell, kind="revoke_token", endpoint="aggregates")
    done = shell("query", "--all", "--debug", "--log-file", "run.log")
    assert done.code == 0, done
    log = (shell.folder / "run.log").read_text()
    for text in (done.err, log):
        assert_each_request_has_one_answer(text, done)
        assert sorted(line[0] for line in http_lines(text)) == sorted(line[0] for line in http_lines(log))
    decided = [answer["decision"] for answer in decisions(log)]
    for start in (
        "answer lost, Falcon answers 503; retry in ",
        "answer lost, the connection broke",
        "rate limit reached; retry in ",
        "token rejected, ",
        "answered",
    ):
        assert any(decision.startswith(start) for decision in decided), decided
    lost = next(answer for answer in decisions(log) if "503" in answer["decision"])
    assert lost["status"] == "503"
    answered = [answer for answer in decisions(log, "/alerts/") if answer["decision"] == "answered"]
    assert answered
    assert "none" not in {answer["trace"] for answer in answered}


def test_a_change_whose_answer_is_lost_is_seen_in_the_log(shell: CommandRunner) -> None:
    add_fault(shell, kind="drop", endpoint="patch", applied=True)
    done = shell(*CHANGE, "--log-file", "run.log")
    assert done.code == 0, done
    assert "call" not in done.err
    log = (shell.folder / "run.log").read_text()
    assert_each_request_has_one_answer(log, done)
    (lost, *_) = decisions(log, "/alerts/entities/alerts/v3")
    assert lost["status"] is None
    assert lost["decision"].startswith("AnswerLost: The answer to a change was lost")


def test_the_error_that_ended_a_command_is_in_the_file(shell: CommandRunner) -> None:
    add_fault(shell, kind="status", endpoint="token", status=403, text="no\x1b[2J\u202e", times=None)
    done = shell("query", "--debug", "--log-file", "run.log")
    assert done.code == 4
    log = (shell.folder / "run.log").read_text()
    assert r"no\x1b[2J\u202e" in log
    assert not {"\x1b", "\u202e"} & set(log + done.err)
    assert " exit 4: Falcon refuses the login (403)" in log


def test_a_traceback_is_in_the_file_without_debug(shell: CommandRunner) -> None:
    environment = install_hook(shell.folder, "reading")
    environment["PYTHONPATH"] += os.pathsep + shell.environment()["PYTHONPATH"]
    done = shell("query", "--log-file", "run.log", env=environment)
    assert done.code == 1
    assert "Traceback" not in done.err
    log = (shell.folder / "run.log").read_text()
    assert " exit 1: Unexpected RuntimeError." in log
    assert "Traceback (most recent call last)" in log
    assert "RuntimeError: no way to send" in log
    assert "Bearer ***" in log


def test_neither_values_of_parameters_nor_headers_are_logged(shell: CommandRunner) -> None:
    done = shell("query", "--filter", "name:'Acme*'", "--count", "--debug", "--log-file", "run.log")
    assert done.code == 0, done
    text = done.err + (shell.folder / "run.log").read_text()
    assert "Acme*" not in text
    assert "?" in text
    for secret in ("Bearer", "Authorization", shell.tenant.client_id):
        assert secret not in text


def test_runs_add_to_one_file_that_only_its_owner_can_read(shell: CommandRunner) -> None:
    for _ in range(2):
        assert shell("query", "--count", "--log-file", "run.log").code == 0
    path = shell.folder / "run.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    log = path.read_text()
    assert log.count(" exit 0: ") == 2
    assert log.startswith(f"{HEADER}\n")
    assert log.count(HEADER) == 1
    assert len({line["pid"] for line in http_lines(log)}) == 2


def _link(folder: Path) -> None:
    (folder / "other").write_text(f"{HEADER}\n")
    (folder / "other").chmod(0o600)
    (folder / "bad.log").symlink_to("other")


def _open_to_others(folder: Path) -> None:
    (folder / "bad.log").write_text(f"{HEADER}\n")
    (folder / "bad.log").chmod(0o644)


def _not_a_log(folder: Path) -> None:
    (folder / "bad.log").write_text("FALCON_CID=\n")
    (folder / "bad.log").chmod(0o600)


@pytest.mark.parametrize(
    ("name", "prepare"),
    [
        ("bad.log", _link),
        ("bad.log", _open_to_others),
        ("bad.log", _not_a_log),
        ("bad.log", lambda folder: (folder / "bad.log").mkdir()),
        ("bad.log", lambda folder: os.mkfifo(folder / "bad.log", 0o600)),
        ("missing/bad.log", lambda _: None),
    ],
)
def test_a_file_that_cannot_be_the_log_is_refused_before_any_request(
    readable: CommandRunner, name: str, prepare: Any, tmp_path: Path
) -> None:
    prepare(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    done = readable("query", "--log-file", str(tmp_path / name))
    assert (done.code, done.requests) == (2, []), done
    assert "Cannot write the log file" in done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def _record(message: str) -> logging.LogRecord:
    return logging.LogRecord("falcon_bulk", logging.DEBUG, "", 0, message, None, None)


def test_rotated_files_stay_private(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        handler = PrivateRotatingFileHandler(tmp_path / "run.log", max_bytes=200)
        for number in range(40):
            handler.emit(_record(f"line {number} {'x' * 30}"))
        handler.close()
    finally:
        os.umask(former)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["run.log", *(f"run.log.{number}" for number in range(1, 6))]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert all(path.read_text().startswith(HEADER) for path in files)


def test_a_link_planted_while_it_runs_is_not_followed(tmp_path: Path) -> None:
    handler = PrivateRotatingFileHandler(tmp_path / "run.log", max_bytes=200)
    victim = tmp_path / "victim"
    victim.touch(mode=0o600)
    handler.emit(_record("x" * 150))
    handler.close()
    (tmp_path / "run.log").unlink()
    (tmp_path / "run.log").symlink_to(victim)
    handler.stream = None  # type: ignore[assignment]  # as after a rotation
    handler.emit(_record("y" * 150))
    assert victim.read_text() == ""


def test_a_full_disk_stops_nothing(readable: CommandRunner, tmp_path: Path) -> None:
    handler = PrivateRotatingFileHandler(tmp_path / "run.log")
    with Path("/dev/full").open("wb") as full:
        with handler.stream as stream:
            room = os.dup(stream.fileno())
            os.dup2(full.fileno(), stream.fileno())
            handler.emit(_record("lost"))
            os.dup2(room, stream.fileno())
        os.close(room)
        done = subprocess.run(
            [*COMMAND, "query", "--customer", "acme", "--count", "--debug"],
            stdout=subprocess.PIPE,
            stderr=full,
            cwd=readable.folder,
            env=readable.environment(),
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stdout != b"") == (0, True)


def test_a_line_holds_no_secret_and_no_invisible_character() -> None:
    register_secret("t0ken-of-acme")
    text = SafeFormatter().format(_record("a t0ken-of-acme\x1b[2J\u202e\nb"))
    assert text.endswith("a ***\\x1b[2J\\u202e\nb")
