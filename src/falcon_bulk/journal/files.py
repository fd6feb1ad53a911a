"""The journals in a state folder: one SQLite file per CID. Imports no SQLAlchemy, which takes long to load."""

from pathlib import Path

VERSION = 2
"""Version of the present schema."""
DRAFT = "draft"
"""Status of a run while its plan is being made."""


def journal_paths(folder: Path) -> list[Path]:
    """Return the journals in a state folder, in the order of their CIDs."""
    return sorted(folder.glob("*.sqlite3"))
