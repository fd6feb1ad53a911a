"""The Falcon clouds: which hosts may be given credentials, and where a login may be sent on to.

Hosts: gofalcon `cloud.go` and falconpy `_enum/_base_url.py`.
"""

import ipaddress
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from falcon_bulk.errors import AccessProblem

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path


class Cloud(NamedTuple):
    """One Falcon cloud: its API host, the host of its console (for the page on setup), whether it is a government's."""

    api: str
    console: str
    government: bool = False


CLOUDS = {
    "us-1": Cloud("api.crowdstrike.com", "falcon.crowdstrike.com"),
    "us-2": Cloud("api.us-2.crowdstrike.com", "falcon.us-2.crowdstrike.com"),
    "us-3": Cloud("api.us-3.crowdstrike.com", "falcon.us-3.crowdstrike.com"),
    "eu-1": Cloud("api.eu-1.crowdstrike.com", "falcon.eu-1.crowdstrike.com"),
    "us-gov-1": Cloud("api.laggar.gcw.crowdstrike.com", "falcon.laggar.gcw.crowdstrike.com", True),
    "us-gov-2": Cloud("api.us-gov-2.crowdstrike.mil", "falcon.us-gov-2.crowdstrike.mil", True),
}

_BY_NAME = {name.replace("-", ""): cloud for name, cloud in CLOUDS.items()}
_BY_API_HOST = {cloud.api: cloud for cloud in CLOUDS.values()}

_HINT = f"Use a region ({', '.join(CLOUDS)}) or the https:// URL of a Falcon API host."
_CUSTOM_HINT = "For another host, set FALCON_BULK_ALLOW_CUSTOM_BASE_URL=1 in the process environment."


def base_url(value: str, *, allow_custom: bool) -> str:
    """The base URL, `scheme://host[:port]`, that a FALCON_BASE_URL stands for.

    value: a region name (any case, with or without dashes; blank is us-1), a Falcon API host, or a URL. A URL
        is https on a Falcon host; http or https, on any port, on loopback; with `allow_custom` https on any
        host. It has no user, path, query or fragment.

    Raises AccessProblem otherwise. Its text holds no more of the value than the host.
    """
    value = value.strip()
    cloud = _BY_NAME.get(value.lower().replace("-", "") or "us1")
    if cloud is not None:
        return f"https://{cloud.api}"
    if value.lower() in _BY_API_HOST:
        return f"https://{value.lower()}"
    parts = _split(value)
    if parts is None or not parts.hostname:
        raise AccessProblem("FALCON_BASE_URL is neither a region nor a URL.", _HINT)
    if "@" in parts.netloc:
        raise AccessProblem("FALCON_BASE_URL must not hold a user name or a password.", _HINT)
    if parts.path not in ("", "/") or "?" in value or "#" in value:
        raise AccessProblem("FALCON_BASE_URL must end after the host: no path, query or fragment.", _HINT)
    host, port = parts.hostname, parts.port
    if is_loopback(host):
        return _join(parts.scheme, host, port)
    if host not in _BY_API_HOST and not allow_custom:
        message = f"FALCON_BASE_URL names {host}, which is not a Falcon API host."
        raise AccessProblem(message, f"{_HINT} {_CUSTOM_HINT}")
    if parts.scheme != "https":
        raise AccessProblem(f"FALCON_BASE_URL must use https for {host}.", _HINT)
    if host in _BY_API_HOST and port not in (None, 443):
        raise AccessProblem(f"FALCON_BASE_URL must not name a port for {host}.", _HINT)
    return _join("https", host, None if port == 443 else port)


def redirect_target(current_base: str, location: str) -> str | None:
    """The base URL to go on with when the token endpoint of `current_base` redirects to `location`, or None.

    location: the Location header as it came; it may be relative.

    A login goes from one commercial Falcon cloud to another, over https, or from loopback to loopback. The
    government clouds neither send nor receive one. A redirect in a circle is for the caller to see.
    """
    here = _split(current_base)
    there = _split(location, within=current_base)
    if here is None or there is None or not here.hostname or not there.hostname:
        return None
    if there.path != TOKEN_PATH or "@" in there.netloc or "?" in location or "#" in location:
        return None
    if is_loopback(here.hostname):
        weaker = here.scheme == "https" and there.scheme == "http"
        if weaker or not is_loopback(there.hostname):
            return None
    elif not (_takes_logins(here) and _takes_logins(there)):
        return None
    return _join(there.scheme, there.hostname, there.port)


def region_name(base_url: str) -> str:
    """How the cloud of an API base URL is called: `us-1`; for loopback and custom hosts host and port."""
    parts = urlsplit(base_url)
    return next((name for name, cloud in CLOUDS.items() if cloud.api == parts.hostname), parts.netloc)


def is_loopback(host: str) -> bool:
    """Whether `host` is `localhost`, `::1` or in 127.0.0.0/8; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 4 or address == ipaddress.IPv6Address("::1"))


def _is_plain(url: str) -> bool:
    """Whether all parsers read `url` alike: `urlsplit` drops tabs, others take a backslash for a slash."""
    return url.isascii() and url.isprintable() and " " not in url and "\\" not in url


def _split(url: str, *, within: str = "") -> SplitResult | None:
    """The parts of an http(s) URL, or None; a relative one is completed from `within`."""
    if not _is_plain(url):
        return None
    try:
        parts = urlsplit(urljoin(within, url))
        usable = parts.scheme in ("http", "https") and parts.port != 0  # reading the port checks it
    except ValueError:
        return None
    return parts if usable else None


def _takes_logins(parts: SplitResult) -> bool:
    cloud = _BY_API_HOST.get(parts.hostname or "")
    commercial = cloud is not None and not cloud.government
    return commercial and parts.scheme == "https" and parts.port in (None, 443)


def _join(scheme: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{shown}" if port in (None, default) else f"{scheme}://{shown}:{port}"
