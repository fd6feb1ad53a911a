"""A scheduled command as text for cron and systemd."""

import msgspec


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What to install for a scheduled command.

    name: of the units. crontab: one line. service, timer: the contents of the unit files; None if only cron can express
    the schedule. failure_service: the unit NAME-failed.service, which the service starts when it fails. log: the file
    for the output.
    """

    name: str
    crontab: str
    service: str | None
    timer: str | None
    failure_service: str | None
    log: str
