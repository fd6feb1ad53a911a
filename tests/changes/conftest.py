"""A harness for each test, with the switches it asks for."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.run_harness import RunHarness, Start, serve_run_harness


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a small tenant; keywords set its size, its seed and its switches."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(serve_run_harness(tmp_path, **options))


@pytest.fixture
def harness(start: Start) -> RunHarness:
    """A small tenant as it usually is."""
    return start()
