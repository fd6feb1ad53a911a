"""The tenant's dice."""

import random


def seeded(seed: str | int) -> random.Random:
    return random.Random(seed)  # noqa: S311
