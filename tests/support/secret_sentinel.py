"""Looks for a secret, in any encoding, in everything that a command shows or leaves behind."""

import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from tests.support.command import CommandResult, CommandRunner

SENTINEL = "S3ntinel-q'uo\"te-\u00e9-0123456789abcdef"
MIN_PIECE = 8
"""A piece of this many letters and digits is no coincidence."""


def quoted() -> str:
    """Return the sentinel as written in an env file."""
    return "'" + SENTINEL.replace("'", "\\'") + "'"


def guard(shell: CommandRunner) -> None:
    """Make the sentinel the secret of the tenant's API client."""
    former = shell.tenant.client_secret
    shell.tenant.access.client_secret = SENTINEL
    text = shell.env_file.read_text().replace(f"FALCON_CLIENT_SECRET={former}", f"FALCON_CLIENT_SECRET={quoted()}")
    assert quoted() in text
    shell.write_env("customers/acme.env", text)


def forms(secret: str) -> set[bytes]:
    """Return the forms a secret may take: unescaped pieces, percent-encoded, hex, Base64 at any offset."""
    data = secret.encode()
    pieces = {piece[:12].encode() for piece in re.findall(f"[A-Za-z0-9]{{{MIN_PIECE},}}", secret)}
    assert pieces
    within = {b64encode(b"x" * before + data)[-(-before * 4 // 3) + 1 : len(data) // 3 * 4] for before in range(3)}
    return pieces | within | {quote(secret).encode(), quote_plus(secret).encode(), data.hex().encode()}


def tokens(shell: CommandRunner) -> list[str]:
    """Return the tokens that the tenant issued."""
    return shell.server.call(lambda: list(shell.tenant.access.tokens))


def files_left_behind(shell: CommandRunner) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every file in the folder except the env files."""
    for path in shell.folder.rglob("*"):
        if path.is_file() and path.suffix != ".env":
            yield str(path), path.read_bytes()


def assert_not_leaked(shell: CommandRunner, *runs: CommandResult) -> None:
    """Assert that neither the runs' output nor the files left behind contain the sentinel or a token."""
    shown = [(repr(done), done.out + done.err.encode(errors="surrogateescape")) for done in runs]
    secrets = [(secret, form) for secret in (SENTINEL, *tokens(shell)) for form in forms(secret)]
    for name, content in (*shown, *files_left_behind(shell)):
        for secret, form in secrets:
            assert form not in content, f"{form!r} of {secret!r} found in {name}"
