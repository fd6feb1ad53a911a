"""Who does the work: the name that stands in every comment."""

import getpass

MAX_LENGTH = 64


def operator_problem(name: str) -> str:
    """What is wrong with `name` as an operator, as the end of a sentence; '' when nothing is.

    The name goes into the comment of every alert, so it is short and holds nothing invisible.
    """
    if len(name) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    return "" if name.isprintable() else "holds a control or invisible character"


def login_name() -> str:
    """The name the user is logged in with, or "unknown"."""
    try:
        name = getpass.getuser().strip()[:MAX_LENGTH]
    except (OSError, KeyError, ImportError):  # no such user in the password database; no such database
        return "unknown"
    return name if name and name.isprintable() else "unknown"
