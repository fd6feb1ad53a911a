"""Groups the options in a command's help, and leaves out the shared ones that mean nothing for the command."""

import re
from collections.abc import Iterator, Sequence

import click

from falcon_bulk.cli.options import ChangeOptions, ConsentOptions, PaceOptions, SelectionOptions
from falcon_bulk.report.formats import FOLDER_FORMATS, FORMATS, SUFFIXES, Format

_ALERTS, _ACTION, _SAFETY, _CUSTOMER, _OUTPUT, _SPEED = GROUPS = (
    "Which alerts",
    "What to do",
    "Safety",
    "Customer",
    "Output",
    "Speed",
)
_SAFETY_NAMES = ("overrides", "dry_run", "plan_file", "plan_ttl", "plan", "allow_surge", *ConsentOptions._fields)
_GROUP_OF = {
    **dict.fromkeys(("run_id", "month", "limit", "everything", "sort"), _ALERTS),
    **dict.fromkeys((name for name in ChangeOptions._fields if name not in _SAFETY_NAMES), _ACTION),
    **dict.fromkeys(_SAFETY_NAMES, _SAFETY),
    **dict.fromkeys(
        ("env_file", "customers", "all_customers", "customer_tag", "shard", "parallel_customers", "customers_dir"),
        _CUSTOMER,
    ),
    **dict.fromkeys(
        (
            *("count_only", "format", "output", "output_format", "excel", "notify", "quiet", "verbose", "debug"),
            *("log_file", "no_color", "no_progress", "no_pager", "version"),
        ),
        _OUTPUT,
    ),
    **dict.fromkeys((*PaceOptions._fields, "readers", "quota"), _SPEED),
}

_SEVERAL = ("all_customers", "customer_tag", "shard", "parallel_customers")
_WHO = ("env_file", "customers", "customers_dir", *_SEVERAL)
_READING = ("readers", "quota")
_WAITING = ("parallel_customers", *_READING, "no_progress")
_CSV = ("excel",)
_PAGED = ("no_pager",)
_RESULT = ("format", "output", "output_format", *_CSV, *_PAGED, "no_color", "no_progress")
_NOTHING: tuple[str, ...] = ()
_WITHOUT_MEANING = {
    "close-hash": _PAGED,
    "bulk-close": _PAGED,
    "allow-hash": (*_SEVERAL, *_PAGED),
    "apply": (*_SEVERAL, *_PAGED),
    "resume": (*_SEVERAL, *_PAGED),
    "undo": (*_SEVERAL, *_PAGED),
    "rules lint": (*_WHO, *_WAITING),
    "rules list": (*_WHO, *_WAITING),
    "rules run": ("shard", *_CSV),
    "rules draft": (*_SEVERAL, "format", "output", "output_format", *_CSV, *_PAGED, "no_color"),
    "runs": _WAITING,
    "runs list": _WAITING,
    "runs show": (*_SEVERAL, *_WAITING),
    "runs abandon": (*_SEVERAL, *_WAITING),
    "runs prune": (*_SEVERAL, *_WAITING),
    "customers": ("env_file", *_SEVERAL, *_WAITING),
    "customers list": ("env_file", *_SEVERAL, *_WAITING),
    "customers check": ("env_file", "all_customers", "shard", *_READING),
    "customers add": (*_SEVERAL, *_WAITING, *_PAGED),
    "customers confirm": ("env_file", "customers", *_SEVERAL, *_WAITING),
    "doctor": (*_SEVERAL, *_PAGED),
    "schedule": (*_WHO, *_WAITING, *_PAGED),
    "selections": (*_WHO, *_WAITING),
    "completion": (*_WHO, *_READING, *_RESULT, "quiet", "verbose", "log_file"),
    "demo": (*_WHO, *_READING, *_RESULT, "quiet", "verbose", "log_file"),
}
"""Shared options that a command accepts, as all do, and does nothing with."""
_CHANGES = ("close-hash", "bulk-close", "allow-hash", "apply", "resume", "undo")


class GroupedHelp(click.Command):
    """A command whose help shows its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group that the command has options of."""
        sections: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for param in shown_options(self, ctx):
            if record := param.get_help_record(ctx):
                sections[_group_of(param, self)].append(_fitted(record, ctx))
        if any(param.name == "named" for param in self.params):
            sections[_ALERTS].insert(0, ("@NAME", "A selection of config.toml; `falcon-bulk selections` lists them."))
        for group, records in sections.items():
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)


def shown_options(command: click.Command, ctx: click.Context) -> Iterator[click.Option]:
    """Yield the options that the help of a command shows."""
    _program, _, name = ctx.command_path.partition(" ")
    of_csv = () if Format.CSV in _formats(name)[1] else _CSV
    left_out = (*_WITHOUT_MEANING.get(name, _NOTHING), *of_csv)
    for param in command.get_params(ctx):
        if isinstance(param, click.Option) and not param.hidden and param.name not in left_out:
            yield param


def _fitted(record: tuple[str, str], ctx: click.Context) -> tuple[str, str]:
    """Return the record of an option for this command: its formats, its customers, and ranges in words."""
    names, text = record
    _program, _, command = ctx.command_path.partition(" ")
    kind, formats = _formats(command)
    names = names.replace(f"[{'|'.join(Format)}]", f"[{'|'.join(formats)}]")
    usual = FOLDER_FORMATS.get(kind, Format.MARKDOWN)
    text = text.replace("[default: markdown]", f"[default: {usual}]").replace("COMMAND.md", f"COMMAND{SUFFIXES[usual]}")
    if "all_customers" in _WITHOUT_MEANING.get(command, _NOTHING):
        text = text.replace("; several names run the command for each.", ".")
    text = re.sub(r"\s*\[x>=\d+\]", "", text)
    text = re.sub(r"; x>=\d+\]", "]", text)
    text = re.sub(r"([\d.]+)<=x<=([\d.]+)", r"\1 to \2", text)
    return names, re.sub(r"\]\s+\[(?=[\d.]+ to )", "; ", text)


def _formats(command: str) -> tuple[str, Sequence[Format]]:
    """Return the kind of a command's report, and its formats; all of them for a command without reports."""
    path = command.split()
    whole = "-".join(path)
    kind = "run" if path and path[0] in _CHANGES else whole if whole in FORMATS else " ".join(path[:1])
    return kind, [fmt for fmt in Format if fmt in FORMATS.get(kind, Format)]


def _group_of(option: click.Option, command: click.Command) -> str:
    """Return the group of an option: those of no other one are the command's own, and say what it does."""
    names: Sequence[str | None] = [param.name for param in command.params]
    name = str(option.name)
    if "--help" in option.opts:
        return _OUTPUT
    if name in SelectionOptions._fields:
        return _ACTION if {"hashes", "since", "statuses"}.isdisjoint(names) else _ALERTS
    if "--fields" in option.opts or "--top" in option.opts or (name == "details" and "yes" not in names):
        return _OUTPUT
    return _GROUP_OF.get(name, _ACTION)
