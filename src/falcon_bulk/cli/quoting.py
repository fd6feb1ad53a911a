"""Words of a command line that is shown, ready to paste into a shell."""

import shlex

_ACTIVE = frozenset('"$`\\!')
"""What a POSIX shell does not take as it stands inside double quotes."""


def quoted(word: str) -> str:
    """Quote for a POSIX shell; with double quotes if they are safe, since FQL is full of single quotes."""
    return f'"{word}"' if "'" in word and not _ACTIVE & set(word) else shlex.quote(word)
