"""Shell completion in the real bash, zsh and fish, where they are installed."""

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import PATIENCE, CommandRunner
from tests.support.sampling import quick_first

# The shell without the user's settings, and the line from the help that sets completion up.
INTERACTIVE = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(falcon-bulk completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u -D; eval "$(falcon-bulk completion zsh)"'),
}


PRINTING_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1", "COVERAGE_PROCESS_CONFIG": ""}


def environment(shell: CommandRunner) -> dict[str, str]:
    """Return an environment with `falcon-bulk` on the PATH."""
    shell.install_program()
    settings = {name: value for name, value in os.environ.items() if name in ("FPATH", "LD_LIBRARY_PATH")}
    return settings | shell.environment({"PATH": f"{shell.folder}:{os.environ['PATH']}", "PS1": "", "TERM": "dumb"})


def type_keys(shell: CommandRunner, name: str, keys: str, until: str) -> str:
    """Type keys into an interactive shell; return what it shows up to and including `until`."""
    argv, prepare = INTERACTIVE[name]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, cwd=shell.folder, env=environment(shell), close_fds=True
    )
    os.close(theirs)
    shown = ""

    def wait_for(text: str) -> None:
        nonlocal shown
        deadline = time.monotonic() + PATIENCE
        while text not in shown:
            ready, _, _ = select.select([ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} was not shown: {shown!r}"
            shown += os.read(ours, 65536).decode(errors="replace")

    try:
        os.write(ours, f"{prepare}; echo rea''dy\n".encode())
        wait_for("ready")
        os.write(ours, keys.encode())
        wait_for(until)
        return shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize("name", INTERACTIVE)
@pytest.mark.parametrize(
    ("keys", "until"),
    quick_first(
        ("falcon-bulk query --customer ac\t", "--customer acme"),
        ("falcon-bulk hash-s\t", "falcon-bulk hash-summary"),
        ("falcon-bulk bulk-close --resol\t", "--resolution"),
        ("falcon-bulk query --severity crit\t", "--severity critical"),
    ),
)
def test_tab_completes_in_bash_and_zsh(readable: CommandRunner, name: str, keys: str, until: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    type_keys(readable, name, keys, until)


def test_fish_completes(readable: CommandRunner) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    script = "falcon-bulk completion fish | source"
    for line in ("falcon-bulk query --customer a", "falcon-bulk hash"):
        script += f"; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        capture_output=True,
        text=True,
        cwd=readable.folder,
        env=environment(readable),
        timeout=PATIENCE,
        check=True,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["acme", "hash-summary"]


def offered(shell: CommandRunner, line: str) -> list[str]:
    """Return what the program offers for the last word of a line, asked as bash asks."""
    env = {"_FALCON_BULK_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = shell.bare(env=env)
    assert (done.code, done.err) == (0, ""), done
    assert not done.requests
    return [line.partition(",")[2] for line in done.text.split()]


def test_customers_of_the_folder_are_offered_also_after_a_comma(readable: CommandRunner, tmp_path: Path) -> None:
    for name in ("globex", "initech", "not a name"):
        (tmp_path / f"{name}.env").touch()
    line = f"falcon-bulk query --customers-dir {tmp_path} --customer"
    assert offered(readable, f"{line} ") == ["globex", "initech"]
    assert offered(readable, f"{line} globex,i") == ["globex,initech"]


@pytest.mark.parametrize("folder", quick_first("nowhere", "customers/acme.env", "/root/../proc/1/fd", "~nobody"))
def test_an_unreadable_folder_offers_nothing_and_prints_no_error(readable: CommandRunner, folder: str) -> None:
    assert offered(readable, f"falcon-bulk --customers-dir {folder} query --customer a") == []


def test_guardrails_and_files_are_offered(readable: CommandRunner) -> None:
    assert offered(readable, "falcon-bulk bulk-close --override critical,fal") == ["critical,falcon-complete"]
    assert offered(readable, "falcon-bulk query -o rep") == ["rep"]  # the shell itself looks for the files


def test_run_ids_are_offered_newest_first(acme: Callable[..., CommandRunner]) -> None:
    shell = acme(alerts=300)
    ids = shell.untouched_ids(4)
    runs = [shell(*shell.close_command(ids[place : place + 2])).document["run_id"] for place in (0, 2)]
    for line in ("runs show --customer acme", "runs abandon --customer acme", "undo --customer acme", "resume"):
        assert sorted(offered(shell, f"falcon-bulk {line} ")) == sorted(runs), line
    assert offered(shell, f"falcon-bulk undo {runs[0][:9]}") == [run for run in runs if run.startswith(runs[0][:9])]
    assert offered(shell, "falcon-bulk undo --customer globex ") == []


def test_no_journal_and_a_damaged_one_offer_nothing(acme: Callable[..., CommandRunner]) -> None:
    shell = acme(alerts=10)
    assert offered(shell, "falcon-bulk runs show ") == []
    shell.state.mkdir()
    (shell.state / f"{'a' * 32}.sqlite3").write_bytes(b"no journal" * 500)
    assert offered(shell, "falcon-bulk runs show ") == []


@pytest.mark.slow
def test_completion_imports_little(readable: CommandRunner) -> None:
    env = {"_FALCON_BULK_COMPLETE": "bash_complete", "COMP_WORDS": "falcon-bulk query --customer a", "COMP_CWORD": "3"}
    done = readable.bare(env=env | PRINTING_IMPORTS)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
    assert "click" in loaded
    assert not loaded & {"falconpy", "rich", "msgspec", "requests", "aiohttp", "tqdm", "sqlite3", "sqlalchemy"}


def test_another_shell_is_refused(readable: CommandRunner) -> None:
    done = readable.bare("completion", "bsh")
    assert done.code == 2
    assert "Did you mean bash" in done.err
