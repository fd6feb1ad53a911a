"""What the user's config.toml says, checked as the options are that it stands for."""

import os
from functools import cache
from pathlib import Path

from falcon_bulk.cli.time_values import parse_instant
from falcon_bulk.config.config_file import ConfigFile, NamedSelection, config_path, read_config
from falcon_bulk.errors import UsageProblem
from falcon_bulk.falcon.fql import check_filter, check_host, check_name, check_word
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.model.hashes import check_sha256


def user_config() -> ConfigFile:
    """Return what the user's config.toml says, read once. Raises UsageProblem for a file that is not valid."""
    return _config(config_path(os.environ))


@cache
def _config(path: Path | None) -> ConfigFile:
    config = read_config(path)
    for selection in config.selections.values():
        _check_values(selection)
    return config


def _check_values(selection: NamedSelection) -> None:
    """Raise UsageProblem, with the file and the line, for a value that its option would not take."""
    now = SystemClock().now()
    try:
        for digest in selection.hash:
            check_sha256(digest)
        for product in selection.product:
            check_word(product, "product")
        if selection.filter is not None:
            check_filter(selection.filter)
        if selection.host is not None:
            check_host(selection.host)
        if selection.alert_name is not None:
            check_name(selection.alert_name)
        parse_instant(selection.since, "since", now)
        parse_instant(selection.until, "until", now)
    except UsageProblem as problem:
        raise UsageProblem(f"{selection.source}, @{selection.name}: {problem.message}", problem.hint) from None
