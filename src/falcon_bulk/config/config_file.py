"""The user's config.toml: defaults about looks and speed, and named selections.

It cannot name a customer, give consent, or set what a guardrail or a change depends on: every other key is an error.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from falcon_bulk.config.permissions import current_uid, others_can_write
from falcon_bulk.errors import UsageProblem
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, Status

_POSIX = os.name == "posix"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_ERROR_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
FORMATS = ("table", "markdown", "csv", "json", "jsonl", "html")
MAX_READERS = 32


class Defaults(NamedTuple):
    """Values of options that are not given; None or () for none. pager: a command line, '' for no pager."""

    format: str | None = None
    fields: tuple[str, ...] = ()
    pager: str | None = None
    readers: int | None = None
    quota: int | None = None


class NamedSelection(NamedTuple):
    """The options that `@NAME` stands for, as they would be typed. source: the file and the line it begins in."""

    name: str
    source: str
    description: str = ""
    filter: str | None = None
    hash: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    host: str | None = None
    alert_name: str | None = None
    since: str | None = None
    until: str | None = None
    visible_only: bool = False


class ConfigFile(NamedTuple):
    """What config.toml says; nothing if there is none."""

    defaults: Defaults = Defaults()
    selections: Mapping[str, NamedSelection] = {}


def config_path(environ: Mapping[str, str]) -> Path | None:
    """Return where config.toml is or would be; None if the home folder is not known."""
    if named := environ.get("FALCON_BULK_CONFIG_DIR", "").strip():
        return Path(named).absolute() / "config.toml"
    from platformdirs import user_config_path

    try:
        folder = user_config_path("falcon-bulk", appauthor=False)
    except RuntimeError:
        return None
    return folder / "config.toml" if folder.is_absolute() else None


def read_config(path: Path | None) -> ConfigFile:
    """Read the file; without one nothing is set. Raises UsageProblem, with the line, for a file that is not valid."""
    if path is None or not path.exists():
        return ConfigFile()
    try:
        status = path.stat()
        content = path.read_bytes()
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}.") from None
    if _POSIX and others_can_write(status, current_uid()):
        raise UsageProblem(f"Others can write {path}, which names the pager that is run.", f"chmod go-w {path}")
    return _Reader(path, content).read()


class _Reader:
    """Reads the content of a file; each error names the line of the key."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        try:
            self._text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._fail(content[: error.start].count(b"\n") + 1, "it is not UTF-8.")
        self._lines = self._text.splitlines()

    def read(self) -> ConfigFile:
        try:
            document = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            found = _ERROR_LINE.search(str(error))
            line = int(found[1]) if found and found[1] else max(len(self._lines), 1)
            self._fail(line, f"it is not TOML: {_ERROR_LINE.sub('', str(error))}.")
        self._check_keys(document, (), ("defaults", "selections"))
        defaults, selections = (self._table(document, name) for name in ("defaults", "selections"))
        return ConfigFile(self._defaults(defaults), {name: self._selection(selections, name) for name in selections})

    def _defaults(self, table: dict[str, Any]) -> Defaults:
        where = ("defaults",)
        self._check_keys(table, where, Defaults._fields)
        pager = table.get("pager")
        if pager is not None and not isinstance(pager, str):
            self._fail_at(where, "pager", "it is a command line in quotes, such as 'less -S'; '' for none.")
        return Defaults(
            self._choice(table, where, "format", FORMATS),
            self._texts(table, where, "fields"),
            pager,
            self._number(table, where, "readers", MAX_READERS),
            self._number(table, where, "quota", 100),
        )

    def _selection(self, selections: dict[str, Any], name: str) -> NamedSelection:
        where = ("selections", name)
        if not _NAME.fullmatch(name):
            self._fail(self._line(where), f"{name!r} is not a name: it has a-z, 0-9, - and _, and is used as @name.")
        table = self._table(selections, name, ("selections",))
        read: dict[str, Callable[[str], Any]] = {
            "description": lambda key: self._text_of(table, where, key) or "",
            "filter": lambda key: self._text_of(table, where, key),
            "hash": lambda key: self._texts(table, where, key),
            "severity": lambda key: self._texts(table, where, key, tuple(map(str.lower, SEVERITY_NAMES))),
            "product": lambda key: self._texts(table, where, key),
            "status": lambda key: self._texts(table, where, key, tuple(map(str, Status))),
            "host": lambda key: self._text_of(table, where, key),
            "name": lambda key: self._text_of(table, where, key),
            "since": lambda key: self._text_of(table, where, key),
            "until": lambda key: self._text_of(table, where, key),
            "visible-only": lambda key: self._switch(table, where, key),
        }
        self._check_keys(table, where, tuple(read))
        if not set(table) - {"description"}:
            self._fail(self._line(where), "it selects every alert; add a filter.")
        values = {key: value(key) for key, value in read.items()}
        return NamedSelection(
            name,
            f"{self._path}, line {self._line(where)}",
            alert_name=values.pop("name"),
            visible_only=values.pop("visible-only"),
            **values,
        )

    def _check_keys(self, table: Mapping[str, Any], where: tuple[str, ...], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self._fail_at(where, key, f"{'.'.join((*where, key))} cannot be set here; {', '.join(known)} can.")

    def _table(self, document: Mapping[str, Any], key: str, where: tuple[str, ...] = ()) -> dict[str, Any]:
        table = document.get(key, {})
        if not isinstance(table, dict):
            self._fail_at(where, key, f"{key} is a table: [{'.'.join((*where, key))}].")
        return table

    def _text_of(self, table: Mapping[str, Any], where: tuple[str, ...], key: str) -> str | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self._fail_at(where, key, f"{key} is a text in quotes, and not blank.")
        return value

    def _texts(
        self, table: Mapping[str, Any], where: tuple[str, ...], key: str, known: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        value = table.get(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(text, str) and text.strip() for text in values):
            self._fail_at(where, key, f"{key} is a list of texts, such as ['a', 'b'].")
        for text in values:
            if known and text.lower() not in known:
                self._fail_at(where, key, f"{text!r} is not a value of {key}; it takes {', '.join(known)}.")
        return tuple(dict.fromkeys(text.lower() if known else text for text in values))

    def _choice(self, table: Mapping[str, Any], where: tuple[str, ...], key: str, known: tuple[str, ...]) -> str | None:
        value = table.get(key)
        if value is not None and value not in known:
            self._fail_at(where, key, f"{key} is one of {', '.join(known)}.")
        return value

    def _number(self, table: Mapping[str, Any], where: tuple[str, ...], key: str, largest: int) -> int | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
            self._fail_at(where, key, f"{key} is a number from 1 to {largest}.")
        return value

    def _switch(self, table: Mapping[str, Any], where: tuple[str, ...], key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self._fail_at(where, key, f"{key} is true or false.")
        return value

    def _fail_at(self, where: tuple[str, ...], key: str, what: str) -> NoReturn:
        self._fail(self._line(where, key), what)

    def _fail(self, line: int, what: str) -> NoReturn:
        raise UsageProblem(f"{self._path}, line {line}: {what}", "Correct the file; docs/config.md says what it takes.")

    def _line(self, where: tuple[str, ...], key: str = "") -> int:
        """Return the line of a key or, where it is not found, of its table; 1 if that is not found either."""
        table, best = "", 1
        dotted = ".".join(where)
        for number, line in enumerate(self._lines, 1):
            if header := re.match(r"\s*\[+([^\]]*)\]", line):
                table = ".".join(part.strip().strip("\"'") for part in header[1].split("."))
                if table in (dotted, f"{dotted}.{key}" if dotted else key):
                    best = number
            elif found := re.match(r"\s*([\w.\"'-]+)\s*=", line):
                full = ".".join(filter(None, [table, *(part.strip("\"'") for part in found[1].split("."))]))
                if full == ".".join(filter(None, [dotted, key])):
                    return number
        return best
