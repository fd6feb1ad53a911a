"""Render what `schedule` prints: blocks of text to copy."""

from collections.abc import Iterator
from typing import Any, TextIO

from falcon_bulk.model.schedule import Schedule
from falcon_bulk.textsafe import printable

USER_UNITS = "~/.config/systemd/user"


def write_schedule(schedule: Schedule, stream: TextIO) -> None:
    """Write each block under a label, which is a comment in crontabs and units too."""
    for number, (label, text) in enumerate(_blocks(schedule)):
        stream.write("\n" * bool(number) + f"# {label}\n")
        stream.writelines(f"{printable(line)}\n" for line in text.splitlines())


def write_schedule_markdown(schedule: Schedule, stream: TextIO) -> None:
    """Write each block as indented code, which nothing inside it can end."""
    for number, (label, text) in enumerate(_blocks(schedule)):
        stream.write("\n" * bool(number) + f"{label}\n\n")
        stream.writelines(f"    {printable(line)}\n" for line in text.splitlines())


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """Return the JSON document `falcon-bulk/schedule/1`."""
    return {
        "schema": "falcon-bulk/schedule/1",
        "name": schedule.name,
        "crontab": schedule.crontab,
        "service": schedule.service,
        "timer": schedule.timer,
        "log": schedule.log,
    }


def _blocks(schedule: Schedule) -> Iterator[tuple[str, str]]:
    yield "cron: a line for `crontab -e`", schedule.crontab
    for kind, text in (("service", schedule.service), ("timer", schedule.timer)):
        if text is not None:
            yield f"systemd: {USER_UNITS}/{schedule.name}.{kind}", text
