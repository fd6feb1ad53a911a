"""Marks most of a table's cases as slow: each costs a process."""

from typing import Any

import pytest


def quick_first(*cases: Any, quick: int = 1) -> list[Any]:
    """Return the cases as parameters, all except the first `quick` marked slow."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow if number >= quick else ())
        for number, case in enumerate(cases)
    ]
