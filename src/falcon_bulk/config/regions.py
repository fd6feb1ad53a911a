"""The Falcon clouds: which hosts may receive credentials, and where a login may be redirected to.

Hosts are known from gofalcon `cloud.go` and falconpy `_enum/_base_url.py`.
"""

import ipaddress
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from falcon_bulk.errors import AccessProblem

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path


class Cloud(NamedTuple):
    """One Falcon cloud: its API host, its console's host (for the setup page), and whether it is a government cloud."""

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


def parse_base_url(value: str, *, allow_custom: bool, key: str = "FALCON_BASE_URL") -> str:
    """Return the base URL, `scheme://host[:port]`, for a value of FALCON_BASE_URL.

    key: the value's key, for messages.
    value: a region name (any case, with or without dashes; blank is us-1), a Falcon API host, or a URL. A URL
        must be https on a Falcon host; http or https, on any port, on loopback; with `allow_custom` https on any
        host. It must have no user, path, query or fragment.

    Raises AccessProblem otherwise. Its message contains at most the host of the value.
    """
    value = value.strip()
    cloud = _BY_NAME.get(value.lower().replace("-", "") or "us1")
    if cloud is not None:
        return f"https://{cloud.api}"
    if value.lower() in _BY_API_HOST:
        return f"https://{value.lower()}"
    parts = _split(value)
    if parts is None or not parts.hostname:
        raise AccessProblem(f"{key} is neither a region nor a URL.", _HINT)
    if "@" in parts.netloc:
        raise AccessProblem(f"{key} must not contain a user name or a password.", _HINT)
    if parts.path not in ("", "/") or "?" in value or "#" in value:
        raise AccessProblem(f"{key} must end after the host: no path, query or fragment.", _HINT)
    host, port = parts.hostname, parts.port
    if is_loopback(host):
        return _join(parts.scheme, host, port)
    if host not in _BY_API_HOST and not allow_custom:
        message = f"{key} names {host}, which is not a Falcon API host."
        raise AccessProblem(message, f"{_HINT} {_CUSTOM_HINT}")
    if parts.scheme != "https":
        raise AccessProblem(f"{key} must use https for {host}.", _HINT)
    if host in _BY_API_HOST and port not in (None, 443):
        raise AccessProblem(f"{key} must not name a port for {host}.", _HINT)
    return _join("https", host, None if port == 443 else port)


def redirect_target(current_base: str, location: str) -> str | None:
    """Return the new base URL if a redirect of the token endpoint may be followed, else None.

    current_base: the base URL that redirects. location: the unchanged Location header; it may be relative.

    A login may move between commercial Falcon clouds over https, or from loopback to loopback, never to or from a
    government cloud. The caller must detect a redirect loop.
    """
    source = _split(current_base)
    target = _split(location, within=current_base)
    if source is None or target is None or not source.hostname or not target.hostname:
        return None
    if target.path != TOKEN_PATH or "@" in target.netloc or "?" in location or "#" in location:
        return None
    if is_loopback(source.hostname):
        is_downgrade = source.scheme == "https" and target.scheme == "http"
        if is_downgrade or not is_loopback(target.hostname):
            return None
    elif not (_is_commercial_cloud(source) and _is_commercial_cloud(target)):
        return None
    return _join(target.scheme, target.hostname, target.port)


def region_target(current_base: str, region: str) -> str | None:
    """Return the base URL of the region that a login names, if the login may move there, else None.

    It may move between commercial Falcon clouds only, never to or from a government cloud, loopback or another host.
    """
    source, cloud = _split(current_base), CLOUDS.get(region.strip().lower())
    if source is None or cloud is None or cloud.government or not _is_commercial_cloud(source):
        return None
    return None if cloud.api == source.hostname else f"https://{cloud.api}"


def region_name(base_url: str) -> str:
    """Return the name of a base URL's cloud, such as `us-1`; for loopback and custom hosts, host and port."""
    parts = urlsplit(base_url)
    return next((name for name, cloud in CLOUDS.items() if cloud.api == parts.hostname), parts.netloc)


def is_loopback(host: str) -> bool:
    """Return whether `host` is `localhost`, `::1` or in 127.0.0.0/8, without a DNS lookup."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 4 or address == ipaddress.IPv6Address("::1"))


def _is_plain(url: str) -> bool:
    """Return whether all parsers read `url` alike: `urlsplit` drops tabs, others treat a backslash as a slash."""
    return url.isascii() and url.isprintable() and " " not in url and "\\" not in url


def _split(url: str, *, within: str = "") -> SplitResult | None:
    """Return the parts of an http(s) URL, or None if it is not one; a relative URL is resolved against `within`."""
    if not _is_plain(url):
        return None
    try:
        parts = urlsplit(urljoin(within, url))
        is_valid = parts.scheme in ("http", "https") and parts.port != 0  # `port` raises ValueError if invalid
    except ValueError:
        return None
    return parts if is_valid else None


def _is_commercial_cloud(parts: SplitResult) -> bool:
    cloud = _BY_API_HOST.get(parts.hostname or "")
    commercial = cloud is not None and not cloud.government
    return commercial and parts.scheme == "https" and parts.port in (None, 443)


def _join(scheme: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{shown}" if port in (None, default) else f"{scheme}://{shown}:{port}"
