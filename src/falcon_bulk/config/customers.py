"""Customer names, and the folder that holds one env file per customer."""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from falcon_bulk.config.env_file import read_env_file, write_env_file
from falcon_bulk.errors import BadEnvFile, UsageProblem

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)

NAME_RULE = "A customer's name has 1 to 64 letters, digits, - and _, and starts with a letter or digit."


def is_customer_name(name: str) -> bool:
    """Return whether `name` is a valid customer name; it is also safe as a file's stem."""
    return _NAME.fullmatch(name) is not None


def list_customers(customers_dir: Path) -> tuple[str, ...]:
    """Return the sorted names of customers with an env file in `customers_dir`; () if the folder does not exist."""
    try:
        names = [entry.stem for entry in customers_dir.iterdir() if entry.suffix == ".env"]
    except OSError:
        return ()
    return tuple(sorted(name for name in names if is_customer_name(name)))


def customer_file(name: str, customers_dir: Path) -> Path:
    """Return the path of a customer's env file.

    Raises UsageProblem for an invalid name, BadEnvFile if the file does not exist.
    """
    if not is_customer_name(name):
        raise UsageProblem(f"{name!r} is not a valid customer name.", NAME_RULE)
    path = customers_dir / f"{name}.env"
    if os.path.lexists(path):  # reading explains a broken link
        return path
    raise BadEnvFile(f"There is no customer {name}: {path} does not exist.", _suggestion(name, customers_dir))


def new_customer_file(name: str, customers_dir: Path) -> Path:
    """Return the path for a new customer's env file.

    Raises UsageProblem for an invalid name, BadEnvFile if the file exists.
    """
    if not is_customer_name(name):
        raise UsageProblem(f"{name!r} is not a valid customer name.", NAME_RULE)
    path = customers_dir / f"{name}.env"
    if os.path.lexists(path):
        raise BadEnvFile(f"{path} already exists.", "Edit it, or remove it first.")
    return path


def add_customer(name: str, customers_dir: Path, values: Mapping[str, str]) -> Path:
    """Write a new customer's env file with mode 600 and return its path. Creates the folder if needed.

    Raises UsageProblem or BadEnvFile. A file that does not read back exactly as given is removed.
    """
    path = new_customer_file(name, customers_dir)
    try:
        customers_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadEnvFile(f"Cannot create the folder {customers_dir}: {error.strerror}.") from None
    write_env_file(path, values)
    try:
        if read_env_file(path) == values:
            return path
    except BadEnvFile:
        path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)
    raise BadEnvFile(f"{path} does not read back as it was written.", "Write the file by hand, from .env.example.")


def _suggestion(name: str, customers_dir: Path) -> str:
    names = {known.lower(): known for known in list_customers(customers_dir)}
    near = [names[match] for match in difflib.get_close_matches(name.lower(), names, n=3)]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    if names:
        return "`falcon-bulk customers` lists them."
    return f"`falcon-bulk customers add {name}` asks for its values and writes it."
