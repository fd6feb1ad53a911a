"""Shortens how long a lost change may take effect, in commands that tests start: else each would wait for minutes."""

import os

if seconds := os.environ.get("TEST_MAX_LATENESS"):
    from falcon_bulk.model import timing

    timing.MAX_LATENESS = float(seconds)
