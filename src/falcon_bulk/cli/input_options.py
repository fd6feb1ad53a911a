"""Hashes and composite ids from options and files. `-` is standard input, which then cannot answer a prompt."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from falcon_bulk.cli.console import Console
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.hashes import check_sha256
from falcon_bulk.model.plural import counted
from falcon_bulk.operations.inputs.hash_file import read_hash_list
from falcon_bulk.operations.inputs.ids_file import read_id_list
from falcon_bulk.operations.inputs.input_text import copy_of


def hashes_from_options(
    hashes: tuple[str, ...], hash_file: Path | None, console: Console, *, prompts: bool, only_sha256: bool = False
) -> tuple[str, ...]:
    """Return the hashes of --hash and --hash-file, each once, after saying how many were repeated or left out.

    prompts: whether the command asks for confirmation. only_sha256: leave out what is no SHA256.
    Raises UsageProblem.
    """
    if only_sha256 and hash_file is None:
        raise UsageProblem("--only-sha256 is for --hash-file.", "Add --hash-file FILE, or leave it out.")
    found = tuple(map(check_sha256, hashes))
    if hash_file is not None:
        with _copied(hash_file, "hashes", prompts=prompts) as (file, name):
            listed = read_hash_list(file, name, only_sha256=only_sha256)
        found += listed.hashes
        if listed.left_out:
            entries = "entry that is" if listed.left_out == 1 else "entries that are"
            console.say(f"Note: {listed.left_out:,} {entries} no SHA256: left out. Taken: {len(listed.hashes):,}.")
    distinct = tuple(dict.fromkeys(found))
    if repeated := len(found) - len(distinct):
        repetitions = "is a repetition" if repeated == 1 else "are repetitions"
        console.say(f"Note: {repeated:,} of the {len(found):,} hashes given {repetitions}.")
    return distinct


def ids_from_file(ids_file: Path, console: Console, *, prompts: bool) -> tuple[str, ...]:
    """Return the composite ids of --ids-file, repetitions included, after saying how many were left out.

    Raises UsageProblem.
    """
    with _copied(ids_file, "ids", prompts=prompts) as (file, name):
        listed = read_id_list(file, name)
    if listed.done:
        console.say(f"Note: {counted(listed.done, 'alert')} of the run left out: neither open nor failed.")
    return listed.ids


@contextmanager
def _copied(path: Path, what: str, *, prompts: bool) -> Iterator[tuple[IO[bytes], str]]:
    """Yield a copy of a file, and its name in messages."""
    if str(path) == "-":
        if prompts:
            raise UsageProblem(f"Standard input cannot give the {what} and the answer.", "Add --yes --expect N.")
        with copy_of(sys.stdin.buffer, "standard input") as copy:
            yield copy, "standard input"
        return
    try:
        with path.open("rb") as stream:
            copy = copy_of(stream, str(path))
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}.") from None
    with copy:
        yield copy, str(path)
