"""Each message that docs/troubleshooting.md explains is provoked, word for word."""

import hashlib
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Fault, Server, Tenant
from falcon_emulator.indicators import Draft
from tests.support.command import COMMAND, CommandRunner
from tests.support.raw_server import closed_port, http, raw_server
from tests.support.sampling import quick_first

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)
SINCE_EVER = ("bulk-close", "--product", "epp", "--override", "all", "--yes", "--max", "500")
READ = ("query", "--limit", "1")

Provoked = Callable[[CommandRunner], str]
PROVOKED: dict[str, Provoked] = {}


def provokes(message: str) -> Callable[[Provoked], Provoked]:
    """The message of the page that comes of it."""

    def remember(provoke: Provoked) -> Provoked:
        PROVOKED[message] = provoke
        return provoke

    return remember


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[CommandRunner]:
    tenants = [Tenant(alerts=150, seed=4, customer="acme"), Tenant(alerts=20, seed=5, customer="globex")]
    with Server(tenants) as server:
        yield CommandRunner(tmp_path, server)


@pytest.mark.parametrize("message", quick_first(*MESSAGES, quick=4))
def test_the_message_is_said_as_the_page_has_it(message: str, acme: CommandRunner) -> None:
    said = PROVOKED[message](acme)
    assert re.search(".+".join(map(re.escape, message.split("…"))), said), said


def test_the_page_explains_what_is_provoked_here_and_nothing_else() -> None:
    assert sorted(MESSAGES) == sorted(PROVOKED)


@pytest.mark.slow
def test_where_the_console_ends_the_page_says_how_to_go_on(tmp_path: Path) -> None:
    with Server(Tenant(alerts=10_050, customer="acme")) as server:
        shell = CommandRunner(tmp_path, server)
        assert "100 of 10,050 alerts are shown; --all or --limit N shows more." in said_by(shell, "query")
        assert len(shell("query", "--all", "--format", "jsonl").lines) == 10_050


# How they are provoked


def said_by(shell: CommandRunner, *argv: str, **more: Any) -> str:
    done = shell(*argv, **more)
    return done.err + done.text


def faulty(shell: CommandRunner, *argv: str, endpoint: str = "combined", **fault: Any) -> str:
    """What is said where every request to the endpoint goes wrong."""
    shell.server.call(lambda: shell.tenant.faults.add(Fault(endpoint=endpoint, times=None, **fault)))
    return said_by(shell, *argv)


def with_env(shell: CommandRunner, *argv: str, **values: str) -> str:
    """What is said with other values in acme's file."""
    lines = dict(line.split("=", 1) for line in shell.env_file.read_text().splitlines()) | values
    shell.write_env("customers/acme.env", "".join(f"{key}={value}\n" for key, value in lines.items()))
    return said_by(shell, *argv)


def a_run(shell: CommandRunner) -> str:
    return str(shell.json(*SINCE_EVER)["run_id"])


@contextmanager
def changing(shell: CommandRunner) -> Iterator["subprocess.Popen[bytes]"]:
    """A run whose first batch is on its way and is not answered for long."""
    shell.tenant.switches.latency_patch = 120.0
    process = subprocess.Popen(
        [*COMMAND, *SINCE_EVER, "--customer", "acme"],
        cwd=shell.folder,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not any(request.endpoint == "patch" for request in shell.requests()):
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def untrusted_server(folder: Path) -> Iterator[str]:
    """The URL of a server whose certificate nobody vouches for."""
    files = [str(folder / name) for name in ("key.pem", "certificate.pem")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*made, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[1], files[0])
    listening = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

    greeter = threading.Thread(target=greet)
    greeter.start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        greeter.join()


# Getting in


@provokes("… has mode 644: only you may have access.")
def _(shell: CommandRunner) -> str:
    shell.env_file.chmod(0o644)
    return said_by(shell, *READ)


@provokes("… does not exist.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, *READ, customer="nobody")


@provokes("…, line 3: not a valid KEY=value line.")
def _(shell: CommandRunner) -> str:
    shell.write_env("customers/acme.env", "FALCON_CLIENT_ID=abc\n\nFALCON_CLIENT_SECRET='a'b'\n")
    return said_by(shell, *READ)


@provokes("…: FALCON_CLIENT_SECRET_COMMAND (…) failed with exit code …")
def _(shell: CommandRunner) -> str:
    return with_env(shell, *READ, FALCON_CLIENT_SECRET="", FALCON_CLIENT_SECRET_COMMAND="false")


@provokes("No credentials: …")
def _(shell: CommandRunner) -> str:
    return shell.bare(*READ).err


@provokes("Falcon refuses the login (403): …")
def _(shell: CommandRunner) -> str:
    return with_env(shell, *READ, FALCON_CLIENT_SECRET="another")


@provokes("… (403): … The API client lacks the scope 'Alerts: Read'.")
def _(shell: CommandRunner) -> str:
    shell.tenant.switches.scopes = "alerts:write"
    return said_by(shell, *READ)


@provokes("Falcon refuses a fresh token (401): …")
def _(shell: CommandRunner) -> str:
    return faulty(
        shell, *READ, endpoint="queries", kind="status", status=401, text="access denied, invalid bearer token"
    )


@provokes("These credentials belong to the CID …; FALCON_CID expects ….")
def _(shell: CommandRunner) -> str:
    return with_env(shell, "query", "--test-connection", FALCON_CID="ab" * 16)


@provokes("The alert … belongs to the CID …, not to ….")
def _(shell: CommandRunner) -> str:
    return with_env(shell, *READ, FALCON_CID="ab" * 16)


@provokes("The customer acme was the CID … until now, these credentials are for ….")
def _(shell: CommandRunner) -> str:
    a_run(shell)
    (shell.folder / "customers" / "globex.env").replace(shell.env_file)
    return with_env(shell, *SINCE_EVER, FALCON_CUSTOMER="acme")


@provokes("… may be another customer's copy: …")
def _(shell: CommandRunner) -> str:
    shell.write_env("customers/globex.env", shell.env_file.read_text())
    return said_by(shell, *SINCE_EVER)


# Network


@provokes("Cannot reach Falcon to …: no connection …")
def _(shell: CommandRunner) -> str:
    with closed_port() as port:
        return with_env(shell, *READ, FALCON_BASE_URL=f"http://127.0.0.1:{port}")


@provokes("Cannot reach Falcon to …: Falcon answers 503 …")
def _(shell: CommandRunner) -> str:
    return faulty(shell, *READ, endpoint="queries", kind="status", status=503)


@provokes("The TLS certificate of the Falcon API cannot be verified.")
def _(shell: CommandRunner) -> str:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    with untrusted_server(shell.folder) as url:
        return with_env(shell, *READ, FALCON_BASE_URL=url)


@provokes("Falcon's rate limit is reached: waiting …")
def _(shell: CommandRunner) -> str:
    fault = Fault(kind="rate_limit", endpoint="queries", seconds=100.0)
    shell.server.call(lambda: shell.tenant.faults.add(fault))
    with shell.terminal(*READ) as terminal:
        terminal.wait_for("waiting")
        terminal.type("\x03")
        return terminal.finish().err


@provokes("Falcon keeps refusing to …: Falcon answers 429, too many requests …")
def _(shell: CommandRunner) -> str:
    return faulty(shell, *READ, endpoint="queries", kind="rate_limit", seconds=1.0)


@provokes("The proxy … of HTTPS_PROXY refuses to connect (407): it wants a login.")
def _(shell: CommandRunner) -> str:
    with raw_server(http(b"", status="407 Proxy Authentication Required")) as proxy:
        shell.write_customer("acme", FALCON_BASE_URL="us-2")
        return said_by(shell, *READ, env={"HTTPS_PROXY": proxy.url})


@provokes("HTTPS_PROXY is not the URL of a proxy.")
def _(shell: CommandRunner) -> str:
    shell.write_customer("acme", FALCON_BASE_URL="us-2")
    return said_by(shell, *READ, env={"HTTPS_PROXY": "http://"})


@provokes("… FALCON_MEMBER_CID=… may not be a child of this API client's CID; …")
def _(shell: CommandRunner) -> str:
    return with_env(shell, *READ, FALCON_MEMBER_CID="f" * 32)


# What is found


@provokes("No alert matches: …")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "query", "--product", "no-such-product")


@provokes("… of … alerts are shown; --all or --limit N shows more.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "query")


@provokes("Incomplete: Falcon counted … alerts, … were read; …")
def _(shell: CommandRunner) -> str:
    return faulty(shell, "query", "--all", endpoint="all", kind="wrong_total", count=7)


@provokes("Falcon answers with only part of the data, and the error …: …")
def _(shell: CommandRunner) -> str:
    return faulty(shell, "query", "--all", kind="partial_page", count=3, status=400, text="bad shard")


@provokes("Falcon fails on this filter (500), and answers others: …")
def _(shell: CommandRunner) -> str:
    shell.tenant.switches.failing_fields = "cmdline"
    return said_by(shell, "query", "--filter", "cmdline:'x'")


@provokes("Falcon found … alerts but returned …; …")
def _(shell: CommandRunner) -> str:
    newest = shell.alerts()[0]["composite_id"]
    shell.server.call(lambda: shell.tenant.store.by_id.pop(newest))
    return said_by(shell, "query")


@provokes("Falcon refuses the filter: …")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "query", "--filter", "created_timestamp:*'2026*'")


@provokes("… has entries that are not SHA256 hashes: …")
def _(shell: CommandRunner) -> str:
    shell.write_env("hashes.txt", "d41d8cd98f00b204e9800998ecf8427e\n")
    return said_by(shell, "query", "--hash-file", "hashes.txt")


@provokes("No alert that was read has the field …")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "query", "--filter", "hostnam:'x'")


# Changing


@provokes("Cannot ask for confirmation: not a terminal.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "bulk-close", "--product", "epp")


@provokes("--yes needs a bound.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "bulk-close", "--product", "epp", "--yes")


@provokes("… alerts would be changed, at most … are allowed.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "bulk-close", "--product", "epp", "--dry-run", "--max", "3")


@provokes("Refusing to select every alert; add a filter.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "bulk-close", "--dry-run")


@provokes("nothing to do; all … alerts were skipped or held back")
def _(shell: CommandRunner) -> str:
    a_run(shell)
    return said_by(shell, *SINCE_EVER)


def a_plan(shell: CommandRunner) -> Path:
    said_by(shell, *SINCE_EVER[:5], "--dry-run", "--plan", "epp.plan")
    return shell.folder / "epp.plan"


@provokes("The plan was made … hours ago.")
def _(shell: CommandRunner) -> str:
    a_plan(shell)
    return said_by(shell, "apply", "epp.plan", "--yes", "--plan-ttl", "0h")


@provokes("… is not a complete plan: …")
def _(shell: CommandRunner) -> str:
    plan = a_plan(shell)
    plan.write_bytes(plan.read_bytes().replace(b'"closed"', b'"new"'))
    return said_by(shell, "apply", "epp.plan", "--yes")


@provokes("… was not written by falcon-bulk and is left as it is.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "hash-summary", "-o", str(shell.write_env("notes.md", "Ask Ann.\n")))


@provokes("The journal … is empty, and runs were recorded in it.")
def _(shell: CommandRunner) -> str:
    shell(*SINCE_EVER)
    shell.journal_path.write_bytes(b"")
    return said_by(shell, "runs")


@provokes("… is no plan that falcon-bulk made: …")
def _(shell: CommandRunner) -> str:
    plan = a_plan(shell)
    *lines, _end = plan.read_bytes().splitlines(keepends=True)
    data = b"".join(lines).replace(b'"closed"', b'"new"')
    plan.write_bytes(data + b'{"line":"end","sha256":"%s"}\n' % hashlib.sha256(data).hexdigest().encode())
    return said_by(shell, "apply", "epp.plan", "--yes")


@provokes("The plan was saved without --override ….")
def _(shell: CommandRunner) -> str:
    a_plan(shell)
    return said_by(shell, "apply", "epp.plan", "--yes", "--override", "closed")


@provokes("The plan … was already carried out.")
def _(shell: CommandRunner) -> str:
    a_plan(shell)
    said_by(shell, "apply", "epp.plan", "--yes")
    return said_by(shell, "apply", "epp.plan", "--yes")


@provokes("The plan is for the CID …, these credentials are for ….")
def _(shell: CommandRunner) -> str:
    a_plan(shell)
    return said_by(shell, "apply", "epp.plan", "--yes", customer="globex")


@provokes("The run … is changing alerts of this customer right now.")
def _(shell: CommandRunner) -> str:
    with changing(shell):
        return said_by(shell, *SINCE_EVER)


@provokes("The run … of this customer is unfinished.")
def _(shell: CommandRunner) -> str:
    with changing(shell) as process:
        process.send_signal(signal.SIGKILL)
    return said_by(shell, *SINCE_EVER)


@provokes("partly done; …")
def _(shell: CommandRunner) -> str:
    ids = [alert["composite_id"] for alert in shell.alerts() if alert["status"] == "new"][:2]
    return faulty(
        shell, *SINCE_EVER, endpoint="patch", kind="poison", ids=ids, mode="only_itself", status=400, text="locked"
    )


@provokes("The journal has no run …")
def _(shell: CommandRunner) -> str:
    return said_by(shell, "runs", "show", "nosuchrun")


@provokes("No rule can be drafted: ….")
def _no_draft(acme: CommandRunner) -> str:
    return acme("rules", "draft", "--hash", "a" * 64).err


@provokes("Indicators that detect or prevent are there already: …")
def _(shell: CommandRunner) -> str:
    sha256 = "ab" * 32
    draft = Draft(type="sha256", value=sha256, action="prevent", platforms=["windows"], applied_globally=True)
    tenant = shell.tenant
    shell.server.call(lambda: tenant.indicators.put(tenant.cid, draft, "ann", tenant.clock.now()))
    allow = ("allow-hash", "--hash", sha256, "--platform", "windows", "--global", "--dry-run")
    return said_by(shell, *allow)


@provokes("FALCON_BULK_READ_ONLY is set: nothing is changed.")
def _(shell: CommandRunner) -> str:
    return said_by(shell, *SINCE_EVER, env={"FALCON_BULK_READ_ONLY": "1"})


@provokes("The journal … cannot be used: …")
def _(shell: CommandRunner) -> str:
    a_run(shell)
    (shell.folder / "state" / f"{shell.tenant.cid}.sqlite3").write_bytes(b"no database" * 100)
    return said_by(shell, "runs")


# Anything else


@provokes("This report is not available as ….")
def _(shell: CommandRunner) -> str:
    return said_by(shell, *SINCE_EVER, "--format", "csv")


@provokes("Unexpected ….")
def _(shell: CommandRunner) -> str:
    shell.write_env("sitecustomize.py", "import falcon_bulk.model.clock as broken\ndel broken.SystemClock\n")
    path = f"{shell.folder}:{shell.environment()['PYTHONPATH']}"
    done = shell("query", "--format", "json", env={"PYTHONPATH": path})
    return str(json.loads(done.out)["error"]["message"])
