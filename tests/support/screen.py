"""What is left on a terminal's screen after everything that was written to it."""

import re

_TOKENS = re.compile(rb"\x1b\[K|\x1b\[[0-9;]*m|\x1b\]8;;[^\x1b]*\x1b\\|\r|\n|[^\x1b\r\n]+")


def screen_lines(shown: bytes) -> list[str]:
    """Return the lines, top to bottom, as carriage returns and erased parts leave them, without colours."""
    lines, column = [""], 0
    assert b"".join(_TOKENS.findall(shown)) == shown, "an escape sequence that this screen does not know"
    for token in _TOKENS.findall(shown):
        if token == b"\x1b[K":
            lines[-1] = lines[-1][:column]
        elif token == b"\r":
            column = 0
        elif token == b"\n":
            lines.append("")
        elif not token.startswith(b"\x1b"):
            text = token.decode(errors="replace")
            lines[-1] = lines[-1][:column].ljust(column) + text + lines[-1][column + len(text) :]
            column += len(text)
    return lines
