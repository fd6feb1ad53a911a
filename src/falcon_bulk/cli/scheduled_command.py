"""A command line that is to be scheduled: read by the real commands without running, and what it needs to run."""

import hashlib
import io
import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import click

from falcon_bulk.cli.command_line import CommandLine, SharedOptions
from falcon_bulk.cli.session import Session
from falcon_bulk.config.customers import customer_file
from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.scheduling.job import Job, flock_command

FLOCK = Path("/usr/bin/flock")
# What only the process environment can say, and holds no secret.
PASSED_THROUGH = ("FALCON_BULK_ALLOW_CUSTOM_BASE_URL", "FALCON_BULK_READ_ONLY", "REQUESTS_CA_BUNDLE")
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
NOT_SCHEDULABLE = ("emulator", "demo", "schedule", "completion", "customers add")
MAX_CRON_COMMAND = 998
"""The longest command that Debian's cron takes."""

_UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)


class ParsedCommand(NamedTuple):
    """A command line as the commands read it. name: with the subcommand. given: the shared options."""

    name: str
    options: dict[str, Any]
    given: SharedOptions


def check_schedulable(context: Session, words: Sequence[str]) -> list[str]:
    """The arguments of falcon-bulk that will be run, the customers' folder in them made absolute.

    Raises UsageProblem for what is no command line, or cannot run without a person; BadEnvFile if a customer or
    the credentials are not to be found.
    """
    if context.named or context.round:
        raise UsageProblem("The customer belongs to the scheduled command.", "Put --customer behind the --.")
    arguments = list(words[1:] if words and Path(words[0]).name == "falcon-bulk" else words)
    if not arguments:
        raise UsageProblem("There is no command to schedule.", "Put it behind --: `schedule --at CRON -- query …`.")
    parsed = _parsed(arguments)
    _check_runs_alone(parsed)
    folder = Path.cwd() / (parsed.given.customers_dir or "customers")
    for name in parsed.given.customers:
        customer_file(name, folder)
    someone = bool(parsed.given.customers or parsed.given.all_customers or parsed.given.customer_tag)
    if someone or parsed.name.startswith("customers"):
        return _with_folder(arguments, folder, parsed)
    if not parsed.given.env_file and parsed.name.split()[0] != "runs" and not os.path.lexists(".env"):
        raise UsageProblem(
            "The scheduled command names no customer, and there is no .env here.",
            "Add --customer NAME: what is in your shell's environment, cron does not have.",
        )
    return arguments


def build_job(context: Session, arguments: Sequence[str], unit_name: str | None) -> Job:
    """What runs those arguments: the program, this folder, a lock and a log in the state folder, which is made."""
    name = unit_name or _name(arguments)
    if not _UNIT_NAME.fullmatch(name):
        raise UsageProblem(f"{name!r} is not a unit's name.", "It has 1 to 100 letters, digits, - and _.")
    folder = context.state_folder() / "schedules"
    folder.mkdir(mode=0o700, exist_ok=True)
    environment = {key: value for key in PASSED_THROUGH if (value := os.environ.get(key))}
    if os.environ.get("FALCON_BULK_STATE_DIR", "").strip():
        environment["FALCON_BULK_STATE_DIR"] = str(folder.parent)
    for proxy in PROXIES:
        if os.environ.get(proxy):
            context.console.say(
                f"Note: {proxy} is not carried over, it may hold a password; set it for cron or systemd."
            )
    program = _program()
    if len(program) > 1 and (places := os.environ.get("PYTHONPATH")):
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(place).absolute()) for place in places.split(os.pathsep))
    lock = flock_command(FLOCK, folder / f"{name}.lock")
    if not lock:
        context.console.say(f"Note: there is no {FLOCK}, so cron may run two of these at a time.")
    return Job(name, [*program, *arguments], Path.cwd(), folder / f"{name}.log", lock, environment)


def _parsed(arguments: Sequence[str]) -> ParsedCommand:
    """Raises UsageProblem for what the commands do not take."""
    from falcon_bulk.cli.main import cli

    line = CommandLine()
    names = []
    try:
        with redirect_stdout(io.StringIO()):
            context = cli.make_context("falcon-bulk", list(arguments), obj=line)
            while isinstance(context.command, click.Group) and (rest := _rest(context)):
                name, command, rest = context.command.resolve_command(context, rest)
                names.append(str(name))
                if command is not None:  # None only while a shell completes
                    context = command.make_context(name, rest, parent=context)
    except click.exceptions.Exit:
        raise UsageProblem("The scheduled command would only show help.") from None
    except click.UsageError as error:
        raise UsageProblem(
            f"The scheduled command cannot be run: {error.format_message()}", "Try it without `schedule` first."
        ) from None
    if isinstance(context.command, click.Group) and not context.command.invoke_without_command:
        raise UsageProblem("There is no command to schedule.", f"`{context.command_path} --help` lists them.")
    return ParsedCommand(" ".join(names), context.params, line.options)


def _rest(context: click.Context) -> list[str]:
    """The words behind a group's own options; Click parts the first of them, and renamed where (8.2)."""
    known = vars(context)
    return [*known.get("_protected_args", known.get("protected_args", ())), *context.args]


def _check_runs_alone(parsed: ParsedCommand) -> None:
    options = parsed.options
    if parsed.name in NOT_SCHEDULABLE or parsed.name.split()[0] in NOT_SCHEDULABLE:
        raise UsageProblem(f"{parsed.name} cannot be scheduled.", "It is for a person at a terminal.")
    if options.get("yes") is False and not options.get("dry_run"):
        raise UsageProblem(
            f"{parsed.name} would ask, and there is no terminal.", "Add --yes with --max N, or --dry-run to look only."
        )
    if (
        options.get("yes")
        and options.get("maximum") is None
        and options.get("expect") is None
        and parsed.name != "apply"
    ):
        raise UsageProblem("--yes needs a bound.", "Add --max N: the most alerts to change each time.")
    if any(parsed.given.notify):
        raise UsageProblem(
            "A URL to notify may hold a password, and would stand in the lines.",
            "Put it into FALCON_NOTIFY, and leave --notify without a value.",
        )
    if any(str(value) == "-" for value in options.values()):
        raise UsageProblem("There is no standard input to read from.", "Name a file.")


def _with_folder(arguments: list[str], folder: Path, parsed: ParsedCommand) -> list[str]:
    """The arguments with an absolute --customers-dir; how they are read proves that nothing else has changed."""
    replaced = list(arguments)
    for number, word in enumerate(arguments):
        if word.startswith("--customers-dir="):
            replaced[number] = f"--customers-dir={folder}"
        elif number and arguments[number - 1] == "--customers-dir":
            replaced[number] = str(folder)
    if replaced == arguments and parsed.given.customers_dir is None:
        replaced = [*arguments[:1], "--customers-dir", str(folder), *arguments[1:]]
    wanted = parsed._replace(given=parsed.given._replace(customers_dir=folder))
    try:
        return replaced if _parsed(replaced) == wanted else arguments
    except UsageProblem:
        return arguments


def _name(arguments: Sequence[str]) -> str:
    """A name after the command; the digest tells two schedules of one command apart."""
    parsed = _parsed(arguments)
    who = "-".join(parsed.given.customers) or parsed.given.customer_tag or ""
    said = "-".join(word for word in ("falcon-bulk", *parsed.name.split(), who) if word)
    digest = hashlib.sha256("\0".join((str(Path.cwd()), *arguments)).encode()).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', said)[:80]}-{digest}"


def _program() -> list[str]:
    """How this very program is called, whatever the PATH: its script, else its interpreter."""
    script = shutil.which(sys.argv[0]) if Path(sys.argv[0]).stem == "falcon-bulk" else None
    return [str(Path(script).absolute())] if script else [sys.executable, "-m", "falcon_bulk"]
