"""The proxy of a request: which variable of the environment names it, whether it can be used, what it refused."""

import os
import re
from contextlib import closing
from http.client import HTTPConnection
from importlib.util import find_spec
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import make_headers, parse_url

from falcon_bulk.errors import Unreachable

CONNECT_TIMEOUT = 10.0
RETRIED = (502, 503, 504)
"""Statuses of a proxy that may pass; any other refusal of it is final."""

_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")


class Proxy(NamedTuple):
    """A proxy, and the environment variable that names it."""

    variable: str
    url: str

    @property
    def full_url(self) -> str:
        """The URL with its scheme, which may be left out for http."""
        return self.url if "://" in self.url else f"http://{self.url}"

    @property
    def address(self) -> str:
        """Host and port, without user and password; '' for a URL that cannot be read."""
        try:
            parts = parse_url(self.full_url)
        except LocationParseError:
            return ""
        return f"{parts.host}:{parts.port}" if parts.port else parts.host or ""


class ProxyRefusals:
    """What the proxy refused for good, shared by all customers of a command: nobody asks it again."""

    def __init__(self) -> None:
        self._refusal: Unreachable | None = None

    def check(self) -> None:
        """Raise the error of an earlier final refusal."""
        if (known := self._refusal) is not None:
            raise Unreachable(known.message, known.hint, status=known.status)

    def refuse(self, url: str, status: int) -> Unreachable:
        """Remember that the proxy refuses requests to `url`, and return the error to raise."""
        self._refusal = proxy_refusal(find_proxy(url), status)
        return self._refusal


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy for requests to `url`, None for none."""
    found = select_proxy(url, get_environ_proxies(url))
    if not found:
        return None
    names = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    variable = next((name for name in names if found in (os.environ.get(name), os.environ.get(name.upper()))), "")
    return Proxy(variable.upper() or "The system's proxy setting", found)


def check_proxy(url: str) -> None:
    """Raise Unreachable if the proxy for `url` is not a URL, or needs a library that is missing."""
    if (proxy := find_proxy(url)) is None:
        return
    hint = "It looks like http://proxy.example.com:8080; leave it out if there is no proxy."
    try:
        parts = parse_url(proxy.full_url)
    except ValueError:
        raise Unreachable(f"{proxy.variable} is not the URL of a proxy.", hint) from None
    if parts.scheme in _SOCKS:
        if find_spec("socks") is None:
            raise Unreachable(
                f"{proxy.variable} names a SOCKS proxy, and the library for it is not installed.",
                "Install PySocks beside falcon-bulk, or name an http:// proxy.",
            )
    elif not parts.host or parts.scheme not in ("http", "https"):
        raise Unreachable(f"{proxy.variable} is not the URL of a proxy.", hint)


def tunnel_refusal(error: object) -> int:
    """Return the status with which a proxy refuses to connect, 0 if the error is none of a proxy."""
    found = _TUNNEL_REFUSED.search(str(error))
    return int(found[1]) if found else 0


def proxy_refusal(proxy: Proxy | None, status: int) -> Unreachable:
    """Return the error for a proxy that refuses for good. It does not hold the proxy's user or password."""
    variable, address = (proxy.variable, proxy.address) if proxy else ("HTTPS_PROXY", "")
    reason = "it wants a login" if status == 407 else "it does not allow Falcon's host"
    hint = (
        f"Check the user and password in {variable}, as in http://USER:PASSWORD@proxy.example.com:8080."
        if status == 407
        else f"Ask whoever runs the proxy to allow Falcon's API, or change {variable}."
    )
    return Unreachable(
        f"The proxy {address} of {variable} refuses to connect ({status}): {reason}.".replace("  ", " "),
        hint,
        status=status,
    )


def try_proxy(url: str) -> None:
    """Connect to `url` through its proxy, and send nothing. Raises Unreachable if that fails."""
    proxy = find_proxy(url)
    if proxy is None:
        return
    check_proxy(url)
    parts, target = urlsplit(proxy.full_url), urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port or 80, timeout=CONNECT_TIMEOUT)) as connection:
        if parts.scheme == "http" and target.scheme == "https":
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
            headers = make_headers(proxy_basic_auth=login) if login else {}
            connection.set_tunnel(target.hostname or "", target.port or 443, headers)
        try:
            connection.connect()
        except OSError as error:
            if status := tunnel_refusal(error):
                raise proxy_refusal(proxy, status) from None
            raise Unreachable(
                f"The proxy {proxy.address} of {proxy.variable} cannot be reached ({type(error).__name__}).",
                f"Check {proxy.variable}.",
            ) from None
