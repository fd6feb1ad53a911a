"""A customer, and a mail server that their results are sent to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import CommandRunner
from tests.support.mail_server import Mailbox


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def acme(tmp_path: Path, mailbox: Mailbox) -> Iterator[CommandRunner]:
    """Their env file names the mail server in FALCON_NOTIFY."""
    with Server(Tenant(alerts=120)) as server:
        shell = CommandRunner(tmp_path, server)
        shell.env_file.write_text(f"{shell.env_file.read_text()}FALCON_NOTIFY='{mailbox.url}'\n")
        yield shell
