"""Runs the checks of `doctor` for the customer of the command line."""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from falcon_bulk.cli.session import Session
from falcon_bulk.config.env_file import load_env_file
from falcon_bulk.config.operator import login_name
from falcon_bulk.config.regions import CLOUDS
from falcon_bulk.config.state import state_dir
from falcon_bulk.errors import BadEnvFile, FalconBulkError
from falcon_bulk.falcon.tenant import Tenant
from falcon_bulk.journal.files import journal_paths
from falcon_bulk.model.doctor import Check, DoctorReport, Finding
from falcon_bulk.operations.doctor import local_checks
from falcon_bulk.operations.doctor.falcon_checks import CLIENT_ID_SHOWN, check_falcon, run_check

PROBING = "Probing Falcon with some 50 reads; how old an `after` may get takes up to 150 s (not with --quick)."
PROBING_QUICKLY = "Probing Falcon with some 50 reads."


def run_checks(session: Session, *, probing: bool = False, quick: bool = False) -> DoctorReport:
    """Run all checks, one after the other, and return their report.

    probing: also ask what is so at this tenant. quick: without the wait for the life of `after`.
    """
    findings: list[Finding] = []

    def ask(tenant: Tenant) -> None:
        from falcon_bulk.operations.doctor.probe.run import probe

        session.console.say(PROBING_QUICKLY if quick else PROBING)
        findings.extend(probe(tenant.observer(), session.clock, lambda: tenant.clock_ahead, quick=quick))

    checks: list[Check] = [
        run_check("versions", local_checks.check_versions),
        run_check("state folder", lambda: local_checks.check_state_folder(state_dir(os.environ))),
        run_check("env file", lambda: _env_file(session)),
        run_check("network", lambda: local_checks.check_network(os.environ)),
        *check_falcon(session.load_settings, session.tenant, ask if probing else lambda _: None),
    ]
    return DoctorReport(generated_at=session.now, checks=tuple(checks), findings=tuple(findings))


def redactions(session: Session) -> dict[str, str]:
    """Return what a bug report must not name, with its replacement; also of files that cannot be used."""
    names = {platform.node(): "HOST", login_name(): "USER"}
    for name, replacement in (*_network_names(), *_customer_names(session), *_paths(session)):
        names[name] = replacement
    return {name: replacement for name, replacement in names.items() if name}


def _network_names() -> Iterator[tuple[str, str]]:
    """Yield the hosts of the proxies and the paths of the CA files."""
    for variable in local_checks.PROXIES:
        for value in filter(None, (os.environ.get(variable), os.environ.get(variable.lower()))):
            yield value, "HOSTS"
            with suppress(ValueError):
                yield urlsplit(value if "://" in value else f"//{value}").hostname or "", "HOST"
    for variable in local_checks.CA_BUNDLES:
        yield os.environ.get(variable, ""), "PATH"


def _customer_names(session: Session) -> Iterator[tuple[str, str]]:
    """Yield what the customers' files name, valid or not, and the CIDs of the journals."""
    yield session.customers.name, "CUSTOMER"
    for path in journal_paths(state_dir(os.environ)):
        yield path.stem, "CID"
    yield from _names_in(os.environ)
    for path in _env_files(session):
        if path.suffix == ".env":
            yield path.stem, "CUSTOMER"
            yield path.name, "CUSTOMER.env"
        with suppress(FalconBulkError):
            yield from _names_in(load_env_file(path).values)


def _names_in(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    client_id = values.get("FALCON_CLIENT_ID", "").strip()
    yield client_id, f"{client_id[:CLIENT_ID_SHOWN]}…"
    yield values.get("FALCON_CUSTOMER", "").strip(), "CUSTOMER"
    yield values.get("FALCON_OPERATOR", "").strip(), "OPERATOR"
    for key in ("FALCON_CID", "FALCON_MEMBER_CID"):
        for cid in values.get(key, "").replace(",", " ").split():
            yield cid, "CID"
            yield cid.partition("-")[0], "CID"
    base_url = values.get("FALCON_BASE_URL", "").strip()
    with suppress(ValueError):
        host = urlsplit(base_url if "://" in base_url else f"//{base_url}").hostname or ""
        if base_url.lower() not in CLOUDS and not host.endswith(".crowdstrike.com"):
            yield host, "HOST"


def _env_files(session: Session) -> list[Path]:
    """Return the env file of the command line and those of the customers' folder, as far as they can be found."""
    found: list[Path] = []
    with suppress(FalconBulkError, OSError):
        found += [path] if (path := session.customers.find_env_file()) else []
    with suppress(OSError):
        found += [path for path in session.customers.folder.iterdir() if path.suffix == ".env"]
    return found


def _paths(session: Session) -> Iterator[tuple[str, str]]:
    """Yield the folders and files that checks name, some of which have blanks in them."""
    yield os.path.expanduser("~"), "~"  # noqa: PTH111 - never raises
    yield str(Path.cwd()), "FOLDER"
    yield str(session.customers.folder), "customers"
    yield str(state_dir(os.environ)), "STATE-FOLDER"
    for path in _env_files(session):
        yield str(path), "ENV-FILE"
    if session.options.env_file:
        yield str(session.options.env_file), "ENV-FILE"


def _env_file(session: Session) -> Check:
    path = session.customers.find_env_file()
    try:
        session.load_settings()
    except BadEnvFile as error:
        return local_checks.check_env_file(path, os.environ, error)
    return local_checks.check_env_file(path, os.environ, None)
