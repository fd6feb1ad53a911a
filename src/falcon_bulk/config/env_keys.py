"""The keys of env files and of the process environment, and what was most likely meant by others."""

import difflib
from collections.abc import Mapping

from falcon_bulk.config import secret_command

CREDENTIALS = ("FALCON_CLIENT_ID", "FALCON_CLIENT_SECRET")
KEYS = (
    *CREDENTIALS,
    secret_command.KEY,
    "FALCON_SECRET_SET",
    "FALCON_BASE_URL",
    "FALCON_MEMBER_CID",
    "FALCON_CID",
    "FALCON_CUSTOMER",
    "FALCON_OPERATOR",
    "FALCON_TAGS",
    "FALCON_NOTIFY",
    "FALCON_BULK_READ_ONLY",
)
REGION_KEYS = ("FALCON_CLOUD", "FALCON_CLOUD_REGION")
"""Keys of other tools that decide where credentials go: honoured in a file, or refused."""
OTHER_TOOLS_KEYS = {
    "CS_CLIENT_ID": "FALCON_CLIENT_ID",
    "CS_CLIENT_SECRET": "FALCON_CLIENT_SECRET",
    "CS_BASE_URL": "FALCON_BASE_URL",
    "CS_CLOUD": "FALCON_BASE_URL",
    "CROWDSTRIKE_CLIENT_ID": "FALCON_CLIENT_ID",
    "CROWDSTRIKE_CLIENT_SECRET": "FALCON_CLIENT_SECRET",
    "CROWDSTRIKE_BASE_URL": "FALCON_BASE_URL",
    "CLIENT_ID": "FALCON_CLIENT_ID",
    "CLIENT_SECRET": "FALCON_CLIENT_SECRET",
    "BASE_URL": "FALCON_BASE_URL",
    "FALCON_REGION": "FALCON_BASE_URL",
    "FALCON_SECRET": "FALCON_CLIENT_SECRET",
}
PROCESS_ONLY_KEYS = (
    "FALCON_BULK_CUSTOMER",
    "FALCON_BULK_STATE_DIR",
    "FALCON_BULK_CONFIG_DIR",
    "FALCON_BULK_ALLOW_CUSTOM_BASE_URL",
)


def unknown_key_warnings(values: Mapping[str, str], name: str, *, only_similar: bool = False) -> tuple[str, ...]:
    """Return a warning for each unknown FALCON_ key: a mistyped FALCON_CID would protect nothing.

    only_similar: warn only about keys that are similar to a known one.
    """
    warnings = []
    for key in values:
        if not only_similar and (ours := _meant_key(key)):
            warnings.append(f"{name}: {key} is ignored; falcon-bulk reads {ours}.")
            continue
        if key in REGION_KEYS and not only_similar:
            continue
        if not key.upper().startswith("FALCON_") or key in KEYS or key in PROCESS_ONLY_KEYS:
            continue
        similar = difflib.get_close_matches(key.upper(), KEYS, n=1, cutoff=0.85)
        if similar or not only_similar:
            suggestion = f"; did you mean {similar[0]}?" if similar else "."
            warnings.append(f"{name}: unknown key {key} is ignored{suggestion}")
    return tuple(warnings)


def stands_for(name: str, key: str) -> bool:
    """Return whether a key that is not read, but stands in a file, was meant to be `key`."""
    similar = difflib.get_close_matches(name.upper(), KEYS, n=1, cutoff=0.85)
    return name not in KEYS and key in (_meant_key(name), *similar)


def _meant_key(key: str) -> str:
    """Return our key that another tool's key, or a misspelt one not starting with FALCON_, stands for; or ''."""
    if meant := OTHER_TOOLS_KEYS.get(key.upper()):
        return meant
    if key.upper().startswith("FALCON_"):
        return ""
    near = difflib.get_close_matches(key.upper(), KEYS, n=1, cutoff=0.85)
    return near[0] if near else ""
