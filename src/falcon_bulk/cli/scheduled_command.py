"""Checks a command line that is to be scheduled, by parsing it as the real command does, and builds its job."""

import hashlib
import io
import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import click

from falcon_bulk.cli.command_line import CommandLine, SharedOptions
from falcon_bulk.cli.session import Session
from falcon_bulk.config.customers import customer_file
from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.scheduling import recurrence
from falcon_bulk.operations.scheduling.job import Job, flock_command
from falcon_bulk.operations.scheduling.recurrence import Recurrence

FLOCK = Path("/usr/bin/flock")
INHERITED_VARIABLES = (
    "FALCON_BULK_ALLOW_CUSTOM_BASE_URL",
    "FALCON_BULK_READ_ONLY",
    "FALCON_BULK_RULES",
    "REQUESTS_CA_BUNDLE",
)
"""Copied into the job if they are set: no env file can hold them, and they hold no secret."""
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
INTERACTIVE_COMMANDS = ("emulator", "demo", "schedule", "completion", "customers add")
MAX_CRON_COMMAND = 998
"""The length in characters of the longest command that Debian's cron takes."""

_UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)


class ParsedCommand(NamedTuple):
    """A command line as Click parsed it.

    name: with the subcommand. options: the command's own. shared: those that every command takes.
    """

    name: str
    options: dict[str, object]
    shared: SharedOptions


def choose_recurrence(
    *, daily: str | None, weekly: tuple[str, str] | None, every: str | None, at: str | None
) -> Recurrence:
    """Return the recurrence of the one option that is not None. Raises UsageProblem for none or several."""
    options = {"--daily": daily, "--weekly": weekly, "--every": every, "--at": at}
    given = [option for option, value in options.items() if value is not None]
    if len(given) > 1:
        raise UsageProblem(f"{' and '.join(given)} do not go together.", "Use one of them.")
    if daily is not None:
        return recurrence.daily(daily)
    if weekly is not None:
        return recurrence.weekly(*weekly)
    if every is not None:
        return recurrence.every(every)
    if at is not None:
        return recurrence.at_cron(at)
    raise UsageProblem(
        "Nothing says when the command runs.",
        "Use one of --daily 07:00, --weekly mon 07:00, --every 6h, or --at '0 7 * * 1' for crontab alone.",
    )


def check_schedulable(session: Session, command_line: Sequence[str]) -> list[str]:
    """Return the arguments of falcon-bulk to run, with an absolute customers' folder.

    Raises UsageProblem for an invalid command line and for a command that cannot run unattended, BadEnvFile if a
    customer's env file is missing.
    """
    if session.customers.is_named or session.customers.several:
        raise UsageProblem("The customer belongs to the scheduled command.", "Put --customer after the --.")
    has_program = bool(command_line) and Path(command_line[0]).name == "falcon-bulk"
    arguments = list(command_line[1:] if has_program else command_line)
    if not arguments:
        raise UsageProblem("There is no command to schedule.", "Put it after --: `schedule --daily 07:00 -- query …`.")
    parsed = _parse(arguments)
    _check_unattended(parsed)
    folder = Path.cwd() / (parsed.shared.customers_dir or "customers")
    for name in parsed.shared.customers:
        customer_file(name, folder)
    names_customers = bool(parsed.shared.customers or parsed.shared.all_customers or parsed.shared.customer_tag)
    if names_customers or parsed.name.startswith("customers"):
        return _make_folder_absolute(arguments, folder, parsed)
    if not parsed.shared.env_file and parsed.name.split()[0] != "runs" and not os.path.lexists(".env"):
        raise UsageProblem(
            "The scheduled command names no customer, and there is no .env here.",
            "Add --customer NAME: cron does not have your shell's environment.",
        )
    return arguments


def build_job(session: Session, arguments: Sequence[str], unit_name: str | None) -> Job:
    """Return the job that runs the arguments in this folder, and make the folder of its lock and log.

    Says what the job goes without (a proxy, a lock). Raises UsageProblem for an invalid unit name.
    """
    name = unit_name or _default_name(arguments)
    if not _UNIT_NAME.fullmatch(name):
        raise UsageProblem(f"{name!r} is not a valid unit name.", "Use 1 to 100 letters, digits, - and _.")
    folder = session.state_folder() / "schedules"
    folder.mkdir(mode=0o700, exist_ok=True)
    environment = {key: value for key in INHERITED_VARIABLES if (value := os.environ.get(key))}
    if os.environ.get("FALCON_BULK_STATE_DIR", "").strip():
        environment["FALCON_BULK_STATE_DIR"] = str(folder.parent)
    for proxy in PROXY_VARIABLES:
        if os.environ.get(proxy):
            session.console.say(
                f"Note: {proxy} is not copied, since it may hold a password; set it for cron or systemd yourself."
            )
    program = _program()
    if len(program) > 1 and (paths := os.environ.get("PYTHONPATH")):
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in paths.split(os.pathsep))
    lock = flock_command(FLOCK, folder / f"{name}.lock")
    if not lock:
        session.console.say(f"Note: there is no {FLOCK}, so cron may run two of these at a time.")
    return Job(name, [*program, *arguments], Path.cwd(), folder / f"{name}.log", lock, environment)


def _parse(arguments: Sequence[str]) -> ParsedCommand:
    """Parse without running anything. Raises UsageProblem for what the commands do not take."""
    from falcon_bulk.cli.main import cli

    line = CommandLine()
    names = []
    try:
        with redirect_stdout(io.StringIO()):
            session = cli.make_context("falcon-bulk", list(arguments), obj=line)
            while isinstance(session.command, click.Group) and (rest := _remaining_arguments(session)):
                name, command, rest = session.command.resolve_command(session, rest)
                names.append(str(name))
                if command is not None:  # None only while a shell completes
                    session = command.make_context(name, rest, parent=session)
    except click.exceptions.Exit:
        raise UsageProblem("The scheduled command would only show help.", "Leave out --help and --version.") from None
    except click.UsageError as error:
        raise UsageProblem(
            f"The scheduled command cannot be run: {error.format_message()}", "Try it without `schedule` first."
        ) from None
    if isinstance(session.command, click.Group) and not session.command.invoke_without_command:
        raise UsageProblem("There is no command to schedule.", f"`{session.command_path} --help` lists them.")
    return ParsedCommand(" ".join(names), session.params, line.options)


def _remaining_arguments(session: click.Context) -> list[str]:
    """Return the arguments after a group's own options; Click keeps the first apart, and renamed it in 8.2."""
    known = vars(session)
    return [*known.get("_protected_args", known.get("protected_args", ())), *session.args]


def _check_unattended(parsed: ParsedCommand) -> None:
    """Raise UsageProblem for a command that needs a person, standard input or a secret on its command line."""
    options = parsed.options
    if parsed.name in INTERACTIVE_COMMANDS or parsed.name.split()[0] in INTERACTIVE_COMMANDS:
        raise UsageProblem(f"{parsed.name} cannot be scheduled.", "It is for a person at a terminal.")
    if options.get("yes") is False and not options.get("dry_run"):
        raise UsageProblem(
            f"{parsed.name} would ask for confirmation, and there is no terminal.",
            "Add --yes with --max N, or --dry-run to change nothing.",
        )
    if (
        parsed.name != "apply"
        and options.get("yes")
        and options.get("maximum") is None
        and options.get("expect") is None
    ):
        raise UsageProblem("--yes needs a bound.", "Add --max N: the most alerts to change each time.")
    if parsed.name == "undo" and options.get("yes"):
        from falcon_bulk.cli.journal_lookup import LATEST  # slow to import: it opens journals

        if options.get("run_id") == LATEST:
            raise UsageProblem("`undo latest` cannot be scheduled.", "Name the run: --yes does not confirm `latest`.")
    if any(parsed.shared.notify):
        raise UsageProblem(
            "--notify=URL may hold a password, and would be written into the crontab and the units.",
            "Put the URL into FALCON_NOTIFY, and use --notify without a value.",
        )
    if any(str(value) == "-" for value in options.values()):
        raise UsageProblem("A scheduled command has no standard input to read from.", "Name a file.")


def _make_folder_absolute(arguments: list[str], folder: Path, parsed: ParsedCommand) -> list[str]:
    """Return the arguments with an absolute --customers-dir; parsing them again proves that nothing else changed."""
    replaced = list(arguments)
    for number, argument in enumerate(arguments):
        if argument.startswith("--customers-dir="):
            replaced[number] = f"--customers-dir={folder}"
        elif number and arguments[number - 1] == "--customers-dir":
            replaced[number] = str(folder)
    if replaced == arguments and parsed.shared.customers_dir is None:
        replaced = [*arguments[:1], "--customers-dir", str(folder), *arguments[1:]]
    expected = parsed._replace(shared=parsed.shared._replace(customers_dir=folder))
    try:
        return replaced if _parse(replaced) == expected else arguments
    except UsageProblem:
        return arguments


def _default_name(arguments: Sequence[str]) -> str:
    """Return a name after the command and its customers; the digest tells two schedules of one command apart."""
    parsed = _parse(arguments)
    customers = "-".join(parsed.shared.customers) or parsed.shared.customer_tag or ""
    name = "-".join(part for part in ("falcon-bulk", *parsed.name.split(), customers) if part)
    digest = hashlib.sha256("\0".join((str(Path.cwd()), *arguments)).encode()).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', name)[:80]}-{digest}"


def _program() -> list[str]:
    """Return the command that starts this program, whatever PATH says: its script, else its interpreter."""
    script = shutil.which(sys.argv[0]) if Path(sys.argv[0]).stem == "falcon-bulk" else None
    return [str(Path(script).absolute())] if script else [sys.executable, "-m", "falcon_bulk"]
