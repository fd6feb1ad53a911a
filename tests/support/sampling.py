"""How much of what repeats itself is among the quick tests."""

from typing import Any

import pytest
from hypothesis import settings


def quick_first(*cases: Any, quick: int = 1) -> list[Any]:
    """Return the cases as parameters, all except the first `quick` marked slow."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow if number >= quick else ())
        for number, case in enumerate(cases)
    ]


def examples(number: int) -> int:
    """Return how many examples Hypothesis tries: `number` with the slow tests, a fifth of it among the quick ones."""
    return number * settings().max_examples // settings.get_profile("every test").max_examples
