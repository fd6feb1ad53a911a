"""Real sockets on loopback: what arrives cut, reset or not at all, proxies, certificates, netrc, timeouts."""

import gzip
import shutil
import ssl
import subprocess
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from falcon_bulk.errors import AnswerLost, Unreachable
from falcon_bulk.model.plan import Action
from tests.support.fake_clock import FakeClock
from tests.support.raw_server import RESET, TOKEN_BODY, closed_port, http, raw_server
from tests.support.scripted_falcon import (
    BASE,
    COMBINED,
    ENTITIES,
    LOGIN_PATH,
    PATCH,
    QUERY,
    Reply,
    a_token,
    logged_in,
    moved_to,
    scripted,
    some_settings,
)

WAY = (Action("update_status", "closed"), Action("append_comment", "Set to closed"))
GOOD_BODY = b'{"meta":{"pagination":{"total":4}},"errors":null,"resources":[]}'
GOOD = http(GOOD_BODY)
AT_HOME = "http://api.example.test"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


# What arrives broken


def packed(body: bytes, encoding: str = "gzip") -> bytes:
    """An answer whose body is said to be packed so."""
    return http(body).replace(b"Connection", f"Content-Encoding: {encoding}\r\nConnection".encode())


ZIPPED = gzip.compress(GOOD_BODY)

BROKEN = {
    "reset": RESET,
    "closed without a word": b"",
    "body cut short": http(b'{"meta":{"pagination":{"total":4}', length=4_000),
    "chunks cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "not HTTP": b"220 mail.example.test ESMTP\r\n",
    "empty 200": http(b""),
    "HTML": http(b"<html>captive portal</html>", kind="text/html"),
    "not gzip": packed(b"{}"),
    "gzip cut short": packed(ZIPPED[:-9]),
    "gzip with a wrong checksum": packed(ZIPPED[:-8] + bytes(8)),
    "gzip of half a body, with something behind it": packed(gzip.compress(GOOD_BODY[:40]) + b"<html>"),
    "another encoding than is said": packed(ZIPPED, "deflate"),
    "503": http(b"busy", status="503 Service Unavailable", kind="text/plain"),
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN.keys())
def test_a_read_survives_broken_answers(reply: bytes) -> None:
    with raw_server(reply, GOOD) as server, logged_in(FakeClock(), some_settings(base_url=server.url)) as tenant:
        assert tenant.alerts.count("") == 4
    assert server.count("GET") == 2


@pytest.mark.parametrize(
    "reply",
    [
        packed(ZIPPED),
        packed(ZIPPED, "x-gzip"),
        packed(ZIPPED, "identity, gzip"),
        packed(ZIPPED, "GZIP,Identity"),
        packed(GOOD_BODY, "identity"),
        packed(zlib.compress(GOOD_BODY), "deflate"),
        packed(gzip.compress(ZIPPED), "gzip, gzip"),
        packed(gzip.compress(GOOD_BODY[:20]) + gzip.compress(GOOD_BODY[20:])),
        packed(ZIPPED + b"<!-- passed on by the gateway -->"),
        packed(ZIPPED + bytes(16)),
    ],
    ids=[
        *("gzip", "x-gzip", "identity and gzip", "gzip and identity", "identity", "deflate", "twice", "in two parts"),
        *("something behind it", "zeros behind it"),
    ],
)
def test_an_answer_is_read_with_any_content_encoding(reply: bytes) -> None:
    with raw_server(reply) as server, logged_in(FakeClock(), some_settings(base_url=server.url)) as tenant:
        assert tenant.alerts.count("") == 4
    assert server.count("GET") == 1


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN.keys())
def test_a_change_with_a_broken_answer_is_sent_once(reply: bytes) -> None:
    with raw_server(reply) as server:
        settings = some_settings(base_url=server.url)
        with logged_in(FakeClock(), settings) as tenant, pytest.raises(AnswerLost):
            tenant.alerts.update(["a"], WAY)
    assert server.count("PATCH") == 1


@pytest.mark.parametrize("reply", [RESET, b""], ids=["reset", "closed"])
def test_a_change_through_a_failing_proxy_is_sent_once(reply: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(reply) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with logged_in(FakeClock(), some_settings(base_url=AT_HOME)) as tenant, pytest.raises(AnswerLost):
            tenant.alerts.update(["a"], WAY)
    assert proxy.count("PATCH") == 1


def test_without_a_listener_five_tries_are_made_and_nothing_is_sent() -> None:
    timing = FakeClock()
    with (
        closed_port() as port,
        pytest.raises(Unreachable, match="5 tries"),
        logged_in(timing, some_settings(base_url=f"http://127.0.0.1:{port}")),
    ):
        pass
    assert len(timing.waits) == 4


def test_a_server_that_goes_away_after_the_login_leaves_a_change_unsent() -> None:
    with raw_server(GOOD) as server, logged_in(FakeClock(), some_settings(base_url=server.url)) as tenant:
        server.close()
        with pytest.raises(Unreachable, match="5 tries"):
            tenant.alerts.update(["a"], WAY)
    assert server.count("PATCH") == 0


# Proxies


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(GOOD) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with logged_in(FakeClock(), some_settings(base_url=AT_HOME)) as tenant:
            assert tenant.alerts.count("") == 4
    assert proxy.requests[0] == f"POST {AT_HOME}{LOGIN_PATH} HTTP/1.1"
    assert proxy.requests[1].startswith(f"GET {AT_HOME}{QUERY}?")


@pytest.mark.parametrize(
    ("status", "tries"),
    [("407 Proxy Authentication Required", 1), ("403 Forbidden", 1), ("502 Bad Gateway", 5), ("504 Timeout", 5)],
)
def test_https_goes_through_the_proxy_s_tunnel(status: str, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(http(b"", status=status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(Unreachable, match="proxy"), logged_in(FakeClock()):
            pass
    assert [line.rpartition(" ")[0] for line in proxy.requests] == ["CONNECT api.us-2.crowdstrike.com:443"] * tries


def test_a_password_of_the_proxy_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://alice:pr0xy-passw0rd@127.0.0.1:{port}")
        with pytest.raises(Unreachable) as caught, logged_in(FakeClock()):
            pass
    assert "pr0xy" not in repr(caught.value) + caught.value.hint


# netrc


def test_netrc_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login globex password globex-secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted() as falcon, logged_in(FakeClock()) as tenant:
        tenant.alerts.count("")
        tenant.alerts.by_id(["a"])
    assert "Authorization" not in falcon.to(LOGIN_PATH)[0].headers
    assert falcon.to(QUERY)[0].headers["Authorization"].startswith("Bearer t0ken")
    assert falcon.to(ENTITIES)[0].headers["Authorization"].startswith("Bearer t0ken")


def test_cookies_are_not_kept() -> None:
    with scripted() as falcon, logged_in(FakeClock()) as tenant:
        falcon.answer(QUERY, Reply(200, {"meta": {}, "resources": []}, {"Set-Cookie": "route=7; Path=/"}))
        tenant.alerts.count("")
        tenant.alerts.count("")
    assert "Cookie" not in falcon.to(QUERY)[1].headers


# Timeouts


def test_each_kind_of_request_has_its_timeouts() -> None:
    with scripted() as falcon, logged_in(FakeClock()) as tenant:
        tenant.alerts.count("")
        tenant.alerts.page("")
        tenant.alerts.by_id(["a"])
        tenant.alerts.update(["a"], WAY)
    timeouts = {call.path: call.sent["timeout"] for call in falcon.calls}
    assert timeouts == {
        LOGIN_PATH: (10, 60),
        QUERY: (10, 60),
        COMBINED: (10, 60),
        ENTITIES: (10, 60),
        PATCH: (10, 180),
    }


def test_a_redirected_login_keeps_its_timeout() -> None:
    with scripted() as falcon:
        falcon.answer(LOGIN_PATH, moved_to("https://api.crowdstrike.com/oauth2/token"), a_token())
        with logged_in(FakeClock()):
            pass
    assert [call.sent["timeout"] for call in falcon.calls] == [(10, 60)] * 2


# Certificates


class _Falcon(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(TOKEN_BODY)))
        self.end_headers()
        self.wfile.write(TOKEN_BODY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has
        pass


@contextmanager
def tls_server(certificate: Path, key: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), _Falcon, bind_and_activate=True) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are expected
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=emulator"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return paths


def test_an_unverifiable_certificate_fails_at_once_with_a_hint_about_the_bundle(
    certificate: tuple[Path, Path],
) -> None:
    timing = FakeClock()
    with (
        tls_server(*certificate) as url,
        pytest.raises(Unreachable) as caught,
        logged_in(timing, some_settings(base_url=url)),
    ):
        pass
    assert "certificate" in caught.value.message
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert timing.waits == []


def test_requests_ca_bundle_is_honoured(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with tls_server(*certificate) as url, logged_in(FakeClock(), some_settings(base_url=url)) as tenant:
        assert tenant.cloud == url


def test_a_missing_bundle_is_reported_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "away.pem"))
    with pytest.raises(Unreachable) as caught, logged_in(FakeClock(), some_settings(base_url=BASE)):
        pass
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
