"""The operator: the person whose name goes into every comment."""

import getpass

MAX_LENGTH = 64


def operator_problem(name: str) -> str:
    """Return what is wrong with an operator's name, as the end of a sentence; '' if it is valid.

    The name goes into the comment on every alert, so it must be short and printable.
    """
    if len(name) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    return "" if name.isprintable() else "has a control or invisible character"


def login_name() -> str:
    """Return the user's login name, or "unknown"."""
    try:
        name = getpass.getuser().strip()[:MAX_LENGTH]
    except (OSError, KeyError, ImportError):  # the user is not in the password database, or there is none
        return "unknown"
    return name if name and name.isprintable() else "unknown"
