"""Repeatable random numbers."""

import random


def seeded(seed: str | int) -> random.Random:
    """Return a generator that repeats itself for the same seed."""
    return random.Random(seed)  # noqa: S311 - nothing secret depends on it
