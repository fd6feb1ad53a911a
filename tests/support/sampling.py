"""How much of a table of cases the quick tests go through: each case costs a process."""

from typing import Any

import pytest


def quick_first(*cases: Any, quick: int = 1) -> list[Any]:
    """The cases as parameters, all but the first `quick` of them marked slow."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow if number >= quick else ())
        for number, case in enumerate(cases)
    ]
