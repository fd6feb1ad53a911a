"""falcon-bulk query: show alerts."""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

import click

from falcon_bulk.cli.options import many, selection_options, shared_options
from falcon_bulk.errors import ExitCode, UsageProblem

EXAMPLES = """\b
Examples:
  falcon-bulk query --customer acme --status new --severity high,critical
  falcon-bulk query --customer acme --filter "device.hostname:'DC*'" --all --format csv
  falcon-bulk query --customer acme --hash SHA256 --details
  falcon-bulk query --customer acme --status new --count
"""


@click.command("query", epilog=EXAMPLES)
@selection_options(changing=False)
@click.option("--limit", type=click.IntRange(1), help="Most alerts to show.  [default: 100]")
@click.option(
    "--all", "everything", is_flag=True, help="All alerts, beyond 10,000; as they come unless --sort is given."
)
@click.option("--sort", metavar="FIELD.asc|desc", help="Order.  [default: created_timestamp.desc]")
@click.option("--details", is_flag=True, help="More of each alert, with its console link.")
@click.option("--fields", **many("A,B.C"), help="Just these fields (dot paths).")
@click.option("--count", is_flag=True, help="Only how many there are, alone on stdout.")
@click.option("--test-connection", is_flag=True, help="Log in, read one alert, say what is seen.")
@shared_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Show alerts: the newest 100 of a selection, or more with --limit and --all."""
    from falcon_bulk.cli.context import Context

    if options["everything"] and options["limit"]:
        raise UsageProblem("--all and --limit contradict each other.", "Leave one of them out.")
    context = Context(ctx, "query")
    selection = context.selection(options)
    sort = _sort(options["sort"])
    if options["test_connection"]:
        return _test_connection(context)
    if options["count"]:
        return _count(context, selection, fail_on_empty=options["fail_on_empty"])

    fields = options["fields"]
    with context.tenant() as tenant, context.watching("reading") as watch:
        from falcon_bulk.operations.select import choose

        limit = None if options["everything"] else options["limit"] or 100
        pages = choose(tenant.alerts, selection, watch, limit=limit, sort=sort, readers=context.readers)
        shown = _show(context, (bytes(item.document) for page in pages for item in page), fields, options["details"])
        if limit is not None and shown == limit:
            total = watch.counted or tenant.alerts.count(_fql(selection))
            if total > shown:
                context.console.say(f"{shown:,} of {total:,} alerts are shown; --all or --limit N shows more.")
    if not shown:
        context.console.say(f"No alert matches: {selection.words}.")
        return ExitCode.EMPTY if options["fail_on_empty"] else ExitCode.DONE
    return ExitCode.DONE


def _fql(selection: Any) -> str:
    from falcon_bulk.falcon.fql import base_filter

    return base_filter(selection)


def _sort(value: str | None) -> str:
    """`FIELD.desc` as the API takes it, `FIELD|desc`; '' for None. Raises UsageProblem."""
    if value is None:
        return ""
    field, _, direction = value.replace("|", ".").rpartition(".")
    if direction not in ("asc", "desc") or not all(part.isidentifier() for part in field.split(".")):
        raise UsageProblem(f"{value!r} is not an order.", "It looks like created_timestamp.desc or severity.asc.")
    return f"{field}|{direction}"


def _test_connection(context: Any) -> int:
    with context.tenant() as tenant:
        cid, total = tenant.home(), tenant.alerts.count("")
        document = {
            "customer": tenant.customer,
            "cloud": tenant.cloud,
            "cid": cid,
            "alerts": total,
            "quota_remaining": tenant.pacer.lowest_remaining,
        }
    from falcon_bulk.report.facts import facts_sheet

    context.publish(lambda: [facts_sheet(f"{tenant.customer}: login and reading work", document)], lambda: document)
    context.console.say("That writing works is not tested.")
    return ExitCode.DONE


def _count(context: Any, selection: Any, *, fail_on_empty: bool) -> int:
    """The server's total; with hashes the number of alerts read and checked, since Falcon's OR is not trusted."""
    from falcon_bulk.operations.select import select

    with context.tenant() as tenant:
        if selection.hashes:
            with context.watching("counting") as watch:
                total = sum(len(page) for page in select(tenant.alerts, selection, watch, readers=context.readers))
        else:
            total = tenant.alerts.count(_fql(selection))
    context.to_stdout(lambda sink: sink.binary.write(f"{total}\n".encode()))
    return ExitCode.EMPTY if fail_on_empty and not total else ExitCode.DONE


def _show(context: Any, documents: Iterable[Any], fields: tuple[str, ...], details: bool) -> int:
    """Write the documents to where they go; returns how many there were."""
    seen = 0

    def counted() -> Iterator[Any]:
        nonlocal seen
        for document in documents:
            seen += 1
            yield document

    if context.output is None:
        begun = _begun(counted())
        context.emit(lambda sink, fmt: _write(sink, fmt, begun, fields, details))
        return seen
    with tempfile.TemporaryFile() as spool:
        for document in counted():
            spool.write(document.replace(b"\n", b" ") + b"\n")
        context.emit(lambda sink, fmt: _write(sink, fmt, _lines(spool), fields, details))
    return seen


def _begun(documents: Iterator[Any]) -> Iterator[Any]:
    """The same documents, the first of them read: what fails at the start fails before anything is written."""
    return chain(list(islice(documents, 1)), documents)


def _lines(spool: BinaryIO) -> Iterator[bytes]:
    spool.seek(0)
    return (line.rstrip(b"\n") for line in spool)


def _write(sink: Any, fmt: Any, documents: Iterable[Any], fields: tuple[str, ...], details: bool) -> None:
    from falcon_bulk.model.alert import decode_alert
    from falcon_bulk.report import alerts
    from falcon_bulk.report.formats import Format

    if fmt in (Format.JSON, Format.JSONL):
        chosen = (alerts.project(document, fields) for document in documents) if fields else documents
        write = alerts.write_json if fmt is Format.JSON else alerts.write_jsonl
        write(chosen, sink.binary, terminal=sink.terminal)
    elif fields:
        sink.render([alerts.field_sheet(documents, fields)], fmt)
    else:
        sink.render([alerts.alert_sheet(map(decode_alert, documents), details)], fmt)
