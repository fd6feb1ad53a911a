"""Reads each setting from its source, and refuses what it cannot be."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from falcon_bulk.config import secret_command
from falcon_bulk.config.customers import NAME_RULE, is_customer_name
from falcon_bulk.config.env_keys import REGION_KEYS, stands_for
from falcon_bulk.config.operator import login_name, operator_problem
from falcon_bulk.config.regions import parse_base_url
from falcon_bulk.config.secret import Secret
from falcon_bulk.config.secret_command import CommandSecret, parse_command
from falcon_bulk.config.settings_source import PROCESS_ENVIRONMENT, SettingsSource
from falcon_bulk.errors import AccessProblem, BadEnvFile

_AUTODISCOVER = frozenset({"auto", "autodiscover"})
_CHECKSUM = re.compile(r"-[0-9a-f]{2}\Z")
CID = re.compile(r"[0-9a-z]{1,64}")
"""Pattern of a customer id without its checksum, which names the journal."""
_SEPARATORS = re.compile(r"[,\s]+")
_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})


def setting_readers(source: SettingsSource, environ: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
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
    return _switch(SettingsSource(environ, PROCESS_ENVIRONMENT, ""), "FALCON_BULK_READ_ONLY")


def _customer(source: SettingsSource) -> str:
    name = source.get("FALCON_CUSTOMER") or source.customer
    if not is_customer_name(name):
        raise source.problem(f"{name!r} is not a valid customer name.", f"{NAME_RULE} FALCON_CUSTOMER sets it.")
    return name


def _required(source: SettingsSource, key: str) -> str:
    value = source.get_unstripped(key)
    if not value.strip():
        state = "blank" if key in source.values else "missing"
        if source.is_file and (other := next((name for name in source.values if stands_for(name, key)), "")):
            raise source.problem(f"{key} is {state}, and {other} is not read.", f"Rename {other} to {key}.")
        raise source.problem(f"{key} is {state}.", "The Falcon console shows it when you create an API client.")
    return value


def _client_secret(source: SettingsSource) -> Secret:
    command = source.get(secret_command.KEY) if source.is_file else ""
    if not command:
        return Secret(_required(source, "FALCON_CLIENT_SECRET"))
    if source.get("FALCON_CLIENT_SECRET"):
        raise source.problem(f"FALCON_CLIENT_SECRET and {secret_command.KEY} contradict each other.", "Keep one.")
    try:
        return CommandSecret(source.customer, parse_command(command))
    except ValueError as error:
        raise source.problem(f"{secret_command.KEY} is no command: {error}.", "Quote it as in a shell.") from None


def _secret_set(source: SettingsSource) -> str:
    day = source.get("FALCON_SECRET_SET")
    if not day:
        return source.modified if source.values.get("FALCON_CLIENT_SECRET", "").strip() else ""
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        raise source.problem("FALCON_SECRET_SET is not a date.", "It looks like 2026-11-27.") from None


def _base_url(source: SettingsSource, environ: Mapping[str, str]) -> str:
    process = SettingsSource(environ, PROCESS_ENVIRONMENT, "")
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


def _member_cid(source: SettingsSource) -> str:
    cids = _cids(source, "FALCON_MEMBER_CID")
    if len(cids) > 1:
        raise source.problem("FALCON_MEMBER_CID names more than one CID.", "Use one env file per member.")
    return cids[0] if cids else ""


def _cids(source: SettingsSource, key: str) -> tuple[str, ...]:
    cids = [_CHECKSUM.sub("", cid) for cid in _split_list(source.get(key).lower())]
    if not all(CID.fullmatch(cid) for cid in cids):
        hint = "A CID has only letters and digits; separate several with commas."
        raise source.problem(f"{key} contains a value that is not a CID.", hint)
    return tuple(dict.fromkeys(cids))


def _operator(source: SettingsSource) -> str:
    named = source.get("FALCON_OPERATOR")
    if problem := operator_problem(named):
        raise source.problem(f"FALCON_OPERATOR {problem}.")
    return named or login_name()


def _switch(source: SettingsSource, key: str) -> bool:
    value = source.get(key).lower()
    if value not in _ON | _OFF:
        raise source.problem(f"{key} is neither yes nor no.", "Use 1, true, yes, on, or 0, false, no, off.")
    return value in _ON


def _split_list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for item in _SEPARATORS.split(text) if item))
