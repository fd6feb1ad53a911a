"""A value that may be used but not shown."""

from typing import Any, NoReturn, Self
from urllib.parse import quote_plus

MIN_LENGTH = 8
"""Characters of the shortest value that is masked: a shorter one is no secret, and stands in many words."""

_hidden: set[str] = set()


def register_secret(value: str) -> None:
    """`masked` masks this value from now on."""
    if len(value) >= MIN_LENGTH:
        _hidden.add(value)


def mask_secrets(text: str) -> str:
    """The text with `***` for every hidden value, also as repr() or a form of the web writes it.

    For what others wrote and might have put a secret into: the tracebacks of --debug.
    """
    for value in tuple(_hidden):
        for form in {value, repr(value)[1:-1], quote_plus(value)}:
            text = text.replace(form, "***")
    return text


class Secret:
    """Wraps a secret so that printing, formatting, logging or dumping it shows `***`, and hides its value.

    `reveal()` is the one way to the value. It cannot be pickled; a copy is the object itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        register_secret(value)

    def reveal(self) -> str:
        """The secret itself, for the login request only."""
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
        raise TypeError("a secret is not pickled")
