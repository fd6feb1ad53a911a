"""What a command line says for every command: the shared options, as far as they are read."""

from pathlib import Path
from typing import NamedTuple

import click

DEFAULT_FOLDER = Path("customers")


class SharedOptions(NamedTuple):
    """The shared options as given; None, False or () for those that were not.

    notify: Apprise URLs; '' stands for the addresses of FALCON_NOTIFY.
    """

    env_file: Path | None = None
    customers: tuple[str, ...] = ()
    all_customers: bool = False
    customer_tag: str | None = None
    parallel_customers: int | None = None
    customers_dir: Path | None = None
    shard: str | None = None
    format: str | None = None
    output: str | None = None
    output_format: str | None = None
    excel: bool = False
    readers: int | None = None
    quota: int | None = None
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    log_file: Path | None = None
    no_color: bool = False
    no_progress: bool = False
    no_pager: bool = False
    notify: tuple[str, ...] = ()

    @property
    def customers_folder(self) -> Path:
        """The folder of the customers' env files."""
        return self.customers_dir or DEFAULT_FOLDER


class CommandLine:
    """One command line while it is read and run: Click's `ctx.obj`.

    options: the shared ones read so far. command: its name, once a session is open. stdout_begun: whether a result was
    begun on standard output. notified: whether those of --notify were told of the result.
    """

    def __init__(self, argv: tuple[str, ...] = ()) -> None:
        self.argv = argv
        self.options = SharedOptions()
        self.command = ""
        self.stdout_begun = False
        self.notified = False

    @classmethod
    def of(cls, ctx: click.Context) -> "CommandLine":
        """Return the command line that a Click context belongs to."""
        return ctx.find_root().ensure_object(cls)
