"""What is said about refused scopes, regions, deprecated endpoints and trace ids, and about a proxy in between."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import SOURCE, CommandResult, CommandRunner, serve_customers

READ = ("query", "--limit", "1")
SECRET = "pr0xy-s3cret"


class RefusingProxy:
    """A proxy on loopback that answers each CONNECT with the same status, and counts them."""

    def __init__(self, status: str) -> None:
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connects = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, login: str = f"ada:{SECRET}@") -> str:
        return f"http://{login}127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                if connection.recv(65536).startswith(b"CONNECT"):
                    self.connects += 1
                    connection.sendall(f"HTTP/1.1 {self._status}\r\nContent-Length: 0\r\n\r\n".encode())


@contextmanager
def refusing_proxy(status: str) -> Iterator[RefusingProxy]:
    proxy = RefusingProxy(status)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[CommandRunner]:
    """Two customers whose files name a real cloud, which only a proxy could reach."""
    with serve_customers(tmp_path, "acme", "globex", alerts=20) as shell:
        for name in ("acme", "globex"):
            shell.write_customer(name, FALCON_BASE_URL="us-2")
        yield shell


@pytest.fixture
def acme(tmp_path: Path) -> Any:
    @contextmanager
    def acme(**switches: Any) -> Iterator[CommandRunner]:
        with serve_customers(tmp_path, alerts=60, **switches) as shell:
            yield shell

    return acme


def has_no_secret(done: CommandResult) -> bool:
    return SECRET not in done.err + done.text


# The proxy


@pytest.mark.parametrize(
    ("status", "reason"),
    [("407 Proxy Authentication Required", "(407): it wants a login"), ("403 Forbidden", "(403): it does not allow")],
)
def test_a_proxy_that_refuses_is_asked_once_and_named(shell: CommandRunner, status: str, reason: str) -> None:
    with refusing_proxy(status) as proxy:
        done = shell(*READ, env={"HTTPS_PROXY": proxy.url()})
    assert (done.code, proxy.connects) == (5, 1), done
    assert reason in done.err
    assert f"127.0.0.1:{proxy.port} of HTTPS_PROXY" in done.err
    assert has_no_secret(done)


def test_no_other_customer_asks_a_proxy_that_has_refused(shell: CommandRunner) -> None:
    with refusing_proxy("407 Proxy Authentication Required") as proxy:
        done = shell.bare(
            "query",
            "--all-customers",
            "--parallel-customers",
            "1",
            "--format",
            "json",
            env={"HTTPS_PROXY": proxy.url()},
        )
    assert (done.code, proxy.connects) == (5, 1), done
    assert [customer["exit_code"] for customer in done.document["customers"]] == [5, 5]
    assert all("(407)" in customer["error"]["message"] for customer in done.document["customers"])
    assert has_no_secret(done)


def test_a_proxy_that_may_recover_is_asked_again(shell: CommandRunner) -> None:
    with refusing_proxy("503 Service Unavailable") as proxy:
        done = shell(*READ, env={"HTTPS_PROXY": proxy.url()})
    assert (done.code, proxy.connects) == (5, 5), done


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY is not the URL of a proxy."),
        ("HTTPS_PROXY", f"http://ada:{SECRET}@proxy.example.com:port", "HTTPS_PROXY is not the URL of a proxy."),
        ("ALL_PROXY", f"ftp://ada:{SECRET}@proxy.example.com", "ALL_PROXY is not the URL of a proxy."),
        ("ALL_PROXY", f"socks5://ada:{SECRET}@proxy.example.com:1080", "ALL_PROXY names a SOCKS proxy"),
        ("https_proxy", "socks5h://127.0.0.1:1080", "HTTPS_PROXY names a SOCKS proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(
    shell: CommandRunner, variable: str, value: str, says: str
) -> None:
    (shell.folder / "sitecustomize.py").write_text("import sys\nsys.modules['socks'] = None\n")
    done = shell(*READ, env={variable: value, "PYTHONPATH": f"{SOURCE}:{shell.folder}"})
    assert done.code == 5, done
    assert says in done.err
    assert has_no_secret(done)


def test_doctor_tries_the_proxy_and_then_nothing_else(shell: CommandRunner) -> None:
    with refusing_proxy("407 Proxy Authentication Required") as proxy:
        done = shell("doctor", "--format", "json", env={"HTTPS_PROXY": proxy.url()})
    checks = {check["name"]: check for check in done.document["checks"]}
    assert (done.code, proxy.connects) == (5, 1), done
    assert checks["proxy"]["status"] == "fail"
    assert "HTTPS_PROXY" in checks["proxy"]["what"]
    assert checks["login"]["status"] == checks["reading"]["status"] == "skipped"
    assert has_no_secret(done)


def test_doctor_says_which_proxy_connects(shell: CommandRunner) -> None:
    with refusing_proxy("200 Connection established") as proxy:
        done = shell("doctor", "--format", "json", env={"https_proxy": proxy.url("")})
    checks = {check["name"]: check for check in done.document["checks"]}
    assert checks["proxy"]["what"] == f"127.0.0.1:{proxy.port} of HTTPS_PROXY connects"


# Scopes and regions


def test_a_401_to_a_change_alone_names_its_scope_first(acme: Any) -> None:
    with acme(scopes="alerts:read", missing_scope="401") as shell:
        done = shell(*shell.close_command(shell.untouched_ids(2)))
    assert done.code == 4, done
    hint = done.err.partition("Hint: Other requests")[2]
    assert 0 < hint.index("'Alerts: Write'") < hint.index("FALCON_BASE_URL")


def test_a_401_to_every_request_names_the_region_and_the_scope(acme: Any) -> None:
    with acme(login_region="us-2") as shell:
        done = shell(*READ)
    assert done.code == 4, done
    assert len(done.to("token")) == 2  # from loopback no login moves to a real cloud
    assert "the login names us-2" in done.err
    assert "'Alerts: Read'" in done.err


@pytest.mark.parametrize(
    ("text", "hint"),
    [("scope_403", "Hint: Add the scope 'Alerts: Read'"), ("authorization_403", "check its IP allow-list")],
)
def test_the_two_texts_of_a_403_get_their_own_hints(acme: Any, text: str, hint: str) -> None:
    with acme(scopes="alerts:write", missing_scope=text) as shell:
        done = shell(*READ)
    assert done.code == 4, done
    assert hint in done.err
    assert "'Alerts: Read'" in done.err


def test_a_403_at_login_names_the_member_cid(acme: Any) -> None:
    with acme() as shell:
        shell.write_customer("acme", FALCON_MEMBER_CID="f" * 32)
        done = shell(*READ)
    assert done.code == 4, done
    assert f"FALCON_MEMBER_CID={'f' * 32} may not be a child" in done.err


# Trace ids and deprecations


@pytest.mark.parametrize(
    "switches",
    [
        {"failing_fields": "severity"},
        {"combined_mode": "refuse_403"},
        {"scopes": "ioc:read"},
        {"scopes": "ioc:read", "missing_scope": "401"},
        {"ip_allowed": False},
        {"partial_pages": "always", "partial_code": 400},
    ],
    ids=str,
)
def test_every_error_of_falcon_has_its_trace_id(acme: Any, switches: dict[str, Any]) -> None:
    with acme(**switches) as shell:
        done = shell("query", "--all", "--filter", "severity:>1", "--format", "json")
    assert done.code in (2, 4, 5), done
    trace_id = json.loads(done.out)["error"]["trace_id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", trace_id)
    assert f"(trace id {trace_id})" in done.err


def test_deprecated_endpoints_are_told_by_verbose_and_doctor(acme: Any) -> None:
    with acme(deprecation="use v9") as shell:
        assert "deprecates" not in shell(*READ).err
        assert "Falcon deprecates /alerts/queries/alerts/v2: use v9" in shell(*READ, "-v").err
        checks = {check["name"]: check for check in shell("doctor", "--format", "json").document["checks"]}
    assert checks["deprecations"]["status"] == "warn"
    assert "/alerts/combined/alerts/v1: use v9" in checks["deprecations"]["what"]


# Requests that are refused as such


def test_a_refusal_of_an_action_value_stops_the_run_at_once(acme: Any) -> None:
    with acme() as shell:
        ids = shell.untouched_ids(20)
        text = "invalid action value specified. must be less than 1024"
        shell.order("status", endpoint="patch", status=400, text=text, times=None)
        done = shell(*shell.close_command(ids))
    assert done.code == 6, done
    assert len(done.to("patch")) == 1
    assert text in done.err


def test_a_long_filter_goes_by_post(acme: Any) -> None:
    with acme() as shell:
        names = ",".join(f"'name-{number:04}-of-a-host'" for number in range(400))
        fql = f"device.hostname:!['x']+device.hostname:![{names}]"
        done = shell("query", "--filter", fql, "--format", "jsonl", "--fields", "composite_id")
        counted = shell("query", "--filter", fql, "--count")
    assert (done.code, counted.code) == (0, 0), done
    assert len(done.documents) == int(counted.text) > 0
    assert not [request for request in done.to("queries") if request.status >= 400]
