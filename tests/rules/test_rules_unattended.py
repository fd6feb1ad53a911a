"""Rules runs that nobody watches: what is notified, one line a rule, and the crontab line that runs them."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.rules.conftest import Acme
from tests.support.command import CommandRunner
from tests.support.mail_server import Mailbox, body
from tests.support.rule_builders import (
    add_group,
    rule,
    rule_file,
    statuses,
    today,
    updater_group,
    with_hash_of,
    write_rules,
)
from tests.support.schedulers import cron_command, sh

pytestmark = pytest.mark.slow

ELSEWHERE = r"\Device\HarddiskVolume3\Temp\updater.exe"
RUN = ("rules", "run", "--yes", "--max", "50", "--batch-delay", "0")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


def rules_at(shell: CommandRunner) -> None:
    """Write rules of which one closes, one is suspended, one is due and one has nothing to tell."""
    updater, miner = (str(updater_group(story).sha256) for story in ("updater", "miner"))
    write_rules(
        shell,
        rule_file(
            rule("quiet", match={"sha256": ["a" * 64]}),
            rule("updater", match={"sha256": [updater]}, expect={"path": [r"\Program Files\Vendor\*"]}),
            rule("miner", match={"sha256": [miner]}),
            rule("ending", match={"sha256": ["d" * 64]}, expires=today() + timedelta(days=3)),
        ),
    )


def cells_by_rule(page: str) -> dict[str, list[str]]:
    """Return the cells of each table row of a mail, by its first cell."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?>(.*?)</td>", row)] for row in rows]
    return {first: rest for first, *rest in filter(None, cells)}


def test_a_notification_has_one_line_a_rule(acme: Acme, mailbox: Mailbox) -> None:
    shell = acme()
    rules_at(shell)
    add_group(shell, updater_group().ordinary(4).near_miss("in Temp", path=ELSEWHERE).group())
    add_group(shell, updater_group("miner").ordinary(1, status="closed", tags=["true_positive"]).group())
    assert shell(*RUN, f"--notify={mailbox.url}").code == 6
    (message,) = mailbox.messages
    assert message["Subject"] == "acme: 4 of 4 alerts changed and verified"
    rows = cells_by_rule(body(message))
    assert rows["updater"] == ["live", "5", "4", "1", "differs 1"]
    assert rows["miner"][0] == "suspended"
    assert rows["ending"][0] == "due"
    assert "quiet" not in rows


def test_a_notification_of_many_customers_sums_each_rule(acme: Acme, mailbox: Mailbox) -> None:
    shell = acme("acme", "globex")
    rules_at(shell)
    add_group(shell, updater_group().ordinary(4).group(), "acme")
    night = with_hash_of(updater_group("globex").ordinary(3).near_miss("in Temp", path=ELSEWHERE), updater_group())
    add_group(shell, night.group(), "globex")
    done = shell.bare(*RUN, "--all-customers", f"--notify={mailbox.url}")
    assert done.code == 0, done
    (message,) = mailbox.messages
    rows = cells_by_rule(body(message))
    assert rows["updater"] == ["live", "8", "7", "1", "differs 1"]
    assert rows["ending"][0] == "due"
    assert rows["acme"][0] == rows["globex"][0] == "done"
    assert re.search(r"^updater +live +8 +7 +1 +differs 1$", done.text, re.MULTILINE), done.text


def test_a_crontab_line_runs_the_rules_that_were_there_when_it_was_made(acme: Acme, tmp_path: Path) -> None:
    shell = acme("acme", "globex")
    ids = add_group(shell, updater_group().ordinary(3).group(), "globex")
    path = write_rules(shell, rule_file(rule(match={"sha256": [updater_group().sha256]})))
    elsewhere = path.rename(path.parent.parent / "approved.toml")
    scheduled = shell.bare(
        *("schedule", "--daily", "02:00", "--format", "json", "--", *RUN, "--all-customers"),
        env={"FALCON_BULK_RULES": str(elsewhere)},
    )
    assert scheduled.code == 0, scheduled
    lines = scheduled.document
    assert f"FALCON_BULK_RULES={elsewhere}" in lines["crontab"]
    done = sh(cron_command(lines["crontab"]), Path("/"), {"PATH": os.environ["PATH"], "HOME": "/", "LANG": "C"})
    assert done.returncode == 0, Path(lines["log"]).read_text()
    assert set(statuses(shell, ids, "globex")) == {"closed"}


def test_a_scheduled_run_needs_consent_for_what_it_will_find(acme: Acme) -> None:
    shell = acme()
    for arguments, message in (
        (("rules", "run", "--customer", "acme"), "rules run would ask for confirmation"),
        (("rules", "run", "--customer", "acme", "--yes"), "--yes needs a bound"),
    ):
        refused = shell.bare("schedule", "--daily", "02:00", "--", *arguments)
        assert refused.code == 2
        assert message in refused.err
