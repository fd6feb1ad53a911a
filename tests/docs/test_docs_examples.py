"""Every command in the README and the docs is run, in the order in which it stands, on a local tenant."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from falcon_emulator import Server, Tenant

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The pages that the quick tests go through: each command costs a process.
QUICK = ("README.md", "emulator.md", "benchmarks.md")
# Pages about more customers than acme.
OTHERS = {"the-months-round.md": ("globex", "initech")}
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Asks at a terminal; a test of the question stands with the commands. Here the answer is given by options.
ASKING = re.compile(r"falcon-bulk (close-hash|bulk-close|undo|apply|allow-hash)\b(?!.*(--dry-run|--yes))")


def commands(page: Path) -> list[str]:
    return [
        line.removeprefix("$ ")
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


class Desk:
    """A folder as the pages assume it, with a tenant behind each customer file."""

    def __init__(self, folder: Path, env_texts: dict[str, str]) -> None:
        self.folder = folder
        for name in ("customers", "reports"):
            (folder / name).mkdir()
        (folder / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())
        self._env_texts = env_texts
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
        """Write the customer files as somebody who has the credentials would."""
        for name, text in self._env_texts.items():
            file = self.folder / "customers" / f"{name}.env"
            file.unlink(missing_ok=True)
            file.touch(0o600)
            file.write_text(text, encoding="utf-8")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def look_up(self, command: str) -> None:
        """What a reader would copy from the output of the commands before: a hash, the newest run."""
        if "$SHA256" in command:
            self.environment["SHA256"] = self._first("sha256", "hash-summary --status new")
        if "$RUN" in command:
            if not self._first("run_id", "runs"):
                self.look_up("$SHA256")
                self.run("falcon-bulk close-hash --customer acme --hash $SHA256 --override all --yes --max 999")
            self.environment["RUN"] = self._first("run_id", "runs")

    def _first(self, key: str, command: str) -> str:
        out = self.run(f"falcon-bulk {command} --customer acme --format json").stdout
        return next(iter(re.findall(rf'"{key}": "(\w+)"', out)), "")


@contextmanager
def a_desk(folder: Path, page: Path) -> Iterator[Desk]:
    customers = ("acme", *OTHERS.get(page.name, ()))
    tenants = [Tenant(alerts=1_500, seed=3 + number, customer=name) for number, name in enumerate(customers)]
    with Server(tenants, port=0) as server:
        texts = {tenant.customer: tenant.env_text(url) for tenant, url in zip(tenants, server.urls, strict=True)}
        yield Desk(folder, texts)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=str(page.relative_to(ROOT)), marks=() if page.name in QUICK else pytest.mark.slow)
        for page in PAGES
        if commands(page)
    ],
)
def test_every_command_of_the_page_works(page: Path, tmp_path: Path) -> None:
    with a_desk(tmp_path, page) as desk:
        for command in commands(page):
            if command.startswith("make "):
                targets = (ROOT / "Makefile").read_text(encoding="utf-8")
                assert re.search(rf"^{command.removeprefix('make ')}:", targets, re.MULTILINE)
                continue
            answered = f"{command} --yes --max 9999" if ASKING.search(command) else command
            desk.look_up(answered)
            done = desk.run(answered)
            assert done.returncode == 0, f"{answered}\n{done.stdout}\n{done.stderr}"
            if command.startswith("install "):
                desk.fill_in()


def test_a_page_has_no_command_that_is_not_run() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(commands(page)) == len(re.findall(r"^\$ ", text, re.MULTILINE))
    assert commands(PAGES[0])


def test_the_pages_link_only_to_files_that_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_command() -> None:
    from falcon_bulk.cli.main import COMMANDS

    readme = PAGES[0].read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in COMMANDS)
