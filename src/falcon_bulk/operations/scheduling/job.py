"""A command for cron and systemd: quoted for each of them, one at a time, its output kept, its exit code too."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.model.schedule import Schedule
from falcon_bulk.operations.scheduling.cron import Cron

STOP_TIMEOUT = 200
"""Seconds that a stopped service has to finish and record what is in flight: a PATCH may take 180."""

_BARE = re.compile(r"[A-Za-z0-9_./:=,@+-]+")


@dataclass(frozen=True)
class Job:
    """What is to run. All paths are absolute.

    name: of the units, the lock and the log. command: the program's path and its arguments. lock: the words that
    come before it, so that no two run at a time; none where there is no flock.
    """

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    lock: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def schedule(self, cron: Cron) -> Schedule:
        """The job's lines. Raises UsageProblem for a text that they cannot hold."""
        for text in (*self.lock, *self.command, *self.environment.values(), str(self.folder), str(self.log)):
            if not text.isprintable():
                raise UsageProblem(
                    f"{text!r} holds a control or invisible character.", "A line for cron cannot hold that."
                )
        return Schedule(
            name=self.name,
            crontab=f"{cron.text} {self._for_cron()}",
            service=_unit(self._service()),
            timer=_unit(self._timer(cron)),
            log=str(self.log),
        )

    def _for_cron(self) -> str:
        """The command for sh, as cron takes it: cron ends it at a % without a backslash before it."""
        variables = [f"{key}={_for_sh(value)}" for key, value in self.environment.items()]
        words = [*variables, *map(_for_sh, (*self.lock, *self.command))]
        line = f"cd {_for_sh(str(self.folder))} && {' '.join(words)} >> {_for_sh(str(self.log))} 2>&1"
        return line.replace("%", r"\%")

    def _service(self) -> Iterator[str]:
        program, *arguments = (*self.lock, *self.command)
        if set(program) & set("'\"\\"):
            raise UsageProblem(f"systemd takes no program with a quote or backslash in its path: {program!r}.")
        yield "[Unit]"
        yield f"Description={self.name}"
        yield ""
        yield "[Service]"
        yield "Type=oneshot"
        yield f"WorkingDirectory={_systemd_path(self.folder)}"
        for key, value in self.environment.items():
            yield f"Environment={_for_systemd(f'{key}={value}')}"
        # Variables are replaced in the arguments only, hence no $$ in the program's path (systemd.service(5)).
        yield f"ExecStart={' '.join([_for_systemd(program), *(_for_systemd(a).replace('$', '$$') for a in arguments)])}"
        yield f"StandardOutput=append:{_systemd_path(self.log)}"
        yield f"StandardError=append:{_systemd_path(self.log)}"
        yield f"TimeoutStopSec={STOP_TIMEOUT}"

    def _timer(self, cron: Cron) -> Iterator[str]:
        yield "[Unit]"
        yield f"Description={self.name}"
        yield ""
        yield "[Timer]"
        for calendar in cron.calendars():
            yield f"OnCalendar={calendar}"
        yield ""
        yield "[Install]"
        yield "WantedBy=timers.target"


def flock_command(program: Path, lock: Path) -> tuple[str, ...]:
    """The words that hold `lock` while what follows runs, or end at once with 8; none without the program.

    Nothing is forked, so that signals and the exit code are those of the command. BusyBox cannot do that.
    """
    if not program.exists():
        return ()
    if program.resolve().name == "busybox":
        return str(program), "-n", str(lock)
    return str(program), "-n", "-F", "-E", str(int(ExitCode.BUSY)), str(lock)


def _for_sh(text: str) -> str:
    """Quoted for sh, with no backslash just before a %: cron would not see that it is to be kept.

    A backslash only stands between single quotes here, so closing and opening them parts the two.
    """
    return shlex.quote(text).replace("\\%", "\\''%")


def _for_systemd(text: str) -> str:
    """A word for systemd (systemd.syntax(7)), its specifiers escaped; variables are not."""
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _systemd_path(path: Path) -> str:
    """A path that is a setting's whole value, where nothing can be quoted. Raises UsageProblem."""
    text = str(path)
    if text.endswith("\\") or text != text.strip():
        raise UsageProblem(f"systemd cannot be told of {text!r}.", "Use a folder whose name ends like a name.")
    return text.replace("%", "%%")


def _unit(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
