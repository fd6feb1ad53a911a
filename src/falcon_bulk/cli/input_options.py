"""What is given in files: hashes and composite ids. `-` is standard input, which then cannot answer a question too."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from falcon_bulk.cli.console import Console
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.hashes import check_sha256
from falcon_bulk.operations.inputs.hash_file import read_hashes
from falcon_bulk.operations.inputs.ids_file import read_ids


def hashes_from_options(options: Mapping[str, Any], console: Console) -> tuple[str, ...]:
    """The hashes of --hash and --hash-file, each once; says how many were repeated. Raises UsageProblem."""
    given = tuple(map(check_sha256, options["hashes"]))
    if options["hash_file"] is not None:
        given += read_hashes(*_content(options["hash_file"], options, "hashes"))
    distinct = tuple(dict.fromkeys(given))
    if len(distinct) < len(given):
        console.say(f"Note: {len(given) - len(distinct):,} of the {len(given):,} hashes given are repetitions.")
    return distinct


def ids_from_options(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The composite ids of --ids-file, repetitions included. Raises UsageProblem."""
    return read_ids(*_content(options["ids_file"], options, "ids"))


def _content(path: Path, options: Mapping[str, Any], what: str) -> tuple[bytes, str]:
    """A file's bytes, and what it is called in messages."""
    if str(path) != "-":
        try:
            return path.read_bytes(), str(path)
        except OSError as error:
            raise UsageProblem(f"{path} cannot be read: {error.strerror}.") from None
    if "yes" in options and not options["yes"] and not options["dry_run"]:
        raise UsageProblem(f"Standard input cannot give the {what} and the answer.", "Add --yes --expect N.")
    return sys.stdin.buffer.read(), "standard input"
