"""A command that runs at certain times, as the lines that cron and systemd take."""

import msgspec


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """name: that of the units. crontab: a line. service, timer: the unit files' text. log: the file of the output."""

    name: str
    crontab: str
    service: str
    timer: str
    log: str
