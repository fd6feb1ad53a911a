"""The journals in a state folder: one SQLite file per CID. Imports no SQLAlchemy, which takes long to load."""

from pathlib import Path

from falcon_bulk.errors import Busy, Refused

VERSION = 3
"""Version of the present schema."""
DRAFT = "draft"
"""Status of a run while its plan is being made."""


def journal_path(folder: Path, cid: str) -> Path:
    """Return where the journal of a CID is, or would be."""
    return folder / f"{cid}.sqlite3"


def already_carried_out(run_id: str) -> Refused:
    """Return the error for a plan that the journal knows as carried out."""
    return Refused(f"The plan {run_id} was already carried out.", f"See `falcon-bulk runs show {run_id}`.")


def unfinished_run(run_id: str) -> Busy:
    """Return the error for a run that has to be ended before another one begins."""
    return Busy(
        f"The run {run_id} of this customer is unfinished.",
        f"Continue it with `falcon-bulk resume {run_id}`, or close it with `falcon-bulk runs abandon {run_id}`.",
    )


def journal_paths(folder: Path) -> list[Path]:
    """Return the journals in a state folder, in the order of their CIDs."""
    return sorted(folder.glob("*.sqlite3"))
