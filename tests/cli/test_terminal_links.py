"""Links are for terminals that are known to have them."""

import pytest

from falcon_bulk.cli.console import has_links
from tests.support.command import CommandRunner

LINK = b"\x1b]8;;https://falcon.crowdstrike.com/"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"VTE_VERSION": "7006"}, True),
        ({"VTE_VERSION": "4205"}, False),
        ({"VTE_VERSION": "new"}, False),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"WT_SESSION": "1"}, True),
        ({"VTE_VERSION": "7006", "TMUX": "/tmp/tmux"}, False),
    ],
)
def test_only_known_terminals_have_links(environ: dict[str, str], expected: bool) -> None:
    assert has_links(environ) == expected


@pytest.mark.parametrize(
    ("env", "argv", "linked"),
    [
        ({"VTE_VERSION": "7006"}, (), True),
        ({}, (), False),
        ({"VTE_VERSION": "7006"}, ("--no-color",), False),
    ],
)
def test_a_query_on_a_terminal_links_to_the_console(
    readable: CommandRunner, env: dict[str, str], argv: tuple[str, ...], linked: bool
) -> None:
    with readable.terminal("query", "--product", "epp", "--limit", "3", *argv, env=env) as terminal:
        assert (LINK in terminal.finish().out) == linked
