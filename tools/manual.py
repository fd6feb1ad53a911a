"""The manual page, falcon-bulk(1), in roff with the man macros."""

import re
from collections.abc import Iterator
from pathlib import Path

from command_tree import Command, Option, commands, shared_options

from falcon_bulk import __version__

DESCRIPTION = (
    "Shows, counts and closes CrowdStrike Falcon alerts in bulk, by SHA256 or by filter. Every change is shown first,"
    " asked for, recorded, read back, and can be taken back.",
    "Data goes to standard output; progress, questions and messages go to standard error.",
)
FILES = (
    Option("customers/NAME.env", "a customer's credentials and settings, mode 600; used with --customer NAME"),
    Option(".env", "the same, where no customer is named"),
    Option("CID.sqlite3", "the journal of a CID, in the state folder (FALCON_BULK_STATE_DIR moves it)"),
)


def manual(root: Path) -> str:
    """The page. root: of the repository, whose docs have the exit codes and the environment variables."""
    return "\n".join(_lines(root)) + "\n"


def _lines(root: Path) -> Iterator[str]:
    yield '.\\" Written by `make docs` from the commands themselves.'
    yield f'.TH FALCON\\-BULK 1 "" "falcon\\-bulk {_text(__version__)}" "User Commands"'
    yield from (".SH NAME", "falcon\\-bulk \\- review and close CrowdStrike Falcon detections in bulk")
    yield from (".SH SYNOPSIS", ".B falcon\\-bulk", "COMMAND [OPTIONS]")
    yield from (".SH DESCRIPTION", *_paragraphs(DESCRIPTION))
    yield from (".SH SHARED OPTIONS", "Every command takes these, before or after its name.", *_list(shared_options()))
    yield ".SH COMMANDS"
    for command in commands():
        yield from _command(command)
    yield from (".SH EXIT STATUS", *_list(_table(root / "docs" / "exit-codes.md")))
    yield from (".SH ENVIRONMENT", *_list(_table(root / "docs" / "environment.md")))
    yield from (".SH FILES", *_list(FILES))


def _command(command: Command) -> Iterator[str]:
    yield from (f".SS {_text(command.usage)}", *_paragraphs(command.text), *_list(command.options))
    if command.examples:
        yield from (".PP", "Examples:", ".PP", ".nf", ".RS 4", *map(_text, command.examples), ".RE", ".fi")


def _paragraphs(paragraphs: tuple[str, ...]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from (".PP", _text(paragraph))


def _list(options: tuple[Option, ...]) -> Iterator[str]:
    for option in options:
        yield from (".TP", f"\\fB{_text(option.written)}\\fR", _text(option.does))


def _table(page: Path) -> tuple[Option, ...]:
    """The first two columns of a page's tables, without their heads."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = ((_plain(first), _plain(second)) for first, second in rows)
    return tuple(Option(first, second) for first, second in plain if first not in ("code", "variable", "key"))


def _plain(markdown: str) -> str:
    """Without the marks of code and links."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "").strip()


def _text(text: str) -> str:
    """Text as roff takes it for text: nothing in it is a macro, and a hyphen stays one."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("…", "...")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
