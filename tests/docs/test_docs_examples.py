"""Every command in the README and the docs works, run in order on a local tenant."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import CommandRunner
from tests.support.planted_tenant import plant
from tests.support.rule_builders import morning_noise, rule, rule_file, write_rules

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The pages that the quick tests go through: each command costs a process.
QUICK = ("README.md", "emulator.md", "benchmarks.md")
# Pages about more customers than acme.
OTHERS = {"monthly-review.md": ("globex", "initech")}
# Pages that begin with the noise of a morning, and the one that begins without closing rules.
NOISY = ("README.md", "from-alert-to-rule.md")
WITHOUT_RULES = "from-alert-to-rule.md"
# The page that is about a config file.
CONFIGURED = "config.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Asks at a terminal; a test of the question stands with the commands. Here the answer is given by options.
ASKING = re.compile(r"falcon-bulk (close-hash|bulk-close|undo|apply|allow-hash)\b(?!.*(--dry-run|--yes))")

PLAIN = re.compile(r"""falcon-bulk( [\w$@:/.,+=-]+| "[^"$`\\]*"| '[^'$]*')*""")


def commands(page: Path) -> list[str]:
    return [
        line.removeprefix("$ ")
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


class PageRunner(CommandRunner):
    """Runs a page's shell commands in a folder as the pages assume it."""

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder, server)
        (folder / "reports").mkdir()
        (folder / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())
        self.install_program()
        self.variables: dict[str, str] = {"EDITOR": self._install_editor()}

    def _install_editor(self) -> str:
        """Write a program that fills in what the draft of a rule leaves to a person; return its name."""
        path = self.folder / "editor"
        keys = "owner|reviewer|ticket|why"
        path.write_text(f'#!/bin/sh\nexec sed -i -E \'s/^({keys}) = ""/\\1 = "\\1 of soc.example"/\' "$1"\n')
        path.chmod(0o755)
        return "./editor"

    def configure(self, page: Path) -> None:
        """Write the config file that the page shows."""
        (shown,) = re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        folder = self.folder / "config"
        folder.mkdir(mode=0o700)
        (folder / "config.toml").write_text(shown)
        (folder / "config.toml").chmod(0o600)
        self.variables["FALCON_BULK_CONFIG_DIR"] = str(folder)

    def fill_in(self) -> None:
        """Write the customers' credentials into their env files."""
        for name in self.tenants:
            self.write_customer(name)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a line of a page: in sh, or without it where it is falcon-bulk and words that mean themselves."""
        environment = {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}"} | self.variables
        if PLAIN.fullmatch(command):
            program, *words = (Template(word).substitute(self.variables) for word in shlex.split(command))
            done = self.bare(*words, env=environment, patience=180)
            return subprocess.CompletedProcess([program, *words], done.code, done.text, done.err)
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def look_up(self, command: str) -> None:
        """Set the variables in a command to what a reader copies from earlier output: a hash, the newest run."""
        if "$SHA256" in command:
            self.variables["SHA256"] = self._first("sha256", "hash-summary --status new")
        if "$RUN" in command:
            if not self._first("run_id", "runs"):
                self.look_up("$SHA256")
                self.run("falcon-bulk close-hash --customer acme --hash $SHA256 --override all --yes --max 999")
            self.variables["RUN"] = self._first("run_id", "runs")

    def _first(self, key: str, command: str) -> str:
        out = self.run(f"falcon-bulk {command} --customer acme --format json").stdout
        return next(iter(re.findall(rf'"{key}": "(\w+)"', out)), "")


@contextmanager
def serve_page(folder: Path, page: Path) -> Iterator[PageRunner]:
    customers = ("acme", *OTHERS.get(page.name, ()))
    tenants = [Tenant(alerts=1_500, seed=3 + number, customer=name) for number, name in enumerate(customers)]
    if page.name in NOISY:
        plant(tenants[0], morning_noise())
    with Server(tenants, port=0) as server:
        runner = PageRunner(folder, server)
        if page.name == CONFIGURED:
            runner.configure(page)
        if page.name != WITHOUT_RULES:
            write_rules(runner, rule_file(rule(match={"sha256": ["a" * 64]})))
        yield runner


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=str(page.relative_to(ROOT)), marks=() if page.name in QUICK else pytest.mark.slow)
        for page in PAGES
        if commands(page)
    ],
)
def test_every_command_of_the_page_works(page: Path, tmp_path: Path) -> None:
    with serve_page(tmp_path, page) as runner:
        for command in commands(page):
            if command.startswith("make "):
                targets = (ROOT / "Makefile").read_text(encoding="utf-8")
                assert re.search(rf"^{command.removeprefix('make ')}:", targets, re.MULTILINE)
                continue
            answered = f"{command} --yes --max 9999" if ASKING.search(command) else command
            runner.look_up(answered)
            done = runner.run(answered)
            assert done.returncode == 0, f"{answered}\n{done.stdout}\n{done.stderr}"
            if command.startswith("install "):
                runner.fill_in()


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
