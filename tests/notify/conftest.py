"""A customer, and a mail server that their results are sent to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mailbox_server import Mailbox
from shell import Shell

from falcon_emulator import Server, Tenant


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def acme(tmp_path: Path, mailbox: Mailbox) -> Iterator[Shell]:
    """Their env file names the mail server in FALCON_NOTIFY."""
    with Server(Tenant(alerts=120)) as server:
        shell = Shell(tmp_path, server)
        shell.env_file.write_text(f"{shell.env_file.read_text()}FALCON_NOTIFY='{mailbox.url}'\n")
        yield shell
