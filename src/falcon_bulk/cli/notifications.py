"""Telling people elsewhere what a command did: by mail, chat, or whatever Apprise knows.

An Apprise URL holds passwords and tokens, so nothing of it is ever shown but the kind of service.
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

ROWS = 50
"""Most rows of a sheet in a message: the file of -o is there for all of them."""


class Notifier:
    """Sends to each of the Apprise URLs. Raises UsageProblem if Apprise is missing or a URL is not one of its."""

    def __init__(self, urls: Sequence[str], console: Console) -> None:
        try:
            from apprise import Apprise
        except ImportError:
            raise UsageProblem("--notify needs Apprise.", "pip install 'falcon-bulk[notify]'") from None
        logger = logging.getLogger("apprise")  # Its messages hold URLs.
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
        """Send the sheets as Markdown, with the file attached. What fails is said and raises nothing."""
        body = _markdown(title, sheets)
        # As a URL, lest a % or ? of its name be taken for one's.
        attached = f"file://{quote(str(attachment.absolute()))}" if attachment else None
        for number, service in enumerate(self._services, 1):
            try:
                sent = bool(service.notify(body=body, title=title, body_format="markdown", attach=attached))
            except Exception:  # noqa: BLE001 - the work is done; its text may hold the URL
                sent = False
            if not sent:
                kind = " and ".join(str(plugin.service_name) for plugin in service)
                where = f"({kind}, {number} of {len(self._services)})"
                self._console.error(f"The notification could not be sent {where}.", "The result above is not affected.")


def _markdown(title: str, sheets: Iterable[Sheet]) -> str:
    """The first rows of each sheet; the title is the message's and not said twice."""
    text = io.StringIO()
    short = [_shortened(sheet, "" if sheet.title == title else sheet.title) for sheet in sheets]
    render(short, Format.MARKDOWN, text, color=False, width=None)
    return text.getvalue()


def _shortened(sheet: Sheet, title: str) -> Sheet:
    rows = list(sheet.rows)
    left = [f"{format_cell(len(rows) - ROWS)} more rows are not shown here."] if len(rows) > ROWS else []
    return Sheet(title, sheet.columns, rows[:ROWS], [*sheet.notes, *left])
