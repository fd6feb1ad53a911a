"""The entry point: the group of commands, and the one place where errors are shown."""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

import click

from falcon_bulk import __version__
from falcon_bulk.cli.command_group import SuggestingGroup
from falcon_bulk.cli.command_line import CommandLine
from falcon_bulk.cli.completions import COMPLETE_VARIABLE
from falcon_bulk.cli.customer_hints import name_customer
from falcon_bulk.cli.message_stream import drop_failing_messages
from falcon_bulk.cli.options import examples
from falcon_bulk.cli.shared_options import shared_options
from falcon_bulk.cli.signals import interrupt_on_sigint
from falcon_bulk.cli.suggestions import explain_usage_error
from falcon_bulk.errors import ExitCode, FalconBulkError, Stopped, UsageProblem
from falcon_bulk.textsafe import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Each command's module in this folder (`-` becomes `_`), with the line the overview shows.
COMMANDS = {
    "query": "Show alerts.",
    "close-hash": "Close the alerts of one or more SHA256 hashes.",
    "bulk-close": "Set a status on all alerts of a selection.",
    "hash-summary": "Count alerts per SHA256, most frequent first.",
    "summary": "Count alerts by severity, name, host or any other field.",
    "overview": "Show what waits at each customer, one line each.",
    "rules": "Draft, check, test, run, report on or revoke closing rules.",
    "report": "Report on a month of a customer, as a page to hand over.",
    "allow-hash": "Add SHA256 hashes to the allow-list (IOC).",
    "apply": "Apply a saved plan.",
    "runs": "List, show, abandon or prune recorded runs.",
    "resume": "Resume an unfinished run.",
    "undo": "Undo a run.",
    "selections": "List the named selections of config.toml.",
    "customers": "List, check, add or confirm the customers' env files.",
    "doctor": "Check the installation and the access; print a report for bug reports.",
    "schedule": "Print a command as lines for cron and systemd.",
    "completion": "Print the completion script for bash, zsh or fish.",
    "emulator": "Run a local Falcon tenant to try things on.",
    "demo": "Take a guided tour on a local tenant.",
}

PROGRAM = "falcon-bulk"
GC_THRESHOLDS = (500_000, 50, 50)
"""Rare garbage collections: alerts form no reference cycles, and each collection scans all of them."""

OUTPUT_HINT = "Check the output's target and free disk space; `falcon-bulk runs` shows what was changed."


class Commands(SuggestingGroup):
    """Loads a command's module when the command is called, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all commands, in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"falcon_bulk.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete commands and options without loading any command."""
        from click.shell_completion import CompletionItem

        commands = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without loading any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "demo",
        "query --customer acme --status new --severity high,critical",
        "hash-summary --customer acme --since 7d",
        "close-hash --customer acme --hash SHA256 --dry-run",
    ),
)
@click.version_option(__version__, prog_name=PROGRAM)
@shared_options
def cli() -> None:
    """Review and close CrowdStrike Falcon detections in bulk.

    Every change is previewed, confirmed, recorded, read back, and can be undone.
    """


def run(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(*GC_THRESHOLDS)
    _open_closed_streams()
    drop_failing_messages()
    code = main(sys.argv[1:] if argv is None else argv)
    try:
        sys.stdout.flush()
    except OSError:
        _discard(sys.stdout)
    gc.freeze()  # the process ends here: no final scan for garbage
    sys.exit(code)


def main(argv: Sequence[str]) -> int:
    """Run the command line and return its exit code. Errors go to stderr: one line and a hint."""
    line = CommandLine(tuple(argv))
    try:
        if request := os.environ.get(COMPLETE_VARIABLE):
            return _complete(request, line)
        # Click's own `main` ends a broken pipe with 1.
        with interrupt_on_sigint(), cli.make_context(PROGRAM, list(argv), obj=line) as ctx:
            code = cli.invoke(ctx)
        with suppress(BrokenPipeError):
            sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except BrokenPipeError:
        _discard(sys.stdout)
        return ExitCode.DONE
    except KeyboardInterrupt:
        sys.stderr.write("\n")  # ends the line with the terminal's ^C
        return _show(Stopped("Interrupted."), line)
    except FalconBulkError as error:
        return _show(error, line)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except click.UsageError as error:
        return _show(explain_usage_error(error, argv, click.Context(cli, info_name=PROGRAM)), line)
    except OSError as error:
        if "--debug" in argv:
            _show_traceback(error)
        file = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or type(error).__name__
        return _show(FalconBulkError(f"Reading or writing failed: {file}{reason}.", OUTPUT_HINT), line)
    except Exception as error:  # noqa: BLE001 - the last resort; --debug shows what it was
        if "--debug" in argv:
            _show_traceback(error)
        unexpected = FalconBulkError(
            f"Unexpected {type(error).__name__}.", "Run it again with --debug and report what it shows."
        )
        return _show(unexpected, line)
    code = code if isinstance(code, int) else ExitCode.DONE
    _log_exit(line, code)
    return code


def _show(error: FalconBulkError, line: CommandLine) -> int:
    """Show the error and return its exit code. A document that broke off is not followed by another."""
    if (_wants_json(line.argv) or line.options.format == "json") and not line.stdout_begun:
        from falcon_bulk.report.error import error_document
        from falcon_bulk.report.output import Sink, dump

        with suppress(OSError):
            dump(error_document(error), Sink.stdout().binary)
    _log_exit(line, error.exit_code, f"{error.traced_message} {error.hint}")
    sys.stderr.write(f"Error: {printable(error.traced_message)}\n")
    if error.hint:
        sys.stderr.write(f"Hint: {printable(_pasteable(error.hint, line))}\n")
    _notify(error, line)
    return int(error.exit_code)


def _notify(error: FalconBulkError, line: CommandLine) -> None:
    """Tell those of --notify that there is no result. Whoever stops a command, or mistypes it at a terminal, knows."""
    if not line.options.notify or not line.command or line.notified or isinstance(error, Stopped):
        return
    from falcon_bulk.cli.console import is_interactive

    if not (isinstance(error, UsageProblem) and is_interactive()):
        from falcon_bulk.cli.notifications import notify_of_error

        notify_of_error(line, line.command, error.traced_message, _pasteable(error.hint, line), int(error.exit_code))


def _pasteable(hint: str, line: CommandLine) -> str:
    """Return a hint whose commands name the customer of this command line."""
    if "`falcon-bulk " not in hint:
        return hint
    from falcon_bulk.cli.customer_selection import customer_arguments

    folder = ("--customers-dir", str(line.options.customers_dir)) if line.options.customers_dir else ()
    return name_customer(hint, (*customer_arguments(line.options), *folder))


def _log_exit(line: CommandLine, code: int, message: str = "") -> None:
    """Write the exit code to the log file, if there is one, with the traceback of an unexpected error."""
    if line.options.log_file:
        import logging

        logging.getLogger("falcon_bulk").debug("exit %d: %s", code, message, exc_info=code == ExitCode.UNEXPECTED)


def _show_traceback(error: Exception) -> None:
    """Write the traceback with secrets masked: messages of other libraries may hold them."""
    import traceback

    from falcon_bulk.config.secret import mask_secrets

    for line in mask_secrets("".join(traceback.format_exception(error))).splitlines():
        sys.stderr.write(f"{printable(line)}\n")


def _complete(request: str, line: CommandLine) -> int:
    """Answer a shell's request for completions."""
    from click.shell_completion import shell_complete

    return shell_complete(cli, {"obj": line}, PROGRAM, COMPLETE_VARIABLE, request)


def _wants_json(argv: Sequence[str]) -> bool:
    return "--format=json" in argv or ("--format", "json") in pairwise(argv)


def _open_closed_streams() -> None:
    """Reopen closed standard streams on /dev/null, or the journal could get descriptor 0, 1 or 2."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest free number: the stream's own
            setattr(sys, name, open(descriptor, "w" if number else "r", closefd=False))  # noqa: SIM115 - stays open


def _discard(stream: TextIO) -> None:
    """Point a broken stream at /dev/null, or the interpreter would exit with its own code (120)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
