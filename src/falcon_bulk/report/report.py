"""A report: what a command prints, and how it is written in each format."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, TypeVar

from falcon_bulk.report.formats import Format
from falcon_bulk.report.output import Sink, dump, dump_line
from falcon_bulk.report.page import Page
from falcon_bulk.report.sheet import Cell, Sheet

Result = TypeVar("Result")


@dataclass(frozen=True)
class Report:
    """The result of a command for every format; each callable is called once for each place it is written to.

    sheets: for table, markdown and csv. document: for json, a struct or what msgspec can encode. page: for html; by
    default the bare sheets. writers: formats that are written by a function of their own.
    title: subject of a notification; by default the first sheet's. next_step: the command to run next, for those
    who are notified. exit_code: the command's. names_author: whether a page names who made it.
    """

    sheets: Callable[[], Iterable[Sheet]]
    document: Callable[[], object]
    page: Callable[[], Page] | None = None
    writers: Mapping[Format, Callable[[Sink], None]] = field(default_factory=dict)
    title: str = ""
    next_step: str = ""
    exit_code: int = 0
    names_author: bool = True

    def write(self, sink: Sink, fmt: Format, signature: Mapping[str, Cell]) -> None:
        """Write the report in a format. signature: facts for the head of a page: who made it, when."""
        if writer := self.writers.get(fmt):
            writer(sink)
        elif fmt is Format.JSON:
            dump(self.document(), sink.binary)
        elif fmt is Format.JSONL:
            dump_line(self.document(), sink.binary)
        elif fmt is Format.HTML:
            page = self.page() if self.page else Page(self.sheets())
            signed = {what: by for what, by in signature.items() if self.names_author or what != "made by"}
            sink.render_page(replace(page, facts={**page.facts, **signed}))
        else:
            sink.render(self.sheets(), fmt)


class Reported(NamedTuple, Generic[Result]):
    """A result with the report on it."""

    result: Result
    report: Report
