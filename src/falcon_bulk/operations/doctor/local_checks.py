"""The half of the self-check that asks nobody: versions, the state folder, the env file, the way to the network."""

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from falcon_bulk import __version__
from falcon_bulk.config.env_file import load_env_file
from falcon_bulk.config.settings import KEYS, PROCESS_ENVIRONMENT, inspect_env_file
from falcon_bulk.config.state import prepare_state_dir
from falcon_bulk.errors import AccessProblem, ExitCode, FalconBulkError
from falcon_bulk.journal.health import check_journal
from falcon_bulk.journal.journal import journals
from falcon_bulk.model.doctor import Check, CheckStatus
from falcon_bulk.operations.customers import conflicts_with_others

NAME = "falcon-bulk"
MIN_FREE_BYTES = 100 * 1024 * 1024
FALCONPY = "1.6."
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_DEPENDENCY = re.compile(r"[A-Za-z0-9._-]+")


def check_versions() -> Check:
    """Of the program, of Python, of the platform and of the libraries."""
    found = {name: _version(name) for name in _dependencies()}
    said = [f"{NAME} {__version__}", f"Python {platform.python_version()}", platform.platform(terse=True)]
    what = ", ".join([*said, *(f"{name} {version or 'missing'}" for name, version in found.items())])
    if missing := [name for name, version in found.items() if not version]:
        hint = f"Install {NAME} anew: {', '.join(missing)} is missing."
        return Check(name="versions", status=CheckStatus.FAIL, what=what, hint=hint, exit_code=ExitCode.UNEXPECTED)
    if not found.get("crowdstrike-falconpy", FALCONPY).startswith(FALCONPY):
        hint = f"This version was made for crowdstrike-falconpy {FALCONPY}x."
        return Check(name="versions", status=CheckStatus.WARN, what=what, hint=hint)
    return Check(name="versions", status=CheckStatus.OK, what=what)


def check_state_folder(folder: Path) -> Check:
    """That the journals' folder can be used, has room, takes a file to the disk, and what its journals hold.

    The folder is made if it is missing. Raises AccessProblem, JournalProblem.
    """
    prepare_state_dir(folder)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written by a self-check\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AccessProblem(
            f"Nothing can be written to the state folder {folder}: {error.strerror}.",
            "Without it no change is made. FALCON_BULK_STATE_DIR names another one.",
        ) from None
    room = shutil.disk_usage(folder).free
    conditions = [check_journal(path) for path in journals(folder)]
    runs, unfinished = sum(one.runs for one in conditions), sum(one.unfinished for one in conditions)
    what = f"{folder}: writable, {room / 1e9:,.1f} GB free, journals: {len(conditions)}, runs: {runs}"
    warn = ""
    if unfinished:
        warn = f"Unfinished runs: {unfinished}; `falcon-bulk runs` lists them, `falcon-bulk resume` goes on."
    if any(one.newer for one in conditions):
        warn = "A journal was written by a newer version: use that one."
    if room < MIN_FREE_BYTES:
        warn = "There is little room left on this disk; a large run needs some."
    return Check(name="state folder", status=CheckStatus.WARN if warn else CheckStatus.OK, what=what, hint=warn)


def check_env_file(path: Path | None, environ: Mapping[str, str], error: FalconBulkError | None) -> Check:
    """That the customer's file is closed to others, can be read, and what keys stand in it, without their values.

    path: None where the process environment gives the credentials. error: why they cannot be used.
    """
    if error is not None and (path is None or not os.path.lexists(path)):
        raise error
    if path is None:
        keys = [key for key in KEYS if environ.get(key)]
        return Check(name="env file", status=CheckStatus.OK, what=f"none; {PROCESS_ENVIRONMENT}: {', '.join(keys)}")
    _, problems = inspect_env_file(path, environ)
    shared = conflicts_with_others(path, environ) if path.name != ".env" else ()
    if error is not None or shared:
        what = f"{path}: {' '.join((*problems, *shared))}"
        hint = error.hint if error else "Changes are refused until each file has its own."
        return Check(name="env file", status=CheckStatus.FAIL, what=what, hint=hint, exit_code=ExitCode.ACCESS)
    what = f"{path}: closed to others, with {', '.join(load_env_file(path).values)}"
    return Check(
        name="env file", status=CheckStatus.WARN if problems else CheckStatus.OK, what=what, hint=" ".join(problems)
    )


def check_network(environ: Mapping[str, str]) -> Check:
    """Which proxy and CA file the environment names, without the proxy's user and password."""
    set_ = {name: value for name in PROXIES if (value := environ.get(name) or environ.get(name.lower()))}
    said = [f"{name}={value if name == 'NO_PROXY' else _without_login(value)}" for name, value in set_.items()]
    bundles = {name: value for name in CA_BUNDLES if (value := environ.get(name))}
    said += [f"{name}={value}" for name, value in bundles.items()]
    missing = [name for name, value in bundles.items() if not Path(value).exists()]
    return Check(
        name="network",
        status=CheckStatus.WARN if missing else CheckStatus.OK,
        what=", ".join(said) or "no proxy, no CA file of one's own",
        hint=f"{' and '.join(missing)} names a file that does not exist." if missing else "",
    )


def _without_login(proxy: str) -> str:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"//{proxy}")
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}" if parts.scheme else f"{parts.hostname}{port}"
    except ValueError:
        return "(cannot be read)"


def _dependencies() -> list[str]:
    """What the program is installed with, extras left out; nothing where it is not installed but run as it lies."""
    try:
        wanted = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        wanted = ["crowdstrike-falconpy", "click", "msgspec", "requests"]
    names = [found[0] for one in wanted if "extra ==" not in one and (found := _DEPENDENCY.match(one))]
    return [*names, *({"requests"} - set(names))]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
