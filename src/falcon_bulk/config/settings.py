"""The settings of one tenant, from a named env file, the process environment, or `.env` in the current folder.

These sources never mix. With a named file only FALCON_BULK_READ_ONLY, FALCON_BULK_STATE_DIR and
FALCON_BULK_ALLOW_CUSTOM_BASE_URL are taken from the process environment, so that one customer's credentials
cannot be used with another customer's URL or CIDs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from falcon_bulk.config.customers import customer_file
from falcon_bulk.config.env_keys import CREDENTIALS
from falcon_bulk.config.secret import Secret
from falcon_bulk.config.setting_readers import setting_readers
from falcon_bulk.config.settings_source import SettingsSource, file_source, unnamed_source
from falcon_bulk.errors import BadEnvFile, UsageProblem


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
    source = file_source(path) if path else unnamed_source(environ, cwd)
    values = {name: read() for name, read in setting_readers(source, environ).items()}
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
        source = file_source(path)
    except BadEnvFile as error:
        return {}, (_without_name(error, path),)
    values: dict[str, Any] = {}
    problems = []
    for name, read in setting_readers(source, environ).items():
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
        setting_readers(SettingsSource({key: value}, "", ""), environ)[name]()
    except BadEnvFile as error:
        return _without_name(error, Path())
    return ""


def _without_name(error: BadEnvFile, path: Path) -> str:
    message = error.message.removeprefix(str(path)).lstrip(":, ")
    return f"{message} {error.hint}".rstrip()


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


def _other_customer_warning(customer: str | None, name: str, source: SettingsSource) -> tuple[str, ...]:
    if customer is None or customer.lower() == name.lower():
        return ()
    return (f"{source.name}: FALCON_CUSTOMER is {name}, not {customer}; is this a copy of another customer's file?",)
