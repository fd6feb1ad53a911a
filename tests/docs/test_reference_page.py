"""The pages that are written from the commands: up to date, and fit for the programs that show them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "man" / "falcon-bulk.1"
REFERENCE = ROOT / "docs" / "reference.md"


def test_the_reference_and_the_manual_page_are_what_the_commands_say() -> None:
    check = [sys.executable, ROOT / "tools" / "reference.py", "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_is_not_up_to_date_is_named(tmp_path: Path) -> None:
    for name in ("tools", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "docs" / "reference.md").open("a", encoding="utf-8") as page:
        page.write("\n## no-such-command\n")
    check = [sys.executable, tmp_path / "tools" / "reference.py", "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["docs/reference.md", "man/falcon-bulk.1"]


def test_the_index_of_the_reference_leads_to_each_section() -> None:
    page = REFERENCE.read_text(encoding="utf-8")
    sections = [title.replace(" ", "-") for title in re.findall(r"^## (.+)$", page, re.MULTILINE)]
    assert ["Shared-options", *re.findall(r"^- \[.+\]\(#(.+)\)$", page, re.MULTILINE)] == sections


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_page_is_good_roff_and_shows_every_section() -> None:
    command = ["groff", "-ww", "-man", "-Kutf8", "-Tascii", "-P-c", "-P-b", "-P-u", MANUAL]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    titles = re.findall(r"^[A-Z][A-Z ]+$", done.stdout, re.MULTILINE)
    assert titles == [
        *("NAME", "SYNOPSIS", "DESCRIPTION", "SHARED OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES")
    ]
    assert "       --status new|in_progress|reopened|closed" in done.stdout
    assert "       FALCON_CLIENT_SECRET" in done.stdout
    assert "\n       130, 143\n" in done.stdout
    assert "`" not in done.stdout.partition("EXIT STATUS")[2], "no mark of Markdown is left in what is taken from docs"
