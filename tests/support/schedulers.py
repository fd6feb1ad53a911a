"""Read crontab lines and unit files as cron, sh and systemd do, by their manuals."""

import re
import shlex
import subprocess
from contextlib import ExitStack
from pathlib import Path


def cron_command(line: str) -> str:
    """Return the command of a crontab line as Vixie cron passes it to sh (do_command.c)."""
    text = line.split(" ", 5)[5]
    kept: list[str] = []
    escaped = False
    for character in text:
        if escaped and character == "%":
            kept[-1] = "%"
            escaped = False
        elif escaped:
            kept.append(character)
            escaped = False
        elif character == "%":
            break
        else:
            kept.append(character)
            escaped = character == "\\"
    return "".join(kept)


def sh(command: str, folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command with nothing but that environment, as cron does."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def split_exec_start(setting: str) -> list[str]:
    """Split ExecStart= as systemd does: quotes, C escapes, specifiers, then variables in the arguments."""
    assert not re.search(r"(?<!%)(?:%%)*%(?![%])", setting), "a specifier"
    program, *arguments = (part.replace("%%", "%") for part in shlex.split(setting, posix=True))
    for argument in arguments:
        assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", argument), "a variable"
    return [program, *(argument.replace("$$", "$") for argument in arguments)]


def setting(unit: str, key: str) -> list[str]:
    """Return the values of a setting in a unit file."""
    return [line.split("=", 1)[1] for line in unit.splitlines() if line.startswith(f"{key}=")]


def run_service(unit: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
    """Run a oneshot service as systemd does: its working directory, its variables, its log, no standard input."""
    (start,) = setting(unit, "ExecStart")
    variables = [shlex.split(value)[0].replace("%%", "%").split("=", 1) for value in setting(unit, "Environment")]
    folders = setting(unit, "WorkingDirectory") or ["/"]
    with ExitStack() as stack:
        logs = [value.removeprefix("append:").replace("%%", "%") for value in setting(unit, "StandardOutput")]
        output = stack.enter_context(Path(logs[0]).open("ab")) if logs else subprocess.DEVNULL
        return subprocess.run(
            split_exec_start(start),
            cwd=folders[0].replace("%%", "%"),
            env=environment | dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=60,
            check=False,
        )
