"""Each command with a sentinel for its secret: looked for in all that is shown, written, sent or left behind."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Fault, Tenant
from tests.support.command import COMMAND, PATIENCE, CommandResult, CommandRunner
from tests.support.command_tree import commands, options
from tests.support.process_hooks import install_hook
from tests.support.rule_builders import rule, rule_file, write_rules
from tests.support.sampling import quick_first
from tests.support.secret_sentinel import assert_not_leaked, forms, guard, tokens

LOUD = ("--debug", "--verbose", "--log-file", "http.log")
CONSENT = ("--yes", "--max", "1000", "--override", "all")
HASH = "ab" * 32

# Each command as it does its work; RUN is a run that was made before, URL a place to notify, OWN a hash of its alerts.
COMMAND_LINES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("query",): ("--all", "--details", "-o", "query.csv"),
    ("close-hash",): ("--hash", HASH, *CONSENT, "--notify", "URL"),
    ("hash-summary",): ("-o", "hashes.html", "--notify", "URL"),
    ("summary",): ("-o", "summary.md"),
    ("overview",): ("-o", "overview.html"),
    ("report",): ("--since", "30d", "-o", "report.html", "--operators"),
    ("bulk-close",): ("--product", "epp", *CONSENT, "-o", "run.json", "--batch-delay", "0", "--notify", "URL"),
    ("apply",): ("saved.plan", "--yes"),
    ("rules",): (),
    ("rules", "lint"): ("-o", "lint.json"),
    ("rules", "list"): ("--format", "csv"),
    ("rules", "test"): ("--since", "90d"),
    ("rules", "run"): ("--yes", "--max", "1000", "--notify", "URL"),
    ("rules", "draft"): ("--hash", "OWN"),
    ("rules", "report"): ("-o", "rules.html"),
    ("rules", "revoke"): ("acme-updater",),
    ("runs",): (),
    ("runs", "list"): ("--format", "html"),
    ("runs", "show"): ("RUN", "--format", "json"),
    ("runs", "abandon"): ("RUN",),
    ("runs", "prune"): ("--older-than", "90d"),
    ("resume",): (),
    ("undo",): ("RUN", "--yes", "--max", "1000", "--batch-delay", "0"),
    ("allow-hash",): ("--hash", HASH, "--platform", "windows", "--global", "--yes", "--max", "9"),
    ("customers",): (),
    ("customers", "list"): ("--format", "csv"),
    ("customers", "check"): ("acme",),
    ("customers", "add"): ("globex",),
    ("customers", "confirm"): ("acme",),
    ("selections",): ("-o", "selections.md"),
    ("doctor",): ("--format", "markdown", "-o", "doctor.md"),
    ("schedule",): ("--weekly", "mon", "07:00", "--", "query", "--customer", "acme"),
    ("completion",): ("bash",),
    ("emulator",): (),
    ("emulator", "switches"): (),
}
# Tests of their own, below: they make their own customer.
OWN_CUSTOMER = {("emulator", "serve"), ("demo",)}
NO_CUSTOMER = ("customers", "completion", "emulator", "schedule")
# What the others need, made without any fault.
FIRST = (
    ("bulk-close", "--set-status", "in_progress", "--product", "idp", *CONSENT),
    ("bulk-close", "--product", "mobile", "--override", "all", "--dry-run", "--plan", "saved.plan"),
)


class Listener:
    """A place that is notified, and what it was told."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.told.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_address[1]}/"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def guarded(acme: Any) -> CommandRunner:
    """A tenant whose API client has the sentinel for its secret, a run and a plan."""
    shell: CommandRunner = acme(alerts=60)
    guard(shell)
    write_rules(shell, rule_file(rule(match={"sha256": [HASH]})))
    for argv in FIRST:
        assert shell(*argv, "--batch-delay", "0").code == 0
    return shell


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a hook that is installed once, in the process that commands are forked from."""
    return Path(install_hook(tmp_path_factory.mktemp("watched"))["PYTHONPATH"])


def from_scratch(shell: CommandRunner, crash: str = "") -> dict[str, str]:
    """Return the environment of commands that are watched, each of which begins from scratch."""
    environment = install_hook(shell.folder, crash)
    environment["PYTHONPATH"] += os.pathsep + shell.environment()["PYTHONPATH"]
    return environment


def type_each(
    shell: CommandRunner, listener: Listener, environment: dict[str, str], chosen: Any = None
) -> dict[tuple[str, ...], CommandResult]:
    """Every command in the order of the table."""
    run = shell.json("runs")["runs"][-1]["run_id"]
    own = max(shell.hashes().items(), key=lambda item: len(item[1]))[0]
    done = {}
    for path, argv in COMMAND_LINES.items():
        if chosen is None or path in chosen:
            words = [{"RUN": run, "URL": listener.url, "OWN": own}.get(word, word) for word in argv]
            loud = [] if path[0] == "emulator" else LOUD
            customer = [] if path[0] in NO_CUSTOMER else ["--customer", "acme"]
            done[path] = shell.bare(*loud, *path, *customer, *words, env=environment, patience=3 * PATIENCE)
    return done


def assert_nothing_told(shell: CommandRunner, listener: Listener, done: dict[tuple[str, ...], CommandResult]) -> None:
    assert tokens(shell)
    (shell.folder / "told.txt").write_bytes(b"\n".join(listener.told))
    assert_not_leaked(shell, *done.values())


def test_no_command_is_left_out() -> None:
    assert set(commands()) == set(COMMAND_LINES) | OWN_CUSTOMER


def test_no_option_takes_a_secret() -> None:
    suspicious = ("secret", "password", "token", "client-id", "client-secret", "credential", "api-key")
    for path, command in commands().items():
        for option in options(command):
            assert not any(word in name for name in option.opts for word in suspicious), (path, option.opts)


@pytest.mark.slow
def test_when_all_goes_well_nothing_is_told(guarded: CommandRunner, listener: Listener) -> None:
    done = type_each(guarded, listener, from_scratch(guarded))
    codes = {path: ended.code for path, ended in done.items() if ended.code}
    # Not a terminal to ask on; the groups alone show their help; these alerts are too varied for a rule.
    expected = {("customers", "add"): 2, ("emulator",): 2, ("rules",): 2, ("rules", "draft"): 7}
    assert codes == expected, [done[path] for path in codes]
    assert len(listener.told) == 4
    for path, ended in done.items():  # otherwise the silence of the log would prove nothing
        assert ("try 1, request" in ended.err) == bool(ended.requests), path
    assert "try 1, request" in (guarded.folder / "http.log").read_text()
    assert_nothing_told(guarded, listener, done)


@pytest.mark.slow
@pytest.mark.parametrize("status", [401, 403, 500])
def test_when_falcon_refuses_nothing_is_told(
    guarded: CommandRunner, listener: Listener, hook: Path, status: int
) -> None:
    for endpoint in ("queries", "entities", "combined", "aggregates", "patch", "indicators"):
        fault = Fault(kind="status", endpoint=endpoint, status=status, text="not for this client", times=None)
        guarded.server.call(lambda fault=fault: guarded.tenant.faults.add(fault))
    guarded.startup = (hook, *guarded.startup)
    trail = guarded.folder / "trail.txt"
    done = type_each(guarded, listener, {"TEST_TRAIL": str(trail)})
    assert trail.read_text(), "it was watched"
    expected = 5 if status == 500 else 4
    assert done["query",].code == done["hash-summary",].code == done["bulk-close",].code == expected, done
    assert_nothing_told(guarded, listener, done)


@pytest.mark.parametrize(
    "command", quick_first("bulk-close", "query", "undo", "customers check", "doctor", "allow-hash")
)
@pytest.mark.parametrize("where", quick_first("reading", "login"))
def test_a_crash_tells_nothing(guarded: CommandRunner, listener: Listener, where: str, command: str) -> None:
    done = type_each(guarded, listener, from_scratch(guarded, where), [tuple(command.split())])
    (ended,) = done.values()
    assert ended.code == 1, ended
    assert "RuntimeError" in ended.err + ended.text  # doctor and a check of customers have it in their tables
    if "Traceback" in ended.err:
        assert "no way to send" in ended.err
        assert "***" in ended.err
    assert_nothing_told(guarded, listener, done)


def test_what_the_hook_writes_down_is_seen(guarded: CommandRunner) -> None:
    """Otherwise its silence would prove nothing."""
    environment = install_hook(guarded.folder)
    code = "import os, subprocess, sys; os.environ['A'] = sys.argv[1]; subprocess.run(['true', sys.argv[1]])"
    subprocess.run(
        [COMMAND[0], "-c", code, tokens(guarded)[0]],
        env=environment | {"PATH": os.environ["PATH"]},
        check=True,
        timeout=PATIENCE,
    )
    with pytest.raises(AssertionError, match="trail"):
        assert_not_leaked(guarded)


@pytest.mark.slow
def test_the_demo_does_not_show_the_secret_it_makes(guarded: CommandRunner) -> None:
    demo = guarded.bare("demo", patience=3 * PATIENCE)
    assert demo.code == 0, demo
    assert b"8. The journal has it all." in demo.out
    secret = Tenant(alerts=1, seed=7, customer="acme").client_secret
    assert not any(form in demo.out + demo.err.encode() for form in forms(secret))


@pytest.mark.slow
def test_a_served_emulator_writes_its_secret_into_the_env_file_alone(guarded: CommandRunner) -> None:
    env_file = guarded.folder / "served.env"
    argv = [*COMMAND, "emulator", "serve", "--alerts", "20", "--write-env", str(env_file)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, env=guarded.environment(), cwd=guarded.folder, **pipes) as serving:
        assert b"Serving the tenant" in (first := serving.stderr.readline())  # type: ignore[union-attr]
        serving.send_signal(signal.SIGTERM)
        out, err = serving.communicate(timeout=PATIENCE)
    secret = dict(line.split("=", 1) for line in env_file.read_text().splitlines())["FALCON_CLIENT_SECRET"]
    assert not any(form in out + first + err for form in forms(secret))
