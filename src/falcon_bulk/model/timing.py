"""How long things may take, where several parts have to agree."""

CHANGE_TIMEOUT = 180.0
"""Seconds that the answer to a change is waited for: 1,000 updates can take long."""
MAX_LATENESS = CHANGE_TIMEOUT
"""Seconds in which a change without an answer may still take effect, so that it is not sent again before.

A gateway may give up at once and hand the request on later, but not after its own timeout.
"""
