"""The HTTP session that FalconPy sends its requests through, and what FalconPy gets to see of the answers."""

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from falcon_bulk.falcon.response_classifier import LOGIN, RequestType

NEVER_EXPIRES = 10**9
PLACEHOLDER = "held by the transport"


class FalconPyResponse:
    """The response that FalconPy sees: always a success, so that it adds nothing of its own.

    For a login it holds a placeholder token that never expires. The transport keeps the real token, because FalconPy
    renews without a lock, and logs in before every call once a login has failed.
    """

    def __init__(self, request_type: RequestType) -> None:
        self.status_code = 201 if request_type is LOGIN else 200
        self.headers = {"Content-Type": "application/json"}
        self._body = {"access_token": PLACEHOLDER, "expires_in": NEVER_EXPIRES} if request_type is LOGIN else {}

    def json(self) -> dict[str, Any]:
        """Return the body."""
        return self._body


class PendingCall:
    """A call that FalconPy is carrying out, with the decoded body or the error that it led to.

    is_known: whether its answer is known, so that nothing is sent. sent: when its last request left, by the clock's
    monotonic time.
    """

    def __init__(self, request_type: RequestType, *, is_known: bool = False) -> None:
        self.request_type = request_type
        self.is_known = is_known
        self.body: Any = None
        self.error: BaseException | None = None
        self.sent = 0.0


class FalconSession(requests.Session):
    """A pooled session whose `request` calls `perform`, which sends by `send_once`."""

    def __init__(self, perform: Callable[..., FalconPyResponse], connections: int) -> None:
        super().__init__()
        self._perform = perform
        self.auth = _no_auth
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, pool_block=False)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method: str, url: str, **options: Any) -> Any:  # type: ignore[override] # FalconPy names these
        """Perform FalconPy's request with all its retries."""
        return self._perform(method, url, **options)

    def send_once(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send one HTTP request, without retries."""
        return super().request(method, url, **options)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request as it is. With an `auth` set, requests does not read ~/.netrc."""
    return request
