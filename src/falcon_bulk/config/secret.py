"""Secrets: values that are used but never shown, and masking them in text."""

from collections.abc import Callable
from typing import Any, NoReturn, Self
from urllib.parse import quote_plus

MIN_LENGTH = 8
"""Length of the shortest value that is masked; a shorter one occurs in ordinary text."""

_registered: set[str] = set()


def register_secret(value: str) -> None:
    """Make `mask_secrets` mask this value from now on."""
    if len(value) >= MIN_LENGTH:
        _registered.add(value)


def mask_secrets(text: str) -> str:
    """Return the text with `***` for every registered value, also in the forms of repr() and of a URL-encoded form.

    It is for text by others that may contain a secret: tracebacks and log lines.
    """
    for value in tuple(_registered):
        for form in {value, repr(value)[1:-1], quote_plus(value)}:
            text = text.replace(form, "***")
    return text


class Secret:
    """A secret that prints, formats, logs and dumps as `***`.

    Only `reveal()` returns the value. It cannot be pickled; a copy is the object itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        register_secret(value)

    def reveal(self, check: Callable[[], None] = lambda: None) -> str:
        """Return the value, for the login request only.

        check: called now and then while the value has to be waited for; it may raise.
        """
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __bool__(self) -> bool:
        return bool(self._value.strip())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
