"""Check that what Falcon sent is a plain value, before a probe puts it into a filter or shows it."""

import re
from typing import TypeGuard

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z:|_.-]{0,255}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,40}", re.IGNORECASE)
_LONG_HEX = re.compile(r"[0-9a-f]{12,}", re.IGNORECASE)


def is_plain_word(value: object) -> TypeGuard[str]:
    """Return whether a value is a word such as `epp`."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def is_plain_id(value: object) -> TypeGuard[str]:
    """Return whether a value is a composite id of letters, digits and its usual separators."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_plain_field(name: str) -> bool:
    """Return whether a key of a document is a field's name, and no id or hash that somebody used as a key."""
    return _FIELD.fullmatch(name) is not None and _LONG_HEX.search(name) is None
