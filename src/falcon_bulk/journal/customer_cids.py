"""Which CID each customer's name stands for, remembered from its first change on.

An env file that was overwritten with another customer's credentials is found out by this.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from filelock import FileLock

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import WrongTenant

FILE = "customers.json"


def check_customer_cid(folder: Path, customer: str, cids: Iterable[str]) -> None:
    """Hold the CIDs that the customer's credentials are for against the one remembered, if there is one.

    Raises WrongTenant if the customer's name stood for another CID before.
    """
    pinned = _read(folder).get(customer, "")
    if pinned and pinned not in (expected := tuple(cids)):
        raise WrongTenant(
            f"The customer {customer} was the CID {pinned} until now, these credentials are for {', '.join(expected)}.",
            f"If that is right, confirm it: `falcon-bulk customers confirm {customer}`.",
        )


def remember_customer_cid(folder: Path, customer: str, cid: str) -> None:
    """Remember the customer's CID, unless one is remembered."""
    with _locked(folder):
        pins = _read(folder)
        if pins.setdefault(customer, cid) == cid:
            _write(folder, pins)


def forget_customer_cid(folder: Path, customer: str) -> str:
    """Forget the customer's CID, so that the next change pins it anew. Returns it, '' if there was none."""
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
    except msgspec.MsgspecError:
        raise WrongTenant(
            f"{folder / FILE} is damaged: which CID a customer is cannot be checked.", "Remove it to pin anew."
        ) from None


def _write(folder: Path, pins: dict[str, str]) -> None:
    with write_atomically(folder / FILE, 0o600) as file:
        file.write(msgspec.json.encode(pins))
