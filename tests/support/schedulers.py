"""What reads the lines: cron, sh and systemd, as their manuals have them."""

import re
import shlex
import subprocess
from pathlib import Path


def cron_command(line: str) -> str:
    """The command of a crontab line, as Vixie cron hands it to sh (do_command.c)."""
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
    """Run it with nothing but that environment, as cron does."""
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


def systemd_words(setting: str) -> list[str]:
    """ExecStart= as systemd takes it apart: words, C escapes, specifiers, then variables in the arguments."""
    assert not re.search(r"(?<!%)(?:%%)*%(?![%])", setting), "a specifier"
    words = [word.replace("%%", "%") for word in shlex.split(setting, posix=True)]
    for word in words[1:]:
        assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", word), "a variable"
    return [words[0], *(word.replace("$$", "$") for word in words[1:])]


def setting(unit: str, key: str) -> list[str]:
    """The values of a setting in a unit file."""
    return [line.split("=", 1)[1] for line in unit.splitlines() if line.startswith(f"{key}=")]
