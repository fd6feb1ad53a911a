"""Hashes and composite ids from options and files. `-` is standard input, which then cannot answer a prompt."""

import sys
from pathlib import Path

from falcon_bulk.cli.console import Console
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.hashes import check_sha256
from falcon_bulk.operations.inputs.hash_file import read_hashes
from falcon_bulk.operations.inputs.ids_file import read_ids


def hashes_from_options(
    hashes: tuple[str, ...], hash_file: Path | None, console: Console, *, prompts: bool
) -> tuple[str, ...]:
    """Return the hashes of --hash and --hash-file, each once, after saying how many were repeated.

    prompts: whether the command asks for confirmation. Raises UsageProblem.
    """
    found = tuple(map(check_sha256, hashes))
    if hash_file is not None:
        found += read_hashes(*_content(hash_file, "hashes", prompts=prompts))
    distinct = tuple(dict.fromkeys(found))
    if len(distinct) < len(found):
        console.say(f"Note: {len(found) - len(distinct):,} of the {len(found):,} hashes given are repetitions.")
    return distinct


def ids_from_file(ids_file: Path, *, prompts: bool) -> tuple[str, ...]:
    """Return the composite ids of --ids-file, repetitions included. Raises UsageProblem."""
    return read_ids(*_content(ids_file, "ids", prompts=prompts))


def _content(path: Path, what: str, *, prompts: bool) -> tuple[bytes, str]:
    """Return a file's bytes, and its name in messages."""
    if str(path) != "-":
        try:
            return path.read_bytes(), str(path)
        except OSError as error:
            raise UsageProblem(f"{path} cannot be read: {error.strerror}.") from None
    if prompts:
        raise UsageProblem(f"Standard input cannot give the {what} and the answer.", "Add --yes --expect N.")
    return sys.stdin.buffer.read(), "standard input"
