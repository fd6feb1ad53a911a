"""A scheduled command as text for cron and systemd."""

import msgspec


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What to install for a scheduled command.

    name: of the units. crontab: one line. service, timer: the text of the unit files, None for a schedule that only
    cron can express. log: the path of the output's log.
    """

    name: str
    crontab: str
    service: str | None
    timer: str | None
    log: str
