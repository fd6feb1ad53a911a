"""Remembers the CID of each customer from its first change on.

This detects an env file that was overwritten with another customer's credentials.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from filelock import FileLock

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import WrongTenant

FILE = "customers.json"


def check_customer_cid(folder: Path, customer: str, cids: Iterable[str]) -> None:
    """Check the CIDs of a customer's credentials against the remembered one, if there is one.

    Raises WrongTenant if the customer had another CID before.
    """
    pinned = _read(folder).get(customer, "")
    if pinned and pinned not in (expected := tuple(cids)):
        raise WrongTenant(
            f"The customer {customer} was the CID {pinned} until now, these credentials are for {', '.join(expected)}.",
            f"If that is right, confirm it: `falcon-bulk customers confirm {customer}`.",
        )


def customer_cid(folder: Path, customer: str) -> str:
    """Return the CID that is remembered for a customer; '' if there is none."""
    return _read(folder).get(customer, "")


def is_remembered(folder: Path, cid: str) -> bool:
    """Return whether the CID is remembered for a customer: a change of it began."""
    return cid in _read(folder).values()


def remember_customer_cid(folder: Path, customer: str, cid: str) -> None:
    """Remember the customer's CID, unless one is remembered already."""
    with _locked(folder):
        pins = _read(folder)
        if pins.setdefault(customer, cid) == cid:
            _write(folder, pins)


def forget_customer_cid(folder: Path, customer: str) -> str:
    """Forget the customer's CID, so that the next change remembers a new one. Return it; '' if there was none."""
    with _locked(folder):
        pins = _read(folder)
        former = pins.pop(customer, "")
        _write(folder, pins)
    return former


def _locked(folder: Path) -> FileLock:
    return FileLock(folder / f"{FILE}.lock", mode=0o600)


def _read(folder: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WrongTenant(
            f"{folder / FILE} is damaged: which CID a customer is cannot be checked.",
            "Remove it; the next change remembers the CID again.",
        ) from None


def _write(folder: Path, pins: dict[str, str]) -> None:
    with write_atomically(folder / FILE, 0o600) as file:
        file.write(msgspec.json.encode(pins))
