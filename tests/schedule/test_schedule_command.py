"""falcon-bulk schedule: its lines run as printed; what would need a person is refused."""

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import CommandResult, CommandRunner
from tests.support.sampling import quick_first
from tests.support.schedulers import cron_command, run_service, setting, sh

SHA256 = "a" * 64
CRON_ENVIRONMENT = {"PATH": "/nonexistent", "HOME": "/", "LANG": "C"}


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=100)) as server:
        yield CommandRunner(tmp_path, server)


@pytest.fixture(scope="module")
def idle_server() -> Iterator[Server]:
    with Server(Tenant(alerts=0)) as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path, idle_server: Server) -> CommandRunner:
    """A folder with a customer whose tenant gets no requests."""
    return CommandRunner(tmp_path, idle_server)


def schedule(
    shell: CommandRunner,
    *argv: str,
    when: Sequence[str] = ("--weekly", "mon", "07:00"),
    env: dict[str, str] | None = None,
) -> CommandResult:
    return shell.bare("schedule", *when, *argv, env=env)


def schedule_json(shell: CommandRunner, *argv: str, **more: Any) -> dict[str, Any]:
    done = schedule(shell, "--format", "json", "--", *argv, **more)
    assert done.code == 0, done
    assert done.document["schema"] == "falcon-bulk/schedule/1"
    return done.document


def test_the_crontab_line_runs_the_command_from_any_folder_with_an_empty_environment(acme: CommandRunner) -> None:
    lines = schedule_json(
        acme, "query", "--customer", "acme", "--all", "--filter", "name:!'100%'", "-o", "new.jsonl", "-q"
    )
    elsewhere = acme.folder / "elsewhere"
    elsewhere.mkdir()
    done = sh(cron_command(lines["crontab"]), elsewhere, CRON_ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), Path(lines["log"]).read_text()
    written = [json.loads(line) for line in (acme.folder / "new.jsonl").read_bytes().splitlines()]
    assert {alert["composite_id"] for alert in written} == {alert["composite_id"] for alert in acme.alerts()}
    assert written[0]["composite_id"] in Path(lines["log"]).read_text()


def test_a_scheduled_change_uses_the_state_folder_it_was_scheduled_with(acme: CommandRunner) -> None:
    lines = schedule_json(
        acme, "bulk-close", "--customer", "acme", "--status", "new", "--yes", "--max", "100", "--override", "all"
    )
    done = sh(cron_command(lines["crontab"]), Path("/"), CRON_ENVIRONMENT)
    assert done.returncode == 0, Path(lines["log"]).read_text()
    assert not [alert for alert in acme.alerts() if alert["status"] == "new"]
    assert acme.json("runs")["runs"][0]["command"] == "bulk-close"


@pytest.mark.slow
def test_the_exit_code_is_that_of_the_command(acme: CommandRunner) -> None:
    lines = schedule_json(acme, "query", "--customer", "acme", "--name", "no such", "--fail-on-empty")
    assert sh(cron_command(lines["crontab"]), Path("/"), CRON_ENVIRONMENT).returncode == 9
    assert "No alert matches" in Path(lines["log"]).read_text()


def test_cron_mails_the_error_of_a_wrong_secret_and_nothing_of_a_success(acme: CommandRunner) -> None:
    lines = schedule_json(acme, "query", "--customer", "acme", "--filter", "name:!'100%'")
    works = sh(cron_command(lines["crontab"]), Path("/"), CRON_ENVIRONMENT)
    assert (works.returncode, works.stdout, works.stderr) == (0, "", "")
    acme.write_customer("acme", FALCON_CLIENT_SECRET="wrong")
    failed = sh(cron_command(lines["crontab"]), Path("/"), CRON_ENVIRONMENT)
    assert failed.returncode == 4, failed
    assert failed.stdout.startswith(f"{lines['name']} failed with exit code 4. The end of its log:\n")
    assert "Error: " in failed.stdout
    assert "Hint: " in failed.stdout
    assert "wrong" not in failed.stdout


def test_cron_mails_that_the_folder_or_the_program_is_gone(acme: CommandRunner) -> None:
    lines = schedule_json(acme, "query", "--customer", "acme")
    for path in (str(acme.folder), sys.executable):
        gone = sh(cron_command(lines["crontab"].replace(path, f"{path}-gone")), Path("/"), CRON_ENVIRONMENT)
        assert gone.returncode != 0
        assert f"{lines['name']} failed with exit code" in gone.stdout


def test_a_service_that_fails_starts_another_that_mails_the_end_of_the_log(acme: CommandRunner) -> None:
    lines = schedule_json(acme, "query", "--customer", "acme", "--filter", "name:!'100%'")
    acme.write_customer("acme", FALCON_CLIENT_SECRET="wrong")
    failed = run_service(lines["service"], CRON_ENVIRONMENT)
    assert failed.returncode == 4, failed
    assert setting(lines["service"], "OnFailure") == [f"{lines['name']}-failed.service"]

    sendmail = acme.folder / "bin" / "sendmail"
    sendmail.parent.mkdir()
    sendmail.write_text(f'#!/bin/sh\necho "$@" > {acme.folder}/recipient\ncat > {acme.folder}/mail\n')
    sendmail.chmod(0o755)
    told = run_service(lines["failure_service"], {"PATH": f"{sendmail.parent}:/usr/bin:/bin"})
    assert told.returncode == 0, told
    assert (acme.folder / "recipient").read_text() == f"-i {pwd.getpwuid(os.getuid()).pw_name}\n"
    subject, blank, *text = (acme.folder / "mail").read_text().splitlines()
    assert (subject, blank) == (f"Subject: {lines['name']} failed", "")
    assert any(line.startswith("Error: ") for line in text)

    (sendmail.parent / "logger").write_text(f'#!/bin/sh\necho "$@" > {acme.folder}/logged\n')
    (sendmail.parent / "logger").chmod(0o755)
    sendmail.write_text("#!/bin/sh\ncat > /dev/null\nexit 127\n")
    assert run_service(lines["failure_service"], {"PATH": f"{sendmail.parent}:/usr/bin:/bin"}).returncode == 0
    assert f"{lines['name']} failed; its log is {lines['log']}" in (acme.folder / "logged").read_text()


def test_paths_are_absolute_and_the_state_folder_is_copied(shell: CommandRunner) -> None:
    lines = schedule_json(shell, "query", "--customer", "acme")
    folder = str(shell.folder)
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
def test_a_given_customers_folder_is_made_absolute_in_place(shell: CommandRunner) -> None:
    (shell.folder / "eu").symlink_to("customers")
    for options in (("--customers-dir", "eu"), ("--customers-dir=eu",)):
        crontab = schedule_json(shell, *options, "query", "--customer", "acme")["crontab"]
        assert crontab.count("--customers-dir") == 1
        assert f"{shell.folder}/eu " in crontab
    mentioned = schedule_json(
        shell, *("close-hash", "--customer", "acme", "--hash", SHA256, "--dry-run", "--comment", "--customers-dir")
    )
    assert "--comment --customers-dir" in mentioned["crontab"]


def test_a_proxy_is_not_copied_since_it_may_hold_a_password(shell: CommandRunner) -> None:
    env = {"HTTPS_PROXY": "http://ann:s3cret@proxy:3128", "FALCON_CLIENT_SECRET": "s3cret"}
    done = schedule(shell, "--", "query", "--customer", "acme", env=env)
    assert done.code == 0
    assert "HTTPS_PROXY is not copied" in done.err
    assert b"s3cret" not in done.out


def test_the_blocks_are_labelled_and_hold_the_same_as_json(shell: CommandRunner) -> None:
    lines = schedule_json(shell, "query", "--customer", "acme")
    done = schedule(shell, "--", "query", "--customer", "acme")
    assert [line for line in done.text.splitlines() if line.startswith("# ")] == [
        "# cron: a line for `crontab -e`",
        f"# systemd: ~/.config/systemd/user/{lines['name']}.service",
        f"# systemd: ~/.config/systemd/user/{lines['name']}.timer",
        f"# systemd: ~/.config/systemd/user/{lines['name']}-failed.service",
    ]
    for block in ("crontab", "service", "timer", "failure_service"):
        assert lines[block] in done.text
    code = "".join(f"    {line}\n" for line in lines["service"].splitlines())
    assert code in schedule(shell, "--format", "markdown", "--", "query", "--customer", "acme").text
    assert f"systemctl --user enable --now {lines['name']}.timer" in done.err


def test_at_prints_the_crontab_line_alone_and_says_so(shell: CommandRunner) -> None:
    when = ("--at", "0 7 13 * fri")
    done = schedule(shell, "--", "query", "--customer", "acme", when=when)
    assert (done.code, done.text.count("# ")) == (0, 1)
    assert "# cron: a line for `crontab -e`\n0 7 13 * fri cd " in done.text
    assert "Note: --at is for crontab alone; for systemd units use --daily, --weekly or --every." in done.err
    assert "systemctl" not in done.err
    document = schedule_json(shell, "query", "--customer", "acme", when=when)
    assert (document["service"], document["timer"], document["failure_service"]) == (None, None, None)
    assert document["crontab"] in done.text


@pytest.mark.parametrize(
    ("when", "cron", "on_calendar"),
    quick_first(
        (("--every", "6h"), "0 */6 * * * cd ", "*-*-* 00/6:00:00"),
        (("--daily", "07:30"), "30 7 * * * cd ", "*-*-* 07:30:00"),
    ),
)
def test_each_recurrence_goes_into_the_line_and_the_timer(
    shell: CommandRunner, when: tuple[str, ...], cron: str, on_calendar: str
) -> None:
    document = schedule_json(shell, "query", "--customer", "acme", when=when)
    assert document["crontab"].startswith(cron)
    assert setting(document["timer"], "OnCalendar") == [on_calendar]


@pytest.mark.parametrize(
    ("when", "expected"),
    quick_first(
        ((), "Nothing says when the command runs."),
        (("--daily", "07:00", "--every", "6h"), "--daily and --every do not go together."),
        (("--weekly", "mon", "07:00", "--at", "0 7 * * 1"), "--weekly and --at do not go together."),
        (("--daily", "07:00", "--daily", "08:00"), "--daily is given twice"),
        (("--weekly", "mon", "07:00", "--weekly", "tue", "07:00"), "--weekly is given twice"),
        (("--daily", ""), "is not a time of day"),
        (("--at", "@daily"), "--at takes no word"),
        quick=2,
    ),
)
def test_exactly_one_recurrence_is_required(shell: CommandRunner, when: tuple[str, ...], expected: str) -> None:
    done = schedule(shell, "--", "query", "--customer", "acme", when=when)
    assert (done.code, done.out) == (2, b"")
    assert expected in done.err
    assert "Hint: " in done.err


@pytest.mark.parametrize(
    ("argv", "expected"),
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
        (["close-hash", "--hash", SHA256], "close-hash would ask for confirmation"),
        (["close-hash", "--hash", SHA256, "--yes"], "--yes needs a bound"),
        (["bulk-close", "--host", "LAB-*", "--max", "5"], "bulk-close would ask"),
        (["bulk-close", "--ids-file", "-", "--yes", "--max", "5"], "no standard input"),
        (["apply", "x.plan"], "apply would ask"),
        (["undo", "RUN"], "undo would ask"),
        (["undo", "latest", "--yes", "--max", "5"], "`undo latest` cannot be scheduled."),
        (["customers", "add", "globex"], "cannot be scheduled"),
        (["emulator", "serve"], "cannot be scheduled"),
        (["demo"], "cannot be scheduled"),
        (["schedule", "--daily", "07:00", "--", "query"], "cannot be scheduled"),
        (["query", "--filter", "a\nb"], "control or invisible"),
        quick=4,
    ),
)
def test_a_command_that_cannot_run_unattended_is_refused(shell: CommandRunner, argv: list[str], expected: str) -> None:
    if argv[:1] and argv[0] not in ("customers", "emulator", "demo", "falcon-bulk") and "--version" not in argv:
        argv = [*argv, "--customer", "acme"] if argv[0] != "schedule" else argv
    done = schedule(shell, "--", *argv)
    assert done.code == 2, done
    assert expected in done.err
    assert done.out == b""


@pytest.mark.parametrize(
    "argv",
    quick_first(
        ["apply", "x.plan", "--yes"],
        ["resume"],
        ["runs", "prune", "--older-than", "90d"],
        ["undo", "RUN", "--dry-run"],
        ["falcon-bulk", "hash-summary"],
    ),
)
def test_a_command_that_asks_nothing_is_scheduled(shell: CommandRunner, argv: list[str]) -> None:
    assert argv[-1] in schedule_json(shell, *argv, "--customer", "acme")["crontab"]


@pytest.mark.slow
def test_missing_customers_are_found_when_scheduling(shell: CommandRunner) -> None:
    done = schedule(shell, "--", "query", "--customer", "acne")
    assert done.code == 4
    assert "Did you mean acme?" in done.err
    done = schedule(shell, "--", "query", env={"FALCON_CLIENT_ID": "x", "FALCON_CLIENT_SECRET": "y"})
    assert done.code == 2
    assert "cron does not have" in done.err
    shell.write_env(".env", "")
    assert schedule(shell, "--", "query").code == 0


@pytest.mark.slow
def test_a_line_too_long_for_cron_is_pointed_out(shell: CommandRunner) -> None:
    assert "998" not in schedule(shell, "--", "query", "--customer", "acme").err
    assert "998" in schedule(shell, "--", "query", "--customer", "acme", "--filter", f"name:'{'x' * 900}'").err


def test_the_customer_belongs_to_the_command(shell: CommandRunner) -> None:
    done = shell.bare("schedule", "--daily", "07:00", "--customer", "acme", "--", "query")
    assert done.code == 2
    assert "after the --" in done.err


@pytest.mark.slow
def test_the_default_name_is_stable_and_differs_between_schedules_of_one_command(shell: CommandRunner) -> None:
    names = [schedule_json(shell, "query", "--customer", "acme", "--limit", limit)["name"] for limit in ("1", "2", "1")]
    assert names[0] == names[2] != names[1]


@pytest.mark.slow
def test_unit_name_names_the_log(shell: CommandRunner) -> None:
    done = schedule(shell, "--unit-name", "acme-daily", "--format", "json", "--", "query", "--customer", "acme")
    assert done.document["log"] == f"{shell.folder}/state/schedules/acme-daily.log"
    for name in ("../x", "a b", "a%b", "x.timer", ""):
        done = schedule(shell, f"--unit-name={name}", "--", "query", "--customer", "acme")
        assert done.code == (2 if name else 0)


@pytest.mark.slow
def test_the_job_runs_the_script_that_was_called(shell: CommandRunner) -> None:
    script = shell.install_program()
    for call, path in (("./falcon-bulk", "/usr/bin"), ("falcon-bulk", f"{shell.folder}:/usr/bin")):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{call} schedule --daily 07:00 --format json -- query --customer acme"],
            cwd=shell.folder,
            env=shell.environment({"PATH": path}),
            capture_output=True,
            check=True,
        )
        assert f"{script} query --customers-dir" in json.loads(done.stdout)["crontab"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_verifies_the_units(shell: CommandRunner) -> None:
    lines = schedule_json(shell, "query", "--customer", "acme", "--filter", "name:'100%'+x:'$a'")
    for kind in ("service", "timer"):
        (shell.folder / f"{lines['name']}.{kind}").write_text(lines[kind])
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"./{lines['name']}.service", f"./{lines['name']}.timer"],
        cwd=shell.folder,
        env={"PATH": os.environ["PATH"], "LANG": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
