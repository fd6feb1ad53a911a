"""Runs the checks of `doctor` for the customer of the command line."""

import os

from falcon_bulk.cli.session import Session
from falcon_bulk.config.operator import login_name
from falcon_bulk.config.state import state_dir
from falcon_bulk.errors import BadEnvFile, FalconBulkError
from falcon_bulk.model.doctor import Check, DoctorReport
from falcon_bulk.operations.doctor import local_checks
from falcon_bulk.operations.doctor.falcon_checks import CLIENT_ID_SHOWN, check_falcon, run_check


def run_checks(session: Session) -> DoctorReport:
    """Run all checks, one after the other, and return their report."""
    checks: list[Check] = [
        run_check("versions", local_checks.check_versions),
        run_check("state folder", lambda: local_checks.check_state_folder(state_dir(os.environ))),
        run_check("env file", lambda: _env_file(session)),
        run_check("network", lambda: local_checks.check_network(os.environ)),
        *check_falcon(session.load_settings, session.tenant),
    ]
    return DoctorReport(generated_at=session.now, checks=tuple(checks))


def redactions(session: Session) -> dict[str, str]:
    """Return what a bug report must not name, with its replacement."""
    names = {os.path.expanduser("~"): "~", login_name(): "USER", session.customers.name: "CUSTOMER"}  # noqa: PTH111 - never raises
    try:
        settings = session.load_settings()
    except FalconBulkError:
        return names
    shortened = (settings.client_id, settings.member_cid, *settings.cids)
    names |= {value: f"{value[:CLIENT_ID_SHOWN]}…" for value in shortened}
    return names | {settings.customer: "CUSTOMER", settings.operator: "OPERATOR"}


def _env_file(session: Session) -> Check:
    path = session.customers.find_env_file()
    try:
        session.load_settings()
    except BadEnvFile as error:
        return local_checks.check_env_file(path, os.environ, error)
    return local_checks.check_env_file(path, os.environ, None)
