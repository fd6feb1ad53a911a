"""Groups the options in a command's help: which alerts, what to do, safety, customer, output, speed."""

import click

from falcon_bulk.cli.options import ChangeOptions, ConsentOptions, PaceOptions, SelectionOptions

_SAFETY = ("overrides", "dry_run", "plan_file", "plan_ttl")
_GROUPS = {
    "Which alerts": SelectionOptions._fields,
    "What to do": tuple(name for name in ChangeOptions._fields if name not in _SAFETY),
    "Safety": (*_SAFETY, *ConsentOptions._fields),
    "Customer": (
        "env_file",
        "customers",
        "all_customers",
        "customer_tag",
        "parallel_customers",
        "customers_dir",
        "shard",
    ),
    "Speed": (*PaceOptions._fields, "readers", "quota"),
    "Output": (
        *("format", "output", "output_format", "excel", "notify", "quiet", "verbose", "debug"),
        *("log_file", "no_color", "no_progress", "no_pager", "version"),
    ),
}
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names}
_OWN = "Options"
"""The group of options that are in no other one: the command's own."""


class GroupedHelp(click.Command):
    """A command whose help shows its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group that the command has options of, its own options first."""
        sections: dict[str, list[tuple[str, str]]] = {group: [] for group in (_OWN, *_GROUPS)}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                sections["Output" if "--help" in param.opts else _GROUP_OF.get(str(param.name), _OWN)].append(record)
        for group, records in sections.items():
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
