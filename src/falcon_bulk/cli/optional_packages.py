"""What the optional parts of falcon-bulk need besides its own dependencies."""

from importlib.util import find_spec

from falcon_bulk.errors import UsageProblem


def require_emulator() -> None:
    """Raise UsageProblem if the dependencies of falcon_emulator are not installed (the extra `emulator`)."""
    if find_spec("aiohttp") is None:
        raise UsageProblem("The emulator needs aiohttp.", "pip install 'falcon-bulk[emulator]'")
