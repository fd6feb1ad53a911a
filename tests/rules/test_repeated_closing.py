"""After the same alerts were closed by hand again, the hint offers the draft of a rule."""

import shlex

import pytest

from tests.rules.conftest import Acme
from tests.support.command import CommandResult, CommandRunner
from tests.support.rule_builders import add_group, updater_group, with_hash_of

pytestmark = pytest.mark.slow

AS_BENIGN = ("--resolution", "false_positive", "--yes", "--max", "99", "--batch-delay", "0")


def arrive(shell: CommandRunner, story: str = "updater") -> str:
    """Have alerts of the updater arrive; return its hash."""
    group = with_hash_of(updater_group(story).ordinary(3), updater_group()).group()
    add_group(shell, group)
    return str(group.documents[0]["sha256"])


def offered(done: CommandResult) -> list[str]:
    """Return the command that the hint offers, [] without one."""
    assert done.code == 0, done
    lines = [line for line in done.err.splitlines() if line.startswith("Closed by hand ")]
    return shlex.split(lines[0].partition("  ")[2])[1:] if lines else []


@pytest.mark.parametrize("by_hash", [True, False])
def test_the_second_time_the_draft_is_offered(acme: Acme, by_hash: bool) -> None:
    shell = acme()
    digest = arrive(shell)
    more = ("--since", "2026-01-01")
    command = ("close-hash", "--hash", digest) if by_hash else ("bulk-close", "--filter", f"sha256:'{digest}'")
    assert not offered(shell(*command, *AS_BENIGN))
    assert not offered(shell(*command, *AS_BENIGN))  # nothing is left to close
    arrive(shell, "second night")
    second = shell(*command, *more, *AS_BENIGN)
    assert offered(second)[:3] == ["rules", "draft", "--run"]
    assert "Closed by hand once before" in second.err
    drafted = shell.bare(*offered(second))
    assert drafted.code == 0, drafted
    assert digest in drafted.text
    arrive(shell, "third night")
    assert "Closed by hand 2 times before" in shell(*command, *AS_BENIGN).err


def test_other_alerts_undone_runs_and_true_positives_offer_nothing(acme: Acme) -> None:
    shell = acme()
    digest = arrive(shell)
    shell("close-hash", "--hash", digest, *AS_BENIGN)
    undone = shell.newest_run().run_id
    assert shell("undo", undone, "--yes", "--max", "99").code == 0
    assert not offered(shell("close-hash", "--hash", digest, *AS_BENIGN))
    arrive(shell, "second night")
    as_true = ("--resolution", "true_positive", "--yes", "--max", "99")
    assert not offered(shell("close-hash", "--hash", digest, *as_true))
    other = updater_group("another program").ordinary(3).group()
    add_group(shell, other)
    assert not offered(shell("close-hash", "--hash", str(other.documents[0]["sha256"]), *AS_BENIGN))


def test_ids_that_were_given_are_no_group(acme: Acme) -> None:
    shell = acme()
    first = add_group(shell, updater_group().ordinary(3).group())
    second = add_group(shell, with_hash_of(updater_group("second").ordinary(3), updater_group()).group())
    assert not offered(shell(*shell.close_command(first)))
    assert not offered(shell(*shell.close_command(second)))
