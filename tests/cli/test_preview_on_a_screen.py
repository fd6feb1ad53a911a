"""What is seen of a change on a terminal of 24 lines and 80 columns, up to the question."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.command import CommandRunner, serve_customers, without_styling

SCREEN = {"columns": 80, "lines": 24}


def screen(shell: CommandRunner, *argv: str, code: int = 3, customer: str | None = "acme") -> list[str]:
    """Return the lines of the terminal when the question is asked, and decline."""
    with shell.terminal(*argv, **SCREEN, customer=customer) as terminal:
        terminal.wait_for('Type "')
        terminal.wait_for(":")
        terminal.type("no\n")
        assert terminal.finish().code == code
        shown = without_styling(terminal.shown).replace("\r", "")
    before, question = shown.split('Type "', 1)
    return [*before.splitlines(), f'Type "{question.partition(":")[0]}:']


def frequent(shell: CommandRunner, number: int) -> list[str]:
    """Return the hashes that most alerts have."""
    hashes = shell.hashes()
    return sorted(hashes, key=lambda digest: (-len(hashes[digest]), digest))[:number]


@pytest.mark.parametrize("hashes", [1, 5])
def test_the_preview_of_hashes_fits_on_one_screen(acme: Any, hashes: int) -> None:
    shell = acme(alerts=1500)
    digests = frequent(shell, hashes)
    lines = screen(shell, "close-hash", "--hash", ",".join(digests), "--resolution", "false_positive")
    assert len(lines) <= 24, lines
    assert all(len(line) <= 80 for line in lines), lines
    text = "\n".join(lines)
    assert lines[0].startswith("acme: CLOSE ")
    assert (digests[0] if hashes == 1 else "5 hashes") in text
    for label in ("tenant", "severity", "hosts", "files", "commands", "held", "skipped", "comment", "run"):
        assert f"\n{label} " in text, label


def test_a_dry_run_leaves_its_warnings_on_the_screen_and_cuts_nothing_in_a_pipe(acme: Any) -> None:
    shell = acme(alerts=1500)
    dry = ("close-hash", "--hash", frequent(shell, 1)[0], "--resolution", "ignored", "--dry-run")
    with shell.terminal(*dry, **SCREEN) as terminal:
        shown = without_styling(terminal.finish().out).replace("\r", "").splitlines()
    assert len(shown) <= 24, shown
    assert any(line.startswith("Warning: ") for line in shown)
    with shell.terminal(*dry, **SCREEN, out_to_pipe=True) as terminal:
        piped = terminal.finish().out.decode()
    assert "…" not in piped


def test_the_warnings_stand_under_the_title(acme: Any) -> None:
    shell = acme(alerts=1500)
    lines = screen(shell, "close-hash", "--hash", frequent(shell, 1)[0], "--resolution", "ignored")
    warned = [number for number, line in enumerate(lines) if line.startswith("Warning: ")]
    assert warned
    assert max(warned) < next(number for number, line in enumerate(lines) if line.startswith("tenant"))


def test_the_plans_of_several_customers_fit_on_one_screen(tmp_path: Path) -> None:
    with serve_customers(tmp_path, "acme", "globex", "initech", alerts=300) as shell:
        plan = ("bulk-close", "--all-customers", "--severity", "low", "--resolution", "ignored", "--dry-run")
        done = shell.bare(*plan, "--plan", "plans", "--format", "json")
        assert done.code == 0, done
        results = {part["customer"]: part["result"] for part in done.document["customers"]}
        total = sum(result["planned"] for result in results.values())
        lines = screen(shell, "apply", "plans", customer=None)
        assert len(lines) <= 24
        assert all(len(line) <= 80 for line in lines)
        assert lines[0] == f"CLOSE {total} alerts of 3 customers as ignored"
        assert lines[-1] == f'Type "all {total}" to CLOSE {total} alerts of 3 customers as ignored:'
        for name, result in results.items():
            (line,) = [line for line in lines if line.startswith(name)]
            assert f" {result['planned']} " in line
        with shell.terminal(*plan, **SCREEN, customer=None) as terminal:
            shown = without_styling(terminal.finish().out)
        assert "…" not in shown, "a run id is never cut"


def test_details_are_not_bound_to_the_screen(acme: Any) -> None:
    shell = acme(alerts=300)
    lines = screen(shell, "close-hash", "--hash", frequent(shell, 1)[0], "--details")
    assert len(lines) > 24
    assert any("Product" in line for line in lines)
