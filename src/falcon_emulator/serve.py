"""Serve a tenant in the foreground: `falcon-bulk emulator serve`."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from falcon_emulator.server import Server
from falcon_emulator.tenant import Tenant


def serve(
    tenant: Tenant,
    *,
    port: int = 0,
    write_env: Path | None = None,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve `tenant` until SIGINT or SIGTERM.

    Once the socket listens, the tenant's env file is written to `write_env`; then `ready` is called with the URL.
    Raises OSError if the port is taken or the file cannot be written.
    """
    server = Server(tenant, port=port)

    def announce() -> None:
        if write_env is not None:
            write_private(write_env, tenant.env_text(server.url))
        ready(server.url)

    server.serve_forever(announce)


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, mode 600; create its folder if it is missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
