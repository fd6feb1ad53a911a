"""Check versions, the state folder, the env file and the network settings. Nothing is sent."""

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
from falcon_bulk.config.env_keys import KEYS
from falcon_bulk.config.settings import inspect_env_file
from falcon_bulk.config.settings_source import PROCESS_ENVIRONMENT
from falcon_bulk.config.state import prepare_state_dir
from falcon_bulk.errors import AccessProblem, ExitCode, FalconBulkError
from falcon_bulk.journal.files import journal_paths
from falcon_bulk.journal.health import check_journal
from falcon_bulk.model.doctor import Check, CheckStatus
from falcon_bulk.operations.customers import conflicts_with_others

NAME = "falcon-bulk"
MIN_FREE_BYTES = 100 * 1024 * 1024
FALCONPY = "1.6."
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_DEPENDENCY = re.compile(r"[A-Za-z0-9._-]+")


def check_versions() -> Check:
    """Return the versions of the program, Python, the platform and the libraries; fails if a library is missing."""
    found = {name: _version(name) for name in _dependencies()}
    versions = [f"{NAME} {__version__}", f"Python {platform.python_version()}", platform.platform(terse=True)]
    what = ", ".join([*versions, *(f"{name} {version or 'missing'}" for name, version in found.items())])
    if missing := [name for name, version in found.items() if not version]:
        hint = f"Reinstall {NAME}: {', '.join(missing)} is missing."
        return Check(name="versions", status=CheckStatus.FAIL, what=what, hint=hint, exit_code=ExitCode.UNEXPECTED)
    if not found.get("crowdstrike-falconpy", FALCONPY).startswith(FALCONPY):
        hint = f"This version needs crowdstrike-falconpy {FALCONPY}x."
        return Check(name="versions", status=CheckStatus.WARN, what=what, hint=hint)
    return Check(name="versions", status=CheckStatus.OK, what=what)


def check_state_folder(folder: Path) -> Check:
    """Check that the folder of the journals is writable and has space, and count its journals and runs.

    Creates the folder if it is missing. Raises AccessProblem, JournalProblem.
    """
    prepare_state_dir(folder)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written by a self-check\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AccessProblem(
            f"Cannot write to the state folder {folder}: {error.strerror}.",
            "No change is made without it. Set FALCON_BULK_STATE_DIR to use another folder.",
        ) from None
    free_bytes = shutil.disk_usage(folder).free
    found = [check_journal(path) for path in journal_paths(folder)]
    runs, unfinished = sum(journal.runs for journal in found), sum(journal.unfinished for journal in found)
    what = f"{folder}: writable, {free_bytes / 1e9:,.1f} GB free, journals: {len(found)}, runs: {runs}"
    warning = ""
    if unfinished:
        warning = (
            f"Unfinished runs: {unfinished}; `falcon-bulk runs list` lists them, `falcon-bulk resume` resumes them."
        )
    if any(journal.newer for journal in found):
        warning = "A journal was written by a newer version: use that version."
    if free_bytes < MIN_FREE_BYTES:
        warning = "Little space is left on this disk; a large run needs some."
    return Check(name="state folder", status=CheckStatus.WARN if warning else CheckStatus.OK, what=what, hint=warning)


def check_env_file(path: Path | None, environ: Mapping[str, str], error: FalconBulkError | None) -> Check:
    """Check that the customer's file is private and valid, and list its keys without their values.

    path: None if the credentials come from the process environment. error: why the credentials cannot be used, if so.
    Raises `error` if there is no file to check.
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
        hint = error.hint if error else "Changes are refused until each file has credentials and a CID of its own."
        return Check(name="env file", status=CheckStatus.FAIL, what=what, hint=hint, exit_code=ExitCode.ACCESS)
    what = f"{path}: private, with {', '.join(load_env_file(path).values)}"
    return Check(
        name="env file", status=CheckStatus.WARN if problems else CheckStatus.OK, what=what, hint=" ".join(problems)
    )


def check_network(environ: Mapping[str, str]) -> Check:
    """List the proxies and CA files that the environment sets, without the user and password of a proxy."""
    proxies = {name: value for name in PROXIES if (value := environ.get(name) or environ.get(name.lower()))}
    settings = [f"{name}={value if name == 'NO_PROXY' else _without_login(value)}" for name, value in proxies.items()]
    bundles = {name: value for name in CA_BUNDLES if (value := environ.get(name))}
    settings += [f"{name}={value}" for name, value in bundles.items()]
    missing = [name for name, value in bundles.items() if not Path(value).exists()]
    return Check(
        name="network",
        status=CheckStatus.WARN if missing else CheckStatus.OK,
        what=", ".join(settings) or "no proxy, no custom CA file",
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
    """Return the required libraries, without extras; the main ones if the program runs from a source tree."""
    try:
        requirements = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        requirements = ["crowdstrike-falconpy", "click", "msgspec", "requests"]
    names = [name[0] for line in requirements if "extra ==" not in line and (name := _DEPENDENCY.match(line))]
    return [*names, *({"requests"} - set(names))]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
