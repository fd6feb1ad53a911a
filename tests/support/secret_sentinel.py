"""A secret that is looked for in everything a command shows or leaves behind, however it is written there."""

import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from tests.support.command import CommandResult, CommandRunner

SENTINEL = "S3ntinel-q'uo\"te-\u00e9-0123456789abcdef"
LEAST = 8
"""Letters and digits in a row that are no coincidence."""


def quoted() -> str:
    """The sentinel as it stands in an env file."""
    return "'" + SENTINEL.replace("'", "\\'") + "'"


def guard(shell: CommandRunner) -> None:
    """Give the tenant's API client the sentinel for its secret."""
    former = shell.tenant.client_secret
    shell.tenant.access.client_secret = SENTINEL
    text = shell.env_file.read_text().replace(f"FALCON_CLIENT_SECRET={former}", f"FALCON_CLIENT_SECRET={quoted()}")
    assert quoted() in text
    shell.write_env("customers/acme.env", text)


def forms(secret: str) -> set[bytes]:
    """The secret as it may be written: in pieces that no escaping changes, percent-encoded, in Base64 at any place."""
    data = secret.encode()
    pieces = {piece[:12].encode() for piece in re.findall(f"[A-Za-z0-9]{{{LEAST},}}", secret)}
    assert pieces
    within = {b64encode(b"x" * before + data)[-(-before * 4 // 3) + 1 : len(data) // 3 * 4] for before in range(3)}
    return pieces | within | {quote(secret).encode(), quote_plus(secret).encode(), data.hex().encode()}


def tokens(shell: CommandRunner) -> list[str]:
    """Those that the tenant gave away."""
    return shell.server.call(lambda: list(shell.tenant.access.tokens))


def files_left_behind(shell: CommandRunner) -> Iterator[tuple[str, bytes]]:
    """Every file in the folder except the env files."""
    for path in shell.folder.rglob("*"):
        if path.is_file() and path.suffix != ".env":
            yield str(path), path.read_bytes()


def assert_not_leaked(shell: CommandRunner, *runs: CommandResult) -> None:
    """Neither the sentinel nor a token stands in what the runs showed, or in what lies in the folder."""
    shown = [(repr(done), done.out + done.err.encode(errors="surrogateescape")) for done in runs]
    secrets = [(secret, form) for secret in (SENTINEL, *tokens(shell)) for form in forms(secret)]
    for name, content in (*shown, *files_left_behind(shell)):
        for secret, form in secrets:
            assert form not in content, f"{form!r} of {secret!r} stands in {name}"
