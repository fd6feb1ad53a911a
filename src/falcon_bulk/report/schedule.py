"""The report of schedule: blocks to copy."""

from collections.abc import Iterator

import msgspec

from falcon_bulk.model.schedule import Schedule
from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink
from falcon_bulk.report.report import Report
from falcon_bulk.report.sheet import Sheet
from falcon_bulk.textsafe import printable

USER_UNITS = "~/.config/systemd/user"


class ScheduleDocument(Schedule, frozen=True, kw_only=True, tag_field="schema", tag="falcon-bulk/schedule/1"):
    """`falcon-bulk/schedule/1`."""


def schedule_report(schedule: Schedule) -> Report:
    """Return the report: a block of text for each file, labelled with a comment or, in Markdown, indented as code."""

    def write(sink: Sink, label: str, indent: str) -> None:
        with sink.text() as stream:
            for number, (heading, text) in enumerate(_blocks(schedule)):
                stream.write("\n" * bool(number) + label.format(heading))
                stream.writelines(f"{indent}{printable(line)}\n" for line in text.splitlines())

    return Report(
        lambda: [Sheet(heading, (), (), text.splitlines()) for heading, text in _blocks(schedule)],
        lambda: ScheduleDocument(**msgspec.structs.asdict(schedule)),
        writers={
            Format.TABLE: lambda sink: write(sink, "# {}\n", ""),
            Format.MARKDOWN: lambda sink: write(sink, "## {}\n\n", "    "),
        },
    )


def _blocks(schedule: Schedule) -> Iterator[tuple[str, str]]:
    yield "cron: a line for `crontab -e`", schedule.crontab
    units = {
        f"{schedule.name}.service": schedule.service,
        f"{schedule.name}.timer": schedule.timer,
        f"{schedule.name}-failed.service": schedule.failure_service,
    }
    for unit, text in units.items():
        if text is not None:
            yield f"systemd: {USER_UNITS}/{unit}", text
