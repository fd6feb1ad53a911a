"""A scheduled job: one command, quoted for cron and systemd, locked against running twice, its output logged.

A command that fails is noticed: the crontab line then writes the end of the log, which cron mails to MAILTO or the
crontab's owner; the service starts a second one (OnFailure=), which mails it to the unit's user.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.model.schedule import Schedule
from falcon_bulk.operations.scheduling.recurrence import Recurrence

STOP_TIMEOUT = 200
"""Seconds that a stopped service has to finish and record what is in flight: a PATCH may take 180."""

LINES_TOLD = 20
"""Lines of the log that tell of a failure."""

_TAIL = f"/usr/bin/tail -n {LINES_TOLD}"
_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9_./:=,@+-]+")


@dataclass(frozen=True)
class Job:
    """A command and what it needs to run unattended. All paths are absolute.

    name: of the units, the lock and the log. command: the program's path and its arguments. lock: the command that
    is put before it so that no two run at a time; empty where there is no flock.
    """

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    lock: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def schedule(self, recurrence: Recurrence) -> Schedule:
        """Return the crontab line and, if systemd can express the recurrence, the units.

        Raises UsageProblem for text that they cannot hold.
        """
        for text in (*self.lock, *self.command, *self.environment.values(), str(self.folder), str(self.log)):
            if not text.isprintable():
                raise UsageProblem(
                    f"{text!r} holds a control or invisible character.", "A crontab line cannot hold that; remove it."
                )
        has_units = bool(recurrence.on_calendar)
        return Schedule(
            name=self.name,
            crontab=f"{recurrence.cron} {self._cron_command()}",
            service=_unit_text(self._service()) if has_units else None,
            timer=_unit_text(self._timer(recurrence.on_calendar)) if has_units else None,
            failure_service=_unit_text(self._failure_service()) if has_units else None,
            log=str(self.log),
        )

    def _cron_command(self) -> str:
        """Return the command for sh, each % escaped: to cron a bare one ends the command.

        Its output goes into the log; if it fails, the end of the log goes to stdout, and the exit code stays.
        """
        variables = [f"{key}={_quote_for_sh(value)}" for key, value in self.environment.items()]
        command = " ".join([*variables, *map(_quote_for_sh, (*self.lock, *self.command))])
        log = _quote_for_sh(str(self.log))
        line = f"cd {_quote_for_sh(str(self.folder))} && {command} >> {log} 2>&1"
        tell = f'echo "{self.name} failed with exit code $code. The end of its log:"; {_TAIL} {log}'
        return f"{line} || {{ code=$?; {tell}; exit $code; }}".replace("%", r"\%")

    def _service(self) -> Iterator[str]:
        program, *arguments = (*self.lock, *self.command)
        if set(program) & set("'\"\\"):
            raise UsageProblem(
                f"systemd cannot run a program with a quote or backslash in its path: {program!r}.",
                "Install falcon-bulk elsewhere, or use --at for crontab alone.",
            )
        # Variables are replaced in the arguments only, hence no $$ in the program's path (systemd.service(5)).
        quoted = [_quote_for_systemd(argument).replace("$", "$$") for argument in arguments]
        yield "[Unit]"
        yield f"Description={self.name}"
        yield f"OnFailure={self.name}-failed.service"
        yield ""
        yield "[Service]"
        yield "Type=oneshot"
        yield f"WorkingDirectory={_path_setting(self.folder)}"
        for key, value in self.environment.items():
            yield f"Environment={_quote_for_systemd(f'{key}={value}')}"
        yield f"ExecStart={' '.join([_quote_for_systemd(program), *quoted])}"
        yield f"StandardOutput=append:{_path_setting(self.log)}"
        yield f"StandardError=append:{_path_setting(self.log)}"
        yield f"TimeoutStopSec={STOP_TIMEOUT}"

    def _failure_service(self) -> Iterator[str]:
        """Yield the unit that OnFailure= starts: it mails the end of the log or, without sendmail, logs the failure."""
        log = _quote_for_sh(str(self.log))
        mail = f"{{ echo 'Subject: {self.name} failed'; echo; {_TAIL} {log}; }} | sendmail -i \"$(id -un)\""
        warning = _quote_for_sh(f"{self.name} failed; its log is {self.log}")
        script = f"PATH=$PATH:/usr/sbin; {mail} || logger -p user.err {warning}"
        yield "[Unit]"
        yield f"Description=Tell that {self.name} failed"
        yield ""
        yield "[Service]"
        yield "Type=oneshot"
        yield f"ExecStart=/bin/sh -c {_quote_for_systemd(script).replace('$', '$$')}"

    def _timer(self, on_calendar: str) -> Iterator[str]:
        yield "[Unit]"
        yield f"Description={self.name}"
        yield ""
        yield "[Timer]"
        yield f"OnCalendar={on_calendar}"
        yield ""
        yield "[Install]"
        yield "WantedBy=timers.target"


def flock_command(program: Path, lock: Path) -> tuple[str, ...]:
    """Return the command prefix that holds `lock` while the rest runs, or exits at once with 8; () without flock.

    -F forks nothing, so that signals and the exit code are those of the command. BusyBox has neither -F nor -E.
    """
    if not program.exists():
        return ()
    if program.resolve().name == "busybox":
        return str(program), "-n", str(lock)
    return str(program), "-n", "-F", "-E", str(int(ExitCode.BUSY)), str(lock)


def _quote_for_sh(text: str) -> str:
    """Quote for sh, with no backslash directly before a %: cron would take it for its own escape.

    shlex leaves backslashes between single quotes only, so closing and reopening them separates the two.
    """
    return shlex.quote(text).replace("\\%", "\\''%")


def _quote_for_systemd(text: str) -> str:
    """Quote one argument (systemd.syntax(7)) and escape its specifiers; `$` is left to the caller."""
    if _NEEDS_NO_QUOTES.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _path_setting(path: Path) -> str:
    """Return a path as the whole value of a setting, where systemd knows no quotes. Raises UsageProblem."""
    text = str(path)
    if text.endswith("\\") or text != text.strip():
        raise UsageProblem(
            f"systemd cannot use the path {text!r}.", "Use a folder whose name does not end in a blank or a backslash."
        )
    return text.replace("%", "%%")


def _unit_text(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
