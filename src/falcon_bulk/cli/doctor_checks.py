"""What `doctor` looks at, put together from the command line and the surroundings."""

import os

from falcon_bulk.cli.session import Context
from falcon_bulk.config.operator import login_name
from falcon_bulk.config.state import state_dir
from falcon_bulk.errors import BadEnvFile, FalconBulkError
from falcon_bulk.model.doctor import Check, Examination
from falcon_bulk.operations.doctor import local_checks as surroundings
from falcon_bulk.operations.doctor.falcon_checks import SHOWN_OF_ID, examine_falcon, examined


def examine(context: Context) -> Examination:
    """All checks, one after the other."""
    checks: list[Check] = [
        examined("versions", surroundings.versions),
        examined("state folder", lambda: surroundings.state_folder(state_dir(os.environ))),
        examined("env file", lambda: _env_file(context)),
        examined("network", lambda: surroundings.network(os.environ)),
        *examine_falcon(lambda: context.settings, context.tenant),
    ]
    return Examination(generated_at=context.now, checks=tuple(checks))


def private_names(context: Context) -> dict[str, str]:
    """What a bug report does not need to name, with what stands for it."""
    names = {os.path.expanduser("~"): "~", login_name(): "USER", context.name: "CUSTOMER"}  # noqa: PTH111 - never raises
    try:
        settings = context.settings
    except FalconBulkError:
        return names
    shortened = (settings.client_id, settings.member_cid, *settings.cids)
    names |= {value: f"{value[:SHOWN_OF_ID]}…" for value in shortened}
    return names | {settings.customer: "CUSTOMER", settings.operator: "OPERATOR"}


def _env_file(context: Context) -> Check:
    path = context.env_file
    try:
        _ = context.settings
    except BadEnvFile as error:
        return surroundings.env_file(path, os.environ, error)
    return surroundings.env_file(path, os.environ, None)
