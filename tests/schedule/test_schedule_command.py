"""falcon-bulk schedule: what it prints runs as it stands; what would ask is refused."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import CommandResult, CommandRunner
from tests.support.sampling import quick_first
from tests.support.schedulers import cron_command, setting, sh

SHA256 = "a" * 64
BARE = {"PATH": "/nonexistent", "HOME": "/", "LANG": "C"}


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=100)) as server:
        yield CommandRunner(tmp_path, server)


@pytest.fixture(scope="module")
def unasked() -> Iterator[Server]:
    with Server(Tenant(alerts=0)) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, unasked: Server) -> CommandRunner:
    """A folder with a customer whom nobody asks."""
    return CommandRunner(tmp_path, unasked)


def schedule(
    shell: CommandRunner, *words: str, at: str = "0 7 * * 1", env: dict[str, str] | None = None
) -> CommandResult:
    return shell.bare("schedule", "--at", at, *words, env=env)


def scheduled(shell: CommandRunner, *words: str, **more: Any) -> dict[str, Any]:
    done = schedule(shell, "--format", "json", "--", *words, **more)
    assert done.code == 0, done
    assert done.document["schema"] == "falcon-bulk/schedule/1"
    return done.document


def test_the_crontab_line_runs_the_command_anywhere_and_with_nothing_around_it(acme: CommandRunner) -> None:
    lines = scheduled(acme, "query", "--customer", "acme", "--all", "--filter", "name:!'100%'", "-o", "new.jsonl", "-q")
    elsewhere = acme.folder / "related"
    elsewhere.mkdir()
    done = sh(cron_command(lines["crontab"]), elsewhere, BARE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), Path(lines["log"]).read_text()
    written = [json.loads(line) for line in (acme.folder / "new.jsonl").read_bytes().splitlines()]
    assert {alert["composite_id"] for alert in written} == {alert["composite_id"] for alert in acme.alerts()}
    assert written[0]["composite_id"] in Path(lines["log"]).read_text()


def test_a_scheduled_change_is_done_and_recorded_where_it_was_scheduled(acme: CommandRunner) -> None:
    lines = scheduled(
        acme, "bulk-close", "--customer", "acme", "--status", "new", "--yes", "--max", "100", "--override", "all"
    )
    done = sh(cron_command(lines["crontab"]), Path("/"), BARE)
    assert done.returncode == 0, Path(lines["log"]).read_text()
    assert not [alert for alert in acme.alerts() if alert["status"] == "new"]
    assert acme.json("runs")["runs"][0]["command"] == "bulk-close"


@pytest.mark.slow
def test_the_exit_code_is_that_of_the_command(acme: CommandRunner) -> None:
    lines = scheduled(acme, "query", "--customer", "acme", "--name", "no such", "--fail-on-empty")
    assert sh(cron_command(lines["crontab"]), Path("/"), BARE).returncode == 9
    assert "No alert matches" in Path(lines["log"]).read_text()


def test_paths_are_absolute_and_the_state_folder_comes_along(desk: CommandRunner) -> None:
    lines = scheduled(desk, "query", "--customer", "acme")
    folder = str(desk.folder)
    assert f"cd {folder} && " in lines["crontab"]
    assert f"--customers-dir {folder}/customers" in lines["crontab"]
    assert f"FALCON_BULK_STATE_DIR={folder}/state" in lines["crontab"]
    assert lines["log"].startswith(f"{folder}/state/schedules/falcon-bulk-query-acme-")
    assert setting(lines["service"], "WorkingDirectory") == [folder]
    assert setting(lines["service"], "Environment")[0] == f"FALCON_BULK_STATE_DIR={folder}/state"
    assert setting(lines["timer"], "OnCalendar") == ["Mon *-*-* 07:00:00"]
    (start,) = setting(lines["service"], "ExecStart")
    assert start in lines["crontab"]


@pytest.mark.slow
def test_a_customers_folder_that_is_named_is_made_absolute_in_its_place(desk: CommandRunner) -> None:
    (desk.folder / "eu").symlink_to("customers")
    for words in (("--customers-dir", "eu"), ("--customers-dir=eu",)):
        crontab = scheduled(desk, *words, "query", "--customer", "acme")["crontab"]
        assert crontab.count("--customers-dir") == 1
        assert f"{desk.folder}/eu " in crontab
    said = scheduled(
        desk, *("close-hash", "--customer", "acme", "--hash", SHA256, "--dry-run", "--comment", "--customers-dir")
    )
    assert "--comment --customers-dir" in said["crontab"]


def test_a_proxy_is_not_written_down_since_it_may_hold_a_password(desk: CommandRunner) -> None:
    env = {"HTTPS_PROXY": "http://ann:s3cret@proxy:3128", "FALCON_CLIENT_SECRET": "s3cret"}
    done = schedule(desk, "--", "query", "--customer", "acme", env=env)
    assert done.code == 0
    assert "HTTPS_PROXY is not carried over" in done.err
    assert b"s3cret" not in done.out


def test_the_blocks_are_labelled_and_hold_what_json_has(desk: CommandRunner) -> None:
    lines = scheduled(desk, "query", "--customer", "acme", at="0 7 13 * fri")
    done = schedule(desk, "--", "query", "--customer", "acme", at="0 7 13 * fri")
    assert [line for line in done.text.splitlines() if line.startswith("# ")] == [
        "# cron: a line for `crontab -e`",
        f"# systemd: ~/.config/systemd/user/{lines['name']}.service",
        f"# systemd: ~/.config/systemd/user/{lines['name']}.timer",
    ]
    for block in ("crontab", "service", "timer"):
        assert lines[block] in done.text
    code = "".join(f"    {line}\n" for line in lines["service"].splitlines())
    assert code in schedule(desk, "--format", "markdown", "--", "query", "--customer", "acme").text
    assert "two OnCalendar lines" in done.err
    assert f"systemctl --user enable --now {lines['name']}.timer" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    quick_first(
        ([], "no command to schedule"),
        (["falcon-bulk"], "no command to schedule"),
        (["--no-color"], "no command to schedule"),
        (["qery"], "Did you mean query?"),
        (["query", "--statsu", "new"], "No such option"),
        (["query", "--limit", "many"], "not a valid integer"),
        (["query", "--status", "resolved"], "is not a value of --status"),
        (["query", "--help"], "only show help"),
        (["--version"], "only show help"),
        (["runs", "show"], "Missing argument"),
        (["close-hash", "--hash", SHA256], "close-hash would ask"),
        (["close-hash", "--hash", SHA256, "--yes"], "--yes needs a bound"),
        (["bulk-close", "--host", "LAB-*", "--max", "5"], "bulk-close would ask"),
        (["bulk-close", "--ids-file", "-", "--yes", "--max", "5"], "no standard input"),
        (["apply", "x.plan"], "apply would ask"),
        (["undo", "RUN"], "undo would ask"),
        (["customers", "add", "globex"], "cannot be scheduled"),
        (["emulator", "serve"], "cannot be scheduled"),
        (["demo"], "cannot be scheduled"),
        (["schedule", "--at", "0 7 * * *", "--", "query"], "cannot be scheduled"),
        (["query", "--filter", "a\nb"], "control or invisible"),
        quick=4,
    ),
)
def test_what_cannot_run_alone_is_refused(desk: CommandRunner, words: list[str], says: str) -> None:
    if words[:1] and words[0] not in ("customers", "emulator", "demo", "falcon-bulk") and "--version" not in words:
        words = [*words, "--customer", "acme"] if words[0] != "schedule" else words
    done = schedule(desk, "--", *words)
    assert done.code == 2, done
    assert says in done.err
    assert done.out == b""


@pytest.mark.parametrize(
    "words",
    quick_first(
        ["apply", "x.plan", "--yes"],
        ["resume"],
        ["runs", "prune", "--older-than", "90d"],
        ["undo", "RUN", "--dry-run"],
        ["falcon-bulk", "hash-summary"],
    ),
)
def test_what_asks_nothing_is_scheduled(desk: CommandRunner, words: list[str]) -> None:
    assert words[-1] in scheduled(desk, *words, "--customer", "acme")["crontab"]


@pytest.mark.slow
def test_customers_that_are_not_there_are_found_out_before_the_first_night(desk: CommandRunner) -> None:
    done = schedule(desk, "--", "query", "--customer", "acne")
    assert done.code == 4
    assert "Did you mean acme?" in done.err
    done = schedule(desk, "--", "query", env={"FALCON_CLIENT_ID": "x", "FALCON_CLIENT_SECRET": "y"})
    assert done.code == 2
    assert "cron does not have" in done.err
    desk.write_env(".env", "")
    assert schedule(desk, "--", "query").code == 0


@pytest.mark.slow
def test_a_line_too_long_for_cron_is_told(desk: CommandRunner) -> None:
    assert "998" not in schedule(desk, "--", "query", "--customer", "acme").err
    assert "998" in schedule(desk, "--", "query", "--customer", "acme", "--filter", f"name:'{'x' * 900}'").err


def test_the_customer_goes_with_the_command(desk: CommandRunner) -> None:
    done = desk.bare("schedule", "--at", "0 7 * * 1", "--customer", "acme", "--", "query")
    assert done.code == 2
    assert "behind the --" in done.err


@pytest.mark.slow
def test_two_schedules_of_one_command_have_two_names_and_one_schedule_always_the_same(desk: CommandRunner) -> None:
    names = [scheduled(desk, "query", "--customer", "acme", "--limit", limit)["name"] for limit in ("1", "2", "1")]
    assert names[0] == names[2] != names[1]


@pytest.mark.slow
def test_a_unit_can_be_named(desk: CommandRunner) -> None:
    done = schedule(desk, "--unit-name", "acme-daily", "--format", "json", "--", "query", "--customer", "acme")
    assert done.document["log"] == f"{desk.folder}/state/schedules/acme-daily.log"
    for name in ("../x", "a b", "a%b", "x.timer", ""):
        done = schedule(desk, f"--unit-name={name}", "--", "query", "--customer", "acme")
        assert done.code == (2 if name else 0)


@pytest.mark.slow
def test_what_runs_is_the_script_that_was_called(desk: CommandRunner) -> None:
    script = desk.folder / "falcon-bulk"
    script.write_text(f"#!{sys.executable}\nfrom falcon_bulk.cli.main import run\nrun()\n")
    script.chmod(0o755)
    for call, path in (("./falcon-bulk", "/usr/bin"), ("falcon-bulk", f"{desk.folder}:/usr/bin")):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{call} schedule --at '0 7 * * 1' --format json -- query --customer acme"],
            cwd=desk.folder,
            env=desk.environment({"PATH": path}),
            capture_output=True,
            check=True,
        )
        assert f"{script} query --customers-dir" in json.loads(done.stdout)["crontab"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_finds_no_fault_in_the_units(desk: CommandRunner) -> None:
    lines = scheduled(desk, "query", "--customer", "acme", "--filter", "name:'100%'+x:'$a'")
    for kind in ("service", "timer"):
        (desk.folder / f"{lines['name']}.{kind}").write_text(lines[kind])
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"./{lines['name']}.service", f"./{lines['name']}.timer"],
        cwd=desk.folder,
        env={"PATH": os.environ["PATH"], "LANG": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
