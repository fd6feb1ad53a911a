"""Completes the commands in a hint with the options that name the customer, so that they can be pasted."""

import re
import shlex
from collections.abc import Sequence

_COMMAND = re.compile(r"`(falcon-bulk (?:resume|undo|runs|doctor|query|hash-summary|summary)\b[^`]*)`")
_COMPLETE = re.compile(r"--(customer|env-file|all-customers|customer-tag|help)\b")
"""Options of commands that name a customer already, or need none."""


def name_customer(hint: str, arguments: Sequence[str]) -> str:
    """Return a hint whose commands select the same customer. arguments: the options that do."""
    if not arguments:
        return hint
    return _COMMAND.sub(
        lambda found: found[0] if _COMPLETE.search(found[1]) else f"`{found[1]} {shlex.join(arguments)}`", hint
    )
