"""Changes the time in commands that tests start.

TEST_MAX_LATENESS shortens how long a lost change may take effect: else each would wait for minutes.
TEST_LOOK_INTERVAL shortens the time between two looks at the alerts of a lost change. TEST_DAYS_LATER sets the clock
some days ahead. TEST_CHANCE is what the random numbers are that spread retries, so that the waits between tries are
short ones of those that may be.
"""

import os

if seconds := os.environ.get("TEST_MAX_LATENESS"):
    from falcon_bulk.model import timing

    timing.MAX_LATENESS = float(seconds)

if seconds := os.environ.get("TEST_LOOK_INTERVAL"):
    from falcon_bulk.operations.changes import lost_batches

    lost_batches.LOOK_INTERVAL = float(seconds)

if days := os.environ.get("TEST_DAYS_LATER"):
    from datetime import timedelta

    from falcon_bulk.model.clock import SystemClock

    now = SystemClock.now
    SystemClock.now = lambda clock: now(clock) + timedelta(days=float(days))

if chance := os.environ.get("TEST_CHANCE"):
    from falcon_bulk.model.clock import SystemClock

    SystemClock.chance = lambda clock: float(chance)
