"""Sends a command's result by mail, to a chat, or to any other service that Apprise supports.

An Apprise URL holds passwords and tokens, so only the kind of service is ever shown.
"""

import io
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from falcon_bulk.cli.console import Console
from falcon_bulk.errors import UsageProblem
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import render
from falcon_bulk.report.sheet import Sheet, format_cell

MAX_ROWS = 50
"""Rows of a sheet in a message; the file of -o has all of them."""


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
                sent = bool(service.notify(body=body, title=title, body_format="markdown", attach=url))
            except Exception:  # noqa: BLE001 - the work is done; the error's text may contain the URL
                sent = False
            if not sent:
                kinds = " and ".join(str(plugin.service_name) for plugin in service)
                where = f"({kinds}, {number} of {len(self._services)})"
                self._console.error(f"The notification could not be sent {where}.", "The result above is not affected.")


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
