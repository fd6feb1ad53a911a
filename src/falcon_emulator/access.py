"""Check who may call: the tenant's API client, its tokens and its scopes.

Messages and statuses are known from public reports. `scope not permitted` is about scopes only; `authorization
failed` is answered for much else, such as an address that is not allowed, and by older reports for scopes too. A
missing scope is also reported as a 401 (falcon-installer #94).
"""

import base64
import hashlib
import secrets

import msgspec

from falcon_emulator.http import ApiError, Call
from falcon_emulator.switches import Switches
from falcon_emulator.timestamps import SECOND

DENIED = "access denied, authorization failed"
OUT_OF_SCOPE = "access denied, scope not permitted"
INVALID_TOKEN = "access denied, invalid bearer token"  # noqa: S105 - a message


class Token(msgspec.Struct):
    """A bearer token. `cids` None: the parent CID and all its children."""

    value: str
    cid: str
    cids: frozenset[str] | None
    expires: int


class Access:
    """The tenant's single API client and its tokens."""

    def __init__(self, identity: str, cid: str, children: tuple[str, ...], switches: Switches) -> None:
        digest = hashlib.sha512(identity.encode()).hexdigest()
        self.client_id = digest[:32]
        self.client_secret = base64.b64encode(digest.encode()).decode()[:40]
        self.cid = cid
        self.children = children
        self.switches = switches
        self.tokens: dict[str, Token] = {}

    def issue(self, client_id: str, secret: str, member_cid: str, now: int) -> Token:
        """Issue a token, limited to one child CID if `member_cid` is set; a token of another region is refused here.

        Raises ApiError 403 (400 if the switch says so) for wrong credentials, a blocked address or a foreign CID.
        """
        if not self.switches.ip_allowed:
            raise ApiError(403, DENIED)
        if not self._is_client(client_id, secret):
            if self.switches.wrong_secret == 400:
                raise ApiError(400, f"Failed to generate access token for clientID={client_id}.")
            raise ApiError(403, "Failed to issue access token - Client authentication failed")
        loose = self.switches.member_cid == "any_case"
        member = member_cid.lower().partition("-")[0] if loose else member_cid
        if member and member not in (self.cid, *self.children):
            raise ApiError(403, DENIED)
        cid = member or self.cid
        everything = cid == self.cid and self.switches.parent_sees_children
        value = secrets.token_urlsafe(60)
        token = Token(value, cid, None if everything else frozenset((cid,)), now + self.switches.token_seconds * SECOND)
        if self.switches.login_region == "same":
            self.tokens[value] = token
        return token

    def revoke(self, authorization: str, token: str) -> None:
        """Revoke a token. `authorization` is a Basic header with the client's id and secret.

        Raises ApiError 403 for wrong credentials, 400 without a token.
        """
        scheme, _, encoded = authorization.partition(" ")
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            client_id, secret = "", ""
        if scheme.lower() != "basic" or not self._is_client(client_id, secret):
            raise ApiError(403, DENIED)
        if not token:
            raise ApiError(400, "token is required")
        self.tokens.pop(token, None)

    def bearer(self, call: Call, now: int) -> Token:
        """Return the call's bearer token. Raises ApiError 401 if it is missing, unknown or expired."""
        scheme, _, value = call.headers.get("Authorization", "").partition(" ")
        token = self.tokens.get(value) if scheme.lower() == "bearer" else None
        if token is None or token.expires <= now:
            raise ApiError(401, INVALID_TOKEN)
        return token

    def require(self, scope: str) -> None:
        """Raise ApiError, in the form that the switch says, unless the client has `scope` and may call at all."""
        if not self.switches.authorized:
            raise ApiError(403, DENIED)
        if scope in self.switches.scopes.split():
            return
        if self.switches.missing_scope == "401":
            raise ApiError(401, INVALID_TOKEN)
        raise ApiError(403, OUT_OF_SCOPE if self.switches.missing_scope == "scope_403" else DENIED)

    def _is_client(self, client_id: str, secret: str) -> bool:
        return (client_id, secret) == (self.client_id, self.client_secret)
