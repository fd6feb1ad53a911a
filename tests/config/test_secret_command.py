"""The secret from a command: run once, without a shell, bounded; nothing of it is ever shown."""

import os
import shlex
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from falcon_bulk.config import secret_command
from falcon_bulk.config.secret import mask_secrets
from falcon_bulk.config.secret_command import CommandSecret
from falcon_bulk.config.settings import Settings, inspect_env_file, load_settings
from falcon_bulk.errors import AccessProblem, BadEnvFile, ExitCode
from falcon_bulk.operations.customers import customer_files, old_secrets

SECRET = "s3cret-of-acme-0123456789"


def python(*statements: str) -> str:
    """Return the command that runs Python statements."""
    return shlex.join([sys.executable, "-c", "\n".join(statements).replace("\n", "; ")])


def an_env_file(folder: Path, name: str = "acme", **values: str) -> Path:
    path = folder / f"{name}.env"
    lines = {"FALCON_CLIENT_ID": f"id-of-{name}"} | values
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    path.chmod(0o600)
    return path


def settings(path: Path) -> Settings:
    return load_settings(env_file=path, customer=None, customers_dir=path.parent, environ={}, cwd=path.parent)


def secret(folder: Path, command: str) -> str:
    return settings(an_env_file(folder, FALCON_CLIENT_SECRET_COMMAND=command)).client_secret.reveal()


@pytest.mark.parametrize("end", ["", "\\n", "\\r\\n"])
def test_the_output_less_its_line_end_is_the_secret(tmp_path: Path, end: str) -> None:
    assert secret(tmp_path, python("import sys", f"sys.stdout.write({SECRET + ' '!r} '{end}')")) == f"{SECRET} "


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    shown = secret(tmp_path, python("import sys", "print(sys.argv[1:])") + " $HOME `id` '; rm x' *")
    assert shown == "['$HOME', '`id`', '; rm x', '*']"


def test_it_runs_when_the_secret_is_needed_once_for_all_who_need_it(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = python(f"open({str(runs)!r}, 'a').write('x')", f"print({SECRET!r})")
    path = an_env_file(tmp_path, FALCON_CLIENT_SECRET_COMMAND=command)
    several = [settings(path) for _ in range(4)]
    inspect_env_file(path, {})
    assert not runs.exists()
    threads = [threading.Thread(target=settings.client_secret.reveal) for settings in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs.read_text() == "x"


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["import sys", "print('leaked')", "sys.exit('leaked')"], "failed with exit code 1"),
        (["import os", "print('leaked', flush=True)", "os.kill(os.getpid(), 9)"], "failed with signal 9"),
        (["pass"], "printed nothing"),
        (["print('  ')"], "printed nothing"),
        (["print('leaked')", "print('leaked')"], "printed more than one line"),
        (["print('leaked' * 20_000)"], "printed more than a secret"),
        (["import sys", "sys.stdout.buffer.write(b'leaked\\xff')"], "printed something else than text"),
    ],
)
def test_a_failure_names_the_customer_and_the_program_and_nothing_else(
    tmp_path: Path, statements: list[str], problem: str
) -> None:
    with pytest.raises(AccessProblem) as caught:
        secret(tmp_path, python(*statements) + " leaked")
    name = Path(sys.executable).name
    assert caught.value.message == f"acme: FALCON_CLIENT_SECRET_COMMAND ({name}) {problem}."
    assert caught.value.exit_code == ExitCode.ACCESS
    assert "leaked" not in str(caught.value.__dict__)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("program", ["no-such-program", "/", "./not-executable"])
def test_a_program_that_cannot_be_run_is_named(tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("not-executable").touch(0o600)
    with pytest.raises(AccessProblem, match="cannot be run: "):
        secret(tmp_path, f"{program} leaked")


@pytest.mark.parametrize(
    "statements",
    [
        ["import time", "time.sleep(600)"],
        ["import os, time", "print('leaked', flush=True)", "os.close(1)", "time.sleep(600)"],
        ["import subprocess, sys", "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"],
    ],
)
def test_a_command_that_takes_too_long_is_ended_with_what_it_started(
    tmp_path: Path, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_command, "MAX_SECONDS", 1.0)
    began = time.monotonic()
    with pytest.raises(AccessProblem, match="did not end within 1 seconds"):
        secret(tmp_path, python(*statements))
    assert time.monotonic() - began < 60


def test_the_secret_is_masked_and_its_command_never_shown(tmp_path: Path) -> None:
    path = an_env_file(tmp_path, FALCON_CLIENT_SECRET_COMMAND=python(f"print({SECRET[::-1]!r}[::-1])"))
    loaded = settings(path)
    assert SECRET[::-1] not in f"{loaded!r} {loaded.client_secret} {loaded.client_secret!r}"
    assert loaded.client_secret
    loaded.client_secret.reveal()
    assert SECRET not in mask_secrets(f"a {SECRET} b")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"FALCON_CLIENT_SECRET": "x", "FALCON_CLIENT_SECRET_COMMAND": "pass x"}, "contradict each other"),
        ({"FALCON_CLIENT_SECRET_COMMAND": "pass 'leaked"}, "is no command: No closing quotation"),
        ({"FALCON_CLIENT_SECRET_COMMAND": "pass “leaked”"}, "has curly quotes"),
        ({"FALCON_CLIENT_SECRET_COMMAND": "  "}, "FALCON_CLIENT_SECRET is missing"),
        ({"FALCON_CLIENT_SECRET": "x", "FALCON_SECRET_SET": "11/27/2026"}, "is not a date"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, values: dict[str, str], problem: str) -> None:
    with pytest.raises(BadEnvFile, match=problem) as caught:
        settings(an_env_file(tmp_path, **values))
    assert caught.value.exit_code == ExitCode.ACCESS
    assert "leaked" not in caught.value.message


def test_a_blank_secret_beside_the_command_is_none(tmp_path: Path) -> None:
    path = an_env_file(tmp_path, FALCON_CLIENT_SECRET="", FALCON_CLIENT_SECRET_COMMAND="pass acme")
    assert settings(path).client_secret == CommandSecret("acme", ("pass", "acme"))


def test_a_command_of_the_process_environment_is_not_run(tmp_path: Path) -> None:
    environ = {"FALCON_CLIENT_ID": "a", "FALCON_CLIENT_SECRET_COMMAND": "pass x"}
    with pytest.raises(BadEnvFile, match="lacks FALCON_CLIENT_SECRET"):
        load_settings(env_file=None, customer=None, customers_dir=tmp_path, environ=environ, cwd=tmp_path)


def test_files_with_one_client_and_one_command_have_the_same_credentials(tmp_path: Path) -> None:
    for name in ("acme", "globex"):
        an_env_file(tmp_path, name, FALCON_CLIENT_ID="same", FALCON_CLIENT_SECRET_COMMAND="pass acme")
    assert ["same credentials" in " ".join(file.problems) for file in customer_files(tmp_path, {})] == [True, True]


def test_the_age_of_a_secret_is_that_of_its_file_or_what_the_file_says(tmp_path: Path) -> None:
    written = datetime(2026, 8, 1, 12, tzinfo=UTC).timestamp()
    files = {
        "acme": {"FALCON_CLIENT_SECRET": "x"},
        "globex": {"FALCON_CLIENT_SECRET": "x", "FALCON_SECRET_SET": "2026-11-01"},
        "initech": {"FALCON_CLIENT_SECRET_COMMAND": "pass initech"},
        "acme-lab": {"FALCON_CLIENT_SECRET_COMMAND": "pass acme-lab", "FALCON_SECRET_SET": "2026-08-27"},
    }
    for name, values in files.items():
        os.utime(an_env_file(tmp_path, name, **values), (written, written))
    dates = {file.customer: file.secret_set for file in customer_files(tmp_path, {})}
    assert dates == {"acme": "2026-08-01", "globex": "2026-11-01", "initech": "", "acme-lab": "2026-08-27"}
    today = datetime(2026, 11, 26, tzinfo=UTC).date()
    assert old_secrets(dates, today).startswith("Secrets older than 90 days: acme (117 days), acme-lab (91 days).")
    assert not old_secrets(dates | {"acme": ""}, datetime(2026, 11, 25, tzinfo=UTC).date())
