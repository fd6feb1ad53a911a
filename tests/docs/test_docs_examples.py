"""Every command in the README and the docs is run, in the order in which it stands, on a local tenant."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from falcon_bulk.sandbox import Server, Tenant

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Asks at a terminal; a test of the question stands with the commands. Here the answer is given by options.
ASKING = re.compile(r"falcon-bulk (close-hash|bulk-close|undo)\b(?!.*(--dry-run|--yes))")


def commands(page: Path) -> list[str]:
    return [
        line.removeprefix("$ ")
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


class Customer:
    """A folder as the README assumes it, with a tenant behind its customer file."""

    def __init__(self, folder: Path, tenant: Tenant, url: str) -> None:
        self.folder = folder
        (folder / "customers").mkdir()
        (folder / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())
        self.env_file = folder / "customers" / "acme.env"
        self.env_text = tenant.env_text(url)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FALCON_")},
            "FALCON_BULK_STATE_DIR": str(folder / "state"),
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        }
        self.fill_in()
        program = folder / "falcon-bulk"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m falcon_bulk "$@"\n', encoding="utf-8")
        program.chmod(0o755)

    def fill_in(self) -> None:
        self.env_file.unlink(missing_ok=True)
        descriptor = os.open(self.env_file, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.env_text)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def remember(self) -> None:
        """What a reader would copy from the output of the commands before: a hash and a run."""
        done = self.run("falcon-bulk hash-summary --customer acme --status new --format json")
        assert done.returncode == 0, done.stderr
        hashes = done.stdout
        self.environment["SHA256"] = re.findall(r'"sha256": "(\w{64})"', hashes)[0]
        runs = re.findall(r'"run_id": "(\w+)"', self.run("falcon-bulk runs --customer acme --format json").stdout)
        self.environment["RUN"] = runs[0] if runs else ""


@pytest.fixture
def customer(tmp_path: Path) -> Iterator[Customer]:
    tenant = Tenant(alerts=1_500, seed=3, customer="acme")
    with Server(tenant, port=0) as server:
        customer = Customer(tmp_path, tenant, server.url)
        customer.remember()
        sha256 = customer.environment["SHA256"]
        first = customer.run(f"falcon-bulk close-hash --customer acme --hash {sha256} --yes --max 999 --lift all")
        assert first.returncode == 0, first.stderr
        customer.remember()
        yield customer


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_page_works(page: Path, customer: Customer) -> None:
    for command in commands(page):
        if command.startswith("make "):
            targets = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"^{command.removeprefix('make ')}:", targets, re.MULTILINE)
            continue
        answered = f"{command} --yes --max 9999" if ASKING.search(command) else command
        done = customer.run(answered)
        assert done.returncode == 0, f"{answered}\n{done.stdout}\n{done.stderr}"
        if command.startswith("install "):
            customer.fill_in()
        if re.search(r"falcon-bulk (close-hash|bulk-close|apply|undo)", command):
            customer.remember()


def test_a_page_has_no_command_that_is_not_run() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(commands(page)) == len(re.findall(r"^\$ ", text, re.MULTILINE))
    assert commands(PAGES[0])


def test_the_pages_link_only_to_files_that_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_command() -> None:
    from falcon_bulk.cli.main import COMMANDS

    readme = PAGES[0].read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in COMMANDS)
