"""A tenant in which every text is an attacker's, through every command and format, onto a pipe and a terminal."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from falcon_emulator import Server
from tests.support.command import CommandResult, CommandRunner
from tests.support.document_structure import csv_shape, formulas, html_shape, markdown_shape, unseen
from tests.support.hostile_text import CORPUS, HARMLESS, planted
from tests.support.sampling import quick_first

SHAPES: dict[str, Callable[[str], Any]] = {"markdown": markdown_shape, "csv": csv_shape, "html": html_shape}
FIELDS = "name,device.hostname,cmdline,user_name,tags,comments,assigned_to_name,product,mitre_attack"
BY = "name,host,user,product,tactic,filename,cmdline,assignee,tag,device.os_version,name*host"

# RUN is a run that was made before.
COMMANDS = {
    "query --all": ("csv", "markdown", "table", "json", "jsonl"),
    "query --all --details": ("table", "markdown", "csv"),
    f"query --all --fields {FIELDS}": ("csv", "table", "markdown", "json"),
    "query --limit 60 --sort name.asc": ("table", "csv"),
    "hash-summary --top 1000": ("html", "markdown", "csv", "table", "json"),
    f"summary --by {BY} --top 100": ("html", "markdown", "csv", "table", "json"),
    "bulk-close --since 5000d --override all --dry-run": ("table", "markdown", "json"),
    "overview": ("table", "html"),
    "report --since 5000d --top 100 --operators": ("html", "markdown", "table", "json"),
    "runs": ("table", "markdown", "csv", "html", "json"),
    "runs show RUN": ("markdown", "csv", "html", "table", "json"),
    "undo RUN --dry-run": ("table", "markdown", "json"),
    "doctor": ("table", "markdown", "json"),
}
CASES = [(command, fmt) for command, formats in COMMANDS.items() for fmt in formats]
SHAPED = [(command, fmt) for command, fmt in CASES if fmt in SHAPES]


class Planted(NamedTuple):
    """A tenant full of texts, and a run there whose alerts were changed by somebody since."""

    shell: CommandRunner
    run: str

    def type(self, command: str, fmt: str, *more: str) -> CommandResult:
        done = self.shell(*command.replace("RUN", self.run).split(), "--format", fmt, *more)
        assert done.code == 0, done
        return done


def plant(folder: Any, texts: dict[str, str]) -> Iterator[Planted]:
    with Server(planted(texts)) as server:
        shell = CommandRunner(folder, server)
        run = shell.json("bulk-close", "--since", "60d", "--override", "all", "--yes", "--max", "1000")
        assert run["changed"] > len(texts)
        yield Planted(shell, run["run_id"])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    yield from plant(tmp_path_factory.mktemp("hostile"), CORPUS)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    yield from plant(tmp_path_factory.mktemp("harmless"), HARMLESS)


@pytest.mark.parametrize(("command", "fmt"), quick_first(*CASES))
def test_nothing_unseen_reaches_a_pipe_or_a_terminal_by_any_command(hostile: Planted, command: str, fmt: str) -> None:
    done = hostile.type(command, fmt)
    assert not unseen(done.err)
    if fmt != "jsonl" and not (fmt == "json" and command.startswith("query")):  # the documents as Falcon sent them
        assert not unseen(done.text)
    argv = (*command.replace("RUN", hostile.run).split(), "--format", fmt, "--no-color", "--no-progress")
    with hostile.shell.terminal(*argv, columns=120) as terminal:
        shown = terminal.finish()
    assert shown.code == 0
    assert not unseen(shown.out.decode().replace("\r\n", "\n"))


@pytest.mark.parametrize(("command", "fmt"), quick_first(*SHAPED, quick=0))
def test_the_structure_is_that_of_harmless_text(hostile: Planted, harmless: Planted, command: str, fmt: str) -> None:
    shape = SHAPES[fmt]
    page = hostile.type(command, fmt).text
    assert shape(page) == shape(harmless.type(command, fmt).text)
    assert "evil.example" not in re.findall(r'(?:href|src)="([^"]*)"', page)
    if fmt == "csv":
        assert not formulas(page)


def test_the_texts_are_really_shown(hostile: Planted) -> None:
    """Otherwise all of this would prove nothing."""
    page = hostile.type(f"query --all --fields {FIELDS}", "csv").text
    for part in ("31mred", "u202etxt", "cmd|' /C calc'", "onerror=alert(1)", "platform_name:'Linux", "x" * 5000):
        assert part in page
    assert "half ? a character" in page


def test_nothing_that_falcon_sent_names_a_file(hostile: Planted) -> None:
    folder = hostile.shell.folder
    beside = sorted(folder.parent.iterdir())
    for command in ("query --all", "hash-summary", "summary", "runs", f"runs show {hostile.run}"):
        hostile.type(command, "table", "-o", "reports/", "--quiet")
    state = r"customers\.json(\.lock)?|[0-9a-f]{32}\.(holder|lock|sqlite3(-wal|-shm)?)"
    commands = "query|hash-summary|summary|runs-list|runs-show"
    named = re.compile(rf"customers/acme\.env|reports/acme_\d{{6}}_({commands})\.md|state/({state})")
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not [name for name in files if not named.fullmatch(name)]
    assert sorted(folder.parent.iterdir()) == beside
