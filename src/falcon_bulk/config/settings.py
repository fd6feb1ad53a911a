"""The settings of one tenant, from a named env file, the process environment, or `.env` in the current folder.

These sources never mix. With a named file only FALCON_BULK_READ_ONLY, FALCON_BULK_STATE_DIR and
FALCON_BULK_ALLOW_CUSTOM_BASE_URL are taken from the process environment, so that one customer's credentials
cannot be used with another customer's URL or CIDs.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from falcon_bulk.config import secret_command
from falcon_bulk.config.customers import NAME_RULE, customer_file, is_customer_name
from falcon_bulk.config.env_file import load_env_file
from falcon_bulk.config.operator import login_name, operator_problem
from falcon_bulk.config.regions import parse_base_url
from falcon_bulk.config.secret import Secret
from falcon_bulk.config.secret_command import CommandSecret, parse_command
from falcon_bulk.errors import AccessProblem, BadEnvFile, UsageProblem

PROCESS_ENVIRONMENT = "process environment"

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
_UNSPACED_KEYS = (*CREDENTIALS, secret_command.KEY, "FALCON_BASE_URL", "FALCON_MEMBER_CID", "FALCON_CID", *REGION_KEYS)
_AUTODISCOVER = frozenset({"auto", "autodiscover"})

_CHECKSUM = re.compile(r"-[0-9a-f]{2}\Z")
CID = re.compile(r"[0-9a-z]{1,64}")
"""Pattern of a customer id without its checksum, which names the journal."""
_CURLY_QUOTES = re.compile("[\u2018\u2019\u201c\u201d\u201e\u201a]")
_SEPARATORS = re.compile(r"[,\s]+")
_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is needed to work on one tenant. A setting that is not set is '' or ().

    member_cid, cids: lower case, without the checksum that the console appends to a CID.
    source: the env file's path, or "process environment".
    named: whether --env-file or --customer selected the file.
    notify: Apprise URLs; they may contain passwords.
    read_only: whether the file or the process environment forbids changes.
    secret_set: the date since which the secret is known to be the same: FALCON_SECRET_SET, else that of the file.
    warnings: sentences about the source for the user; they contain no values.
    """

    customer: str
    client_id: str
    client_secret: Secret
    base_url: str
    member_cid: str
    cids: tuple[str, ...]
    operator: str
    source: str
    named: bool
    tags: tuple[str, ...] = ()
    notify: tuple[str, ...] = field(default=(), repr=False)
    read_only: bool = False
    secret_set: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Source:
    """The keys of one source. name: for messages. unchecked: a sentence for each check that could not be made.

    modified: the date of a file.
    """

    values: Mapping[str, str]
    name: str
    customer: str
    warnings: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    is_file: bool = False
    modified: str = ""

    def get(self, key: str) -> str:
        """Return the value of `key`, stripped, or ''. Raises BadEnvFile if it has an unprintable character."""
        return self.get_unstripped(key).strip()

    def get_unstripped(self, key: str) -> str:
        """Return the value of `key` unchanged, or ''. Raises BadEnvFile if it has an unprintable character."""
        value = self.values.get(key, "")
        if not value.isprintable():
            raise self.problem(f"{key} has a control or invisible character.", "Type the value again.")
        if key in _UNSPACED_KEYS and self.is_file:
            self._check_paste(key, value)
        return value

    def _check_paste(self, key: str, value: str) -> None:
        """Raise BadEnvFile for what a word processor or a script adds to a pasted value."""
        if _CURLY_QUOTES.search(value):
            raise self.problem(f"{key} has curly quotes.", "Use straight quotes, or none.")
        if value.endswith(";"):
            raise self.problem(f"{key} ends with a semicolon.", "Remove it.")

    def problem(self, message: str, hint: str = "") -> BadEnvFile:
        return BadEnvFile(f"{self.name}: {message}", hint)


def load_settings(
    *,
    env_file: Path | None,
    customer: str | None,
    customers_dir: Path,
    environ: Mapping[str, str],
    cwd: Path,
) -> Settings:
    """Return the settings that the options and the environment select.

    env_file, customer: values of the options. Relative paths, including `customers_dir`, start from `cwd`.
    environ: the process environment.

    Raises UsageProblem for contradicting options or an invalid customer name, BadEnvFile for a file that is missing,
    unsafe, unreadable or incomplete. No message contains a secret.
    """
    path = _named_file(env_file, customer, cwd / customers_dir, cwd)
    source = _file_source(path) if path else _unnamed_source(environ, cwd)
    values = {name: read() for name, read in _setting_readers(source, environ).items()}
    return Settings(
        **values,
        source=source.name,
        named=path is not None,
        warnings=source.unchecked + source.warnings + _other_customer_warning(customer, values["customer"], source),
    )


def resolve_env_file(
    *, env_file: Path | None, customer: str | None, customers_dir: Path, environ: Mapping[str, str], cwd: Path
) -> Path | None:
    """Return the env file that `load_settings` reads, existing or not; None if it reads the process environment.

    Raises UsageProblem, and BadEnvFile for a customer without a file.
    """
    named = _named_file(env_file, customer, cwd / customers_dir, cwd)
    if named is not None or not all(environ.get(key, "").strip() for key in CREDENTIALS):
        return named or cwd / ".env"
    return None


def inspect_env_file(path: Path, environ: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the settings of an env file that can be read, by their names in `Settings`, and all its problems.

    Each problem is a text without the file's name and without values.
    """
    try:
        source = _file_source(path)
    except BadEnvFile as error:
        return {}, (_without_name(error, path),)
    values: dict[str, Any] = {}
    problems = []
    for name, read in _setting_readers(source, environ).items():
        try:
            values[name] = read()
        except BadEnvFile as error:
            problems.append(_without_name(error, path))
    warnings = source.warnings + _other_customer_warning(
        source.customer, values.get("customer", source.customer), source
    )
    problems += [warning.removeprefix(f"{path}: ") for warning in warnings]
    return values, tuple(problems)


def value_problem(name: str, key: str, value: str, environ: Mapping[str, str]) -> str:
    """Return what is wrong with `value` for `key`; '' if it is valid. name: of the setting. It omits the value."""
    try:
        _setting_readers(_Source({key: value}, "", ""), environ)[name]()
    except BadEnvFile as error:
        return _without_name(error, Path())
    return ""


def _without_name(error: BadEnvFile, path: Path) -> str:
    message = error.message.removeprefix(str(path)).lstrip(":, ")
    return f"{message} {error.hint}".rstrip()


def _setting_readers(source: _Source, environ: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
    """Return, for each field of `Settings`, the function that reads it; each may raise BadEnvFile."""
    return {
        "customer": lambda: _customer(source),
        "client_id": lambda: _required(source, "FALCON_CLIENT_ID").strip(),
        "client_secret": lambda: _client_secret(source),
        "secret_set": lambda: _secret_set(source),
        "base_url": lambda: _base_url(source, environ),
        "member_cid": lambda: _member_cid(source),
        "cids": lambda: _cids(source, "FALCON_CID"),
        "operator": lambda: _operator(source),
        "tags": lambda: _split_list(source.get("FALCON_TAGS")),
        "notify": lambda: tuple(source.get("FALCON_NOTIFY").split()),
        "read_only": lambda: read_only(environ) or _switch(source, "FALCON_BULK_READ_ONLY"),
    }


def read_only(environ: Mapping[str, str]) -> bool:
    """Return whether the process environment forbids changes. Raises BadEnvFile if it is neither yes nor no."""
    return _switch(_Source(environ, PROCESS_ENVIRONMENT, ""), "FALCON_BULK_READ_ONLY")


def _named_file(env_file: Path | None, customer: str | None, customers_dir: Path, cwd: Path) -> Path | None:
    by_name = customer_file(customer, customers_dir) if customer is not None else None
    if env_file is None:
        return by_name
    by_path = cwd / os.path.expanduser(env_file)  # noqa: PTH111 - Path.expanduser() raises on an unknown user
    if by_name is not None and not _same_file(by_path, by_name):
        raise UsageProblem("--env-file and --customer name different files.", "Use one of them.")
    return by_path


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        return False


def _file_source(path: Path) -> _Source:
    file = load_env_file(path)
    ignored = tuple(
        f"{path}: {key} is ignored: it works only in the process environment."
        for key in PROCESS_ONLY_KEYS
        if key in file.values
    )
    stem = "default" if path.name == ".env" else path.stem
    blanks = tuple(
        f"{path}: {key} has blanks inside its quotes."
        for key in (*CREDENTIALS, "FALCON_BASE_URL")
        if (value := file.values.get(key, "")).strip() and value != value.strip()
    )
    warnings = ignored + blanks + _unknown_key_warnings(file.values, str(path))
    modified = datetime.fromtimestamp(file.modified, UTC).date().isoformat()
    return _Source(file.values, str(path), stem, warnings, file.warnings, is_file=True, modified=modified)


def _unnamed_source(environ: Mapping[str, str], cwd: Path) -> _Source:
    missing = [key for key in CREDENTIALS if not environ.get(key, "").strip()]
    if not missing:
        warnings = _unknown_key_warnings(environ, f"The {PROCESS_ENVIRONMENT}", only_similar=True)
        return _Source(environ, PROCESS_ENVIRONMENT, "default", warnings)
    path = cwd / ".env"
    if not os.path.lexists(path):
        names = " and ".join(missing)
        raise BadEnvFile(
            f"No credentials: {path} does not exist, and the {PROCESS_ENVIRONMENT} lacks {names}.",
            "Use --customer NAME (`falcon-bulk customers add NAME` creates its file), or create a .env with mode 600.",
        )
    return _file_source(path)


def _customer(source: _Source) -> str:
    name = source.get("FALCON_CUSTOMER") or source.customer
    if not is_customer_name(name):
        raise source.problem(f"{name!r} is not a valid customer name.", f"{NAME_RULE} FALCON_CUSTOMER sets it.")
    return name


def _required(source: _Source, key: str) -> str:
    value = source.get_unstripped(key)
    if not value.strip():
        state = "blank" if key in source.values else "missing"
        if source.is_file and (other := next((name for name in source.values if _stands_for(name, key)), "")):
            raise source.problem(f"{key} is {state}, and {other} is not read.", f"Rename {other} to {key}.")
        raise source.problem(f"{key} is {state}.", "The Falcon console shows it when you create an API client.")
    return value


def _client_secret(source: _Source) -> Secret:
    command = source.get(secret_command.KEY) if source.is_file else ""
    if not command:
        return Secret(_required(source, "FALCON_CLIENT_SECRET"))
    if source.get("FALCON_CLIENT_SECRET"):
        raise source.problem(f"FALCON_CLIENT_SECRET and {secret_command.KEY} contradict each other.", "Keep one.")
    try:
        return CommandSecret(source.customer, parse_command(command))
    except ValueError as error:
        raise source.problem(f"{secret_command.KEY} is no command: {error}.", "Quote it as in a shell.") from None


def _secret_set(source: _Source) -> str:
    day = source.get("FALCON_SECRET_SET")
    if not day:
        return source.modified if source.values.get("FALCON_CLIENT_SECRET", "").strip() else ""
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        raise source.problem("FALCON_SECRET_SET is not a date.", "It looks like 2026-11-27.") from None


def _base_url(source: _Source, environ: Mapping[str, str]) -> str:
    process = _Source(environ, PROCESS_ENVIRONMENT, "")
    allow_custom = _switch(process, "FALCON_BULK_ALLOW_CUSTOM_BASE_URL")
    # A file's region; a variable of the process environment may be another tool's, for another tenant.
    keys = ("FALCON_BASE_URL", *(REGION_KEYS if source.is_file else ()))
    given = {key: value for key in keys if (value := source.get(key)) and value.lower() not in _AUTODISCOVER}
    try:
        urls = {key: parse_base_url(value, allow_custom=allow_custom, key=key) for key, value in given.items()}
        if len(set(urls.values())) > 1:
            raise source.problem(f"{' and '.join(urls)} contradict each other.", "Keep FALCON_BASE_URL only.")
        return next(iter(urls.values()), parse_base_url("", allow_custom=False))
    except BadEnvFile:
        raise
    except AccessProblem as error:
        raise source.problem(error.message, error.hint) from None


def _member_cid(source: _Source) -> str:
    cids = _cids(source, "FALCON_MEMBER_CID")
    if len(cids) > 1:
        raise source.problem("FALCON_MEMBER_CID names more than one CID.", "Use one env file per member.")
    return cids[0] if cids else ""


def _cids(source: _Source, key: str) -> tuple[str, ...]:
    cids = [_CHECKSUM.sub("", cid) for cid in _split_list(source.get(key).lower())]
    if not all(CID.fullmatch(cid) for cid in cids):
        hint = "A CID has only letters and digits; separate several with commas."
        raise source.problem(f"{key} contains a value that is not a CID.", hint)
    return tuple(dict.fromkeys(cids))


def _operator(source: _Source) -> str:
    named = source.get("FALCON_OPERATOR")
    if problem := operator_problem(named):
        raise source.problem(f"FALCON_OPERATOR {problem}.")
    return named or login_name()


def _switch(source: _Source, key: str) -> bool:
    value = source.get(key).lower()
    if value not in _ON | _OFF:
        raise source.problem(f"{key} is neither yes nor no.", "Use 1, true, yes, on, or 0, false, no, off.")
    return value in _ON


def _split_list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for item in _SEPARATORS.split(text) if item))


def _unknown_key_warnings(values: Mapping[str, str], name: str, *, only_similar: bool = False) -> tuple[str, ...]:
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


def _stands_for(name: str, key: str) -> bool:
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


def _other_customer_warning(customer: str | None, name: str, source: _Source) -> tuple[str, ...]:
    if customer is None or customer.lower() == name.lower():
        return ()
    return (f"{source.name}: FALCON_CUSTOMER is {name}, not {customer}; is this a copy of another customer's file?",)
