"""Reads typed values out of a table of a rule file, and notes in plain words what is wrong with them."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

Note = Callable[[str, str], None]
"""Notes a problem: the key that it is about, '' for the table itself, and what is wrong."""


class TomlTable:
    """One table. name: as it is written, for messages: '' for the top of the file, `rule.match`."""

    def __init__(self, values: Mapping[str, Any], name: str, known: Sequence[str], note: Note) -> None:
        self._values = values
        self._name = name
        self._note = note
        for key in values:
            if key not in known:
                near = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
                where = f"[{name}] has" if name else "the file has"
                note(key, f"{where} no key {key!r}." + (f" Did you mean {near[0]}?" if near else ""))

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str) -> str:
        """Return a text without the blanks around it, '' if it is missing or none."""
        value = self._values.get(key, "")
        if not isinstance(value, str):
            self._note(key, f"{key} is not a text: put it in quotes.")
            return ""
        if key in self._values and not value.strip():
            self._note(key, f"{key} is blank.")
        elif not value.isprintable():
            self._note(key, f"{key} has a line break or another invisible character.")
            return ""
        return value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, () if it is missing or none."""
        values = self._values.get(key, [])
        if isinstance(values, str):
            self._note(key, f"{key} is not a list: write {key} = [{values!r}].")
            return ()
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self._note(key, f"{key} is not a list of texts in quotes.")
            return ()
        if key in self._values and not values:
            self._note(key, f"{key} is an empty list: leave it out, or name what it allows.")
        return tuple(values)

    def date(self, key: str) -> date | None:
        """Return a date, None if it is missing or none."""
        value = self._values.get(key)
        if isinstance(value, str):
            self._note(key, f"{key} is a text: write the date without quotes, such as {key} = 2027-01-31.")
        elif isinstance(value, datetime):
            self._note(key, f"{key} has a time of day: write the date alone, such as {key} = 2027-01-31.")
        elif isinstance(value, date):
            return value
        elif value is not None:
            self._note(key, f"{key} is not a date, such as 2027-01-31.")
        return None

    def number(self, key: str, default: int) -> int:
        """Return a whole number above 0."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self._note(key, f"{key} is not a whole number above 0.")
            return default
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; false if it is missing."""
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            self._note(key, f"{key} is neither true nor false (without quotes).")
            return False
        return value

    def table(self, key: str) -> Mapping[str, Any]:
        """Return a table within this one, {} if it is missing or none."""
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            name = f"{self._name}.{key}" if self._name else key
            self._note(key, f"{key} is not a table: begin it with [{name}].")
            return {}
        return value

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        """Return the tables of an array, [] if it is missing or none."""
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._note(key, f"{key} is not written as [[{key}]]: two brackets, for each one.")
            return []
        return value
