"""Job quoting: whatever a command contains, sh and systemd run exactly that command."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.scheduling.job import Job, flock_command
from falcon_bulk.operations.scheduling.recurrence import at_cron, daily, weekly
from tests.support.schedulers import cron_command, setting, sh, split_exec_start

NOON = daily("12:00")
AWKWARD = st.text(st.sampled_from(list("a '\"\\%$`!*?~#&;|<>(){}[]=@:-ü\u00b2")), max_size=12)
arguments = st.lists(st.one_of(AWKWARD, st.text(max_size=8).filter(str.isprintable)), min_size=1, max_size=5)


def make_job(folder: Path, *command: str, **more: object) -> Job:
    return Job("job", list(command), folder, folder / "job.log", **more)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(arguments)
@example(["100\\%", "\\\\%", "\\", "%", "'\\%'", "a\\'%"])
@example(["", "$(reboot)", "`reboot`", "${HOME}", "a;b", "~"])
def test_sh_runs_exactly_the_arguments_that_cron_passes_on(
    tmp_path_factory: pytest.TempPathFactory, arguments: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("job")
    job = make_job(folder, "/usr/bin/printf", "%s\\0", *arguments)
    line = job.schedule(NOON).crontab
    assert "\n" not in line
    done = sh(cron_command(line), Path("/"), {})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert job.log.read_bytes().decode().split("\0")[:-1] == arguments


@given(arguments)
@example(["100%", "%n", "$HOME", "$$", "\\", '"', "'", "", ";", "a\\\\b"])
def test_systemd_runs_exactly_the_arguments(arguments: list[str]) -> None:
    (line,) = setting(str(make_job(Path("/x"), "/bin/true", *arguments).schedule(NOON).service), "ExecStart")
    assert split_exec_start(line) == ["/bin/true", *arguments]


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "\x1b[31m", "\u202e", "\udcff"])
def test_text_that_a_line_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem):
        make_job(Path("/x"), "/bin/true", text).schedule(NOON)
    with pytest.raises(UsageProblem):
        make_job(Path("/x") / text, "/bin/true").schedule(NOON)


def test_a_folder_that_systemd_would_misread_is_refused() -> None:
    for name in ("ends\\", "ends "):
        with pytest.raises(UsageProblem):
            make_job(Path("/x") / name, "/bin/true").schedule(NOON)


def test_crontab_alone_is_spared_what_only_systemd_cannot_hold() -> None:
    schedule = make_job(Path("/x"), "/opt/it's/bin/falcon-bulk").schedule(at_cron("0 7 * * 1"))
    assert (schedule.service, schedule.timer) == (None, None)
    assert schedule.crontab.startswith("0 7 * * 1 cd /x && ")


@pytest.mark.parametrize("name", ["it's", 'a"b', "a\\b"])
def test_a_program_that_systemd_cannot_run_is_refused(name: str) -> None:
    with pytest.raises(UsageProblem):
        make_job(Path("/x"), f"/opt/{name}/bin/falcon-bulk").schedule(NOON)


def test_the_line_exits_with_the_code_of_the_command(tmp_path: Path) -> None:
    lock = flock_command(Path("/usr/bin/flock"), tmp_path / "lock")
    line = make_job(tmp_path, "/bin/sh", "-c", "exit 6", lock=lock).schedule(NOON).crontab
    assert sh(cron_command(line), tmp_path, {}).returncode == 6


@pytest.mark.skipif(not Path("/usr/bin/flock").exists(), reason="flock is not here")
def test_two_runs_of_a_job_do_not_overlap(tmp_path: Path) -> None:
    lock = flock_command(Path("/usr/bin/flock"), tmp_path / "lock")
    line = make_job(tmp_path, "/bin/echo", "ran", lock=lock).schedule(NOON).crontab
    holding = subprocess.Popen(
        ["/usr/bin/flock", "lock", "/bin/sh", "-c", "echo held; read done"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holding:
        assert holding.stdout is not None
        assert holding.stdin is not None
        assert holding.stdout.readline() == "held\n"
        assert sh(cron_command(line), tmp_path, {}).returncode == 8
        assert (tmp_path / "job.log").read_text() == ""
        holding.stdin.write("\n")
    assert sh(cron_command(line), tmp_path, {}).returncode == 0
    assert (tmp_path / "job.log").read_text() == "ran\n"


def test_without_flock_there_is_no_lock_and_busybox_gets_only_the_options_it_knows(tmp_path: Path) -> None:
    assert flock_command(tmp_path / "flock", tmp_path / "lock") == ()
    (tmp_path / "busybox").touch()
    (tmp_path / "flock").symlink_to("busybox")
    assert flock_command(tmp_path / "flock", tmp_path / "lock") == (
        str(tmp_path / "flock"),
        "-n",
        str(tmp_path / "lock"),
    )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_finds_the_program_and_verifies_the_units(tmp_path: Path) -> None:
    folder = tmp_path / "a  b %h $x"
    folder.mkdir()
    program = folder / "run me %n %% ;"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    job = make_job(
        folder, str(program), "--filter", "name:'100%'", "$HOME", environment={"FALCON_BULK_STATE_DIR": "/a %b"}
    )
    schedule = job.schedule(weekly("fri", "07:00"))
    (tmp_path / "job.service").write_text(str(schedule.service))
    (tmp_path / "job.timer").write_text(str(schedule.timer))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "./job.service", "./job.timer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    program.unlink()
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "./job.service"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{program} is not executable" in done.stderr
