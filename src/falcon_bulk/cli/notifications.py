"""Sends a command's result, or why there is none, by mail, to a chat, or to any other service that Apprise supports.

An Apprise URL holds passwords and tokens, so only the kind of service is ever shown.
"""

import io
import logging
import os
import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from falcon_bulk.cli.command_line import CommandLine
from falcon_bulk.cli.console import Console
from falcon_bulk.config.env_file import read_env_file
from falcon_bulk.errors import FalconBulkError, UsageProblem
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import render
from falcon_bulk.report.sheet import Sheet, format_cell
from falcon_bulk.textsafe import message_title

NO_ADDRESS = "--notify names no address, and FALCON_NOTIFY is not set."
MAX_ROWS = 50
"""Rows of a sheet in a message; the file of -o has all of them."""


def service_urls(named: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return the URLs to notify. named: of --notify; '' stands for those that are known without it."""
    return [url for name in named for url in ((name,) if name else known)]


class Notifier:
    """Sends to each of the Apprise URLs. Raises UsageProblem without Apprise and for a URL it does not support."""

    def __init__(self, urls: Sequence[str], console: Console) -> None:
        try:
            from apprise import Apprise
        except ImportError:
            raise UsageProblem("--notify needs Apprise.", "pip install 'falcon-bulk[notify]'") from None
        logger = logging.getLogger("apprise")  # its messages contain URLs
        logger.handlers, logger.propagate = [logging.NullHandler()], False
        self._console = console
        self._services = [Apprise() for _ in urls]
        for number, (service, url) in enumerate(zip(self._services, urls, strict=True), 1):
            if not service.add(url):
                raise UsageProblem(
                    f"Address {number} of {len(urls)} to notify is not an Apprise URL.",
                    "It looks like mailtos://user:password@host?to=ann@acme.example; spaces in it are %20.",
                )

    def send(self, title: str, sheets: Iterable[Sheet], attachment: Path | None) -> None:
        """Send the sheets as Markdown with the file attached. A failure is reported on the console and not raised."""
        body = _markdown(title, sheets)
        # As a URL: Apprise would interpret a % or ? in the name of a plain path.
        url = f"file://{quote(str(attachment.absolute()))}" if attachment else None
        for number, service in enumerate(self._services, 1):
            try:
                sent = bool(service.notify(body=body, title=message_title(title), body_format="markdown", attach=url))
            except Exception:  # noqa: BLE001 - the work is done; the error's text may contain the URL
                sent = False
            if not sent:
                kinds = " and ".join(str(plugin.service_name) for plugin in service)
                where = f"({kinds}, {number} of {len(self._services)})"
                self._console.error(f"The notification could not be sent {where}.", "The result above is not affected.")


def notify_of_error(line: CommandLine, command: str, message: str, hint: str, exit_code: int) -> None:
    """Tell those of --notify that a command has no result: it could not log in, say, or its env file is invalid.

    Without a URL these are the addresses of the env file, also of one that is invalid elsewhere, else those of the
    process environment. A failure is reported on stderr and not raised.
    """
    console = Console(quiet=False, verbose=False, progress=False)
    customer, known = _customer_and_addresses(line)
    title = f"{customer}: {command} failed with exit code {exit_code}"
    texts = [text for text in (message, hint, f"On {platform.node()}.") if text]
    urls = service_urls(line.options.notify, known)
    try:
        Notifier(urls, console).send(title, [Sheet("", (), (), texts)], None)
    except UsageProblem as problem:
        if problem.message != message:
            console.error(f"Nobody could be notified: {problem.message}", problem.hint)
        return
    if not urls and message != NO_ADDRESS:
        console.error("Nobody could be notified: FALCON_NOTIFY is not set, or its file cannot be read.")


def _customer_and_addresses(line: CommandLine) -> tuple[str, tuple[str, ...]]:
    """Return who a command line is about, and the addresses of FALCON_NOTIFY for that."""
    from falcon_bulk.cli.customer_selection import select_customers

    options = line.options
    ours = tuple(os.environ.get("FALCON_NOTIFY", "").split())
    with suppress(FalconBulkError):
        customers = select_customers(options, lambda _: None)
        if customers.several:
            return "several customers", ours
        path = customers.find_env_file()
        name = customers.name or (path.stem if path and path.suffix == ".env" else "default")
        with suppress(FalconBulkError):
            return name, tuple(read_env_file(path).get("FALCON_NOTIFY", "").split()) if path else ours
        return name, ours
    return ",".join(options.customers) or "default", ours


def _markdown(title: str, sheets: Iterable[Sheet]) -> str:
    """Return the first rows of each sheet; a title that is the message's own is left out."""
    text = io.StringIO()
    shortened = [_shorten(sheet, "" if sheet.title == title else sheet.title) for sheet in sheets]
    render(shortened, Format.MARKDOWN, text, color=False, width=None)
    return text.getvalue()


def _shorten(sheet: Sheet, title: str) -> Sheet:
    rows = list(sheet.rows)
    note = [f"{format_cell(len(rows) - MAX_ROWS)} more rows are not shown here."] if len(rows) > MAX_ROWS else []
    return Sheet(title, sheet.columns, rows[:MAX_ROWS], [*sheet.notes, *note])
