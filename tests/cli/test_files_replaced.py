"""What --plan and -o write over: a plan, a report, and nothing else; and through whose links."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import COMMAND, CommandRunner, serve_customers

REPORTS = [
    ("hash-summary", "hashes", ("json", "csv", "md", "txt", "html")),
    ("summary", "summary", ("json", "csv", "md", "txt", "html")),
    ("query", "alerts", ("json", "jsonl", "csv", "md", "txt")),
    ("query --count", "count", ("json", "csv", "md", "txt")),
    ("query --fields severity_name", "fields", ("json", "jsonl", "csv", "md")),
    ("query --status reopened --severity critical --host nobody", "nothing", ("json", "jsonl", "csv", "md", "txt")),
    ("bulk-close --severity low --dry-run", "run", ("json", "md", "txt")),
    ("doctor", "doctor", ("json", "md", "txt")),
    ("runs", "runs", ("json", "csv", "md", "txt", "html")),
    ("customers list", "customers", ("json", "csv", "md", "txt")),
]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path_factory.mktemp("files"), alerts=60) as shell:
        yield shell


@pytest.mark.slow
@pytest.mark.parametrize(("command", "stem", "suffixes"), REPORTS, ids=[stem for _, stem, _ in REPORTS])
def test_a_report_replaces_the_one_of_yesterday(
    shell: CommandRunner, command: str, stem: str, suffixes: tuple[str, ...]
) -> None:
    for suffix in suffixes:
        place = shell.folder / f"{stem}.{suffix}"
        customer = None if command == "customers list" else "acme"
        first = shell(*command.split(), "-o", place.name, customer=customer)
        assert first.code == 0, first
        written = place.stat().st_ino
        again = shell(*command.split(), "-o", place.name, customer=customer)
        assert again.code == 0, again
        assert place.stat().st_ino != written


def test_a_plan_replaces_a_plan(shell: CommandRunner) -> None:
    plan = ("bulk-close", "--severity", "low", "--dry-run", "--plan", "again.plan")
    assert shell(*plan).code == 0
    assert shell(*plan).code == 0


def test_neither_a_plan_nor_a_report_replaces_an_env_file_a_journal_or_notes(shell: CommandRunner) -> None:
    close = ("bulk-close", "--severity", "low", "--yes", "--max", "99", "--override", "all")
    assert shell(*close).code == 0
    (shell.folder / "notes.md").write_text("Ask Ann about the lab.\n")
    (shell.folder / "more.txt").write_text(shell.env_texts["acme"])
    (shell.folder / "linked.csv").symlink_to(shell.env_file)
    assert shell("bulk-close", "--severity", "low", "--dry-run", "--plan", "a.plan").code == 0
    (shell.folder / "plan.json").write_bytes((shell.folder / "a.plan").read_bytes())
    journal = shell.journal_path
    for options in (
        ("--plan", "customers/acme.env"),
        ("--plan", str(journal)),
        ("--plan", "notes.md"),
        ("-o", "notes.md"),
        ("-o", "more.txt"),
        ("-o", "linked.csv"),
        ("-o", "plan.json"),
    ):
        place = shell.folder / options[1]
        before = place.read_bytes()
        argv = ("bulk-close", "--severity", "low", "--dry-run") if options[0] == "--plan" else ("hash-summary",)
        refused = shell(*argv, *options)
        assert refused.code == 2, refused
        assert "was not written by falcon-bulk" in refused.err
        assert place.read_bytes() == before
        assert not list(place.parent.glob(".falcon-bulk-*"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can make another user's link")
def test_a_link_that_another_user_planted_is_not_followed(shell: CommandRunner) -> None:
    folder = shell.folder / "shared"
    folder.mkdir(exist_ok=True)
    target = shell.folder / "precious.md"
    (folder / "report.md").symlink_to(target)
    (folder / "below").symlink_to(shell.folder)
    for name in ("report.md", "below"):
        os.chown(folder / name, 54321, 54321, follow_symlinks=False)
    for option, place in (
        ("-o", "shared/report.md"),
        ("-o", "shared/below/new.md"),
        ("--plan", "shared/report.md"),
        ("--plan", "shared/below/new.plan"),
    ):
        argv = ("bulk-close", "--severity", "low", "--dry-run") if option == "--plan" else ("hash-summary",)
        refused = shell(*argv, option, place)
        assert refused.code == 2, refused
        assert "a link of another user" in refused.err
    assert not target.exists()
    for name in ("report.md", "below"):
        os.chown(folder / name, os.geteuid(), -1, follow_symlinks=False)
    assert shell("hash-summary", "-o", "shared/report.md").code == 0
    assert target.exists()
    assert (folder / "report.md").is_symlink()


def test_a_journal_that_was_emptied_is_an_error_and_not_a_new_one(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=60) as shell:
        close = ("bulk-close", "--severity", "low", "--override", "all", "--yes", "--max", "99")
        assert shell(*close).code == 0
        run = shell.newest_run().run_id
        shell.journal_path.write_bytes(b"")
        for argv in (("runs",), ("runs", "show", run), ("undo", run, "--yes", "--max", "99"), ("resume",), close):
            failed = shell(*argv)
            assert failed.code == 1, failed
            assert f"The journal {shell.journal_path} is empty" in failed.err
            assert shell.journal_path.read_bytes() == b""
        shell.journal_path.unlink()
        assert shell("runs").code == 0


def test_an_empty_file_in_which_no_run_was_ever_recorded_becomes_a_journal(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=60) as shell:
        shell.state.mkdir(mode=0o700)
        shell.journal_path.touch(mode=0o600)
        close = ("bulk-close", "--severity", "low", "--override", "all", "--yes", "--max", "99")
        assert shell(*close).code == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become an unknown user")
def test_without_a_home_and_a_name_the_error_says_what_to_set(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for more, code in (({}, 4), ({"HOME": ""}, 4), ({"FALCON_BULK_STATE_DIR": "~/journal"}, 4)):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **more}
        done = subprocess.run(
            ["setpriv", "--reuid=54321", "--clear-groups", "--", *COMMAND, "runs"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done
        assert "Set HOME, or FALCON_BULK_STATE_DIR" in done.stderr
    assert not list(tmp_path.iterdir())
