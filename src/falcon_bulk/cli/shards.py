"""A share of the customers, so that several machines do one command's work: `--shard 2/8`."""

import hashlib
import re
from typing import NamedTuple

import click

from falcon_bulk.cli.command_line import CommandLine
from falcon_bulk.errors import UsageProblem

MAX_SHARDS = 1_000
_SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


class Shard(NamedTuple):
    """Share `number` of `total`, counted from 1."""

    number: int
    total: int

    def has(self, customer: str) -> bool:
        """Return whether a customer is in this share: by its name alone, so that others who come or go move nobody."""
        digest = hashlib.sha256(customer.lower().encode()).digest()
        return int.from_bytes(digest[:8]) % self.total == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


def parse_shard(text: str) -> Shard:
    """Return the value of --shard. Raises UsageProblem."""
    match = _SHARD.fullmatch(text.strip())
    shard = Shard(int(match[1]), int(match[2])) if match else Shard(0, 0)
    if not 1 <= shard.number <= shard.total <= MAX_SHARDS:
        raise UsageProblem(
            f"{text!r} is not a value of --shard.",
            f"It takes I/N, counted from 1: --shard 1/8 to --shard 8/8; N is at most {MAX_SHARDS:,}.",
        )
    return shard


def check_no_shard(ctx: click.Context) -> None:
    """Raise UsageProblem if the command line has --shard. Call it before the session is opened, which takes it."""
    if CommandLine.of(ctx).options.shard is not None:
        raise UsageProblem("--shard does not go with this command, which must see all customers.", "Leave it out.")
