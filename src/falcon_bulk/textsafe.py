"""Making foreign text safe to show: file names, command lines, hosts and comments are written by attackers.

Every function takes any string and raises nothing.
"""

import re
import unicodedata

# Letters and marks that Unicode calls printable although nothing is seen of them.
_INVISIBLE_LETTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BEYOND_PRINTABLE_ASCII = re.compile("[^ -~]")

_FORMULA_STARTS = "=+-@"

_MARKDOWN_SYNTAX = re.compile(r"[\\`*_\[\]<>|~&#!$]")
# What Markdown renderers, or the pages they are pasted into, make a link of without being asked.
_LINK_SCHEME = re.compile(r":(?=//)")
_LINK_WWW = re.compile(r"(?<=www)\.", re.IGNORECASE)
_MAIL_OR_MENTION = re.compile(r"@(?=\w)")
_BARE_DOMAIN_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d])")

_FALCON_CONSOLE_LINK = re.compile(
    r"https://(?:"
    r"falcon\.crowdstrike\.com"
    r"|falcon\.(?:us-2|us-3|eu-1|laggar\.gcw)\.crowdstrike\.com"
    r"|falcon\.us-gov-2\.crowdstrike\.mil"
    r")(?:[/?#][A-Za-z0-9\-._~:/?#@!$&*+,;=%]*)?"
)


def printable(text: str) -> str:
    r"""The text with everything that is not seen shown escaped, on one line.

    Control characters (C0, C1, DEL), line breaks, bidi and zero-width marks, other format characters, lone
    surrogates and unassigned characters become `\x1b`, `\n`, `\u202e`. Spaces of all languages stay.
    A backslash stays as it is (Windows paths are full of them): the result is for reading, not for decoding.
    """
    if text.isprintable() and (text.isascii() or not _INVISIBLE_LETTERS.search(text)):
        return text
    return _BEYOND_PRINTABLE_ASCII.sub(_escaped_if_unseen, text)


def csv_cell(text: str) -> str:
    """The text for a cell of a CSV file that may be opened in a spreadsheet.

    Printable, and with a `'` before it if a spreadsheet could read it as a formula: it starts with `=`, `+`,
    `-`, `@` (of any width, also after spaces), a tab or a carriage return.
    """
    start = text.lstrip()[:1]
    formula = unicodedata.normalize("NFKC", start) in tuple(_FORMULA_STARTS)
    return ("'" if formula or text.startswith(("\t", "\r")) else "") + printable(text)


def markdown_cell(text: str) -> str:
    """The text as Markdown source that is shown as the plain text, in a table's cell or elsewhere in a line.

    Web and mail addresses are defanged (`http[:]//`, `www[.]`, `user[@]host`), since some renderers make a
    link of them whatever is escaped.
    """
    defanged = _LINK_SCHEME.sub("[:]", printable(text))
    defanged = _LINK_WWW.sub("[.]", defanged)
    defanged = _MAIL_OR_MENTION.sub("[@]", defanged)
    source = _MARKDOWN_SYNTAX.sub(r"\\\g<0>", defanged)
    return _BARE_DOMAIN_DOT.sub(r"\\.", source.replace("//", r"/\/"))


def safe_json(text: str) -> str:
    r"""JSON text with what is not seen `\u`-escaped, for a terminal. It decodes to the same value.

    Line feeds and tabs stay: in JSON text they stand only between values.
    """
    if text.isprintable() and not _INVISIBLE_LETTERS.search(text):
        return text
    return _BEYOND_PRINTABLE_ASCII.sub(_json_escaped_if_unseen, text)


def falcon_link(url: object) -> str:
    """The URL if it leads to a Falcon console over https and is spelled harmlessly, else ''."""
    return url if isinstance(url, str) and _FALCON_CONSOLE_LINK.fullmatch(url) else ""


def _seen(char: str) -> bool:
    if _INVISIBLE_LETTERS.match(char):
        return False
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escaped_if_unseen(match: re.Match[str]) -> str:
    char = match[0]
    return char if _seen(char) else char.encode("unicode_escape").decode()


def _json_escaped_if_unseen(match: re.Match[str]) -> str:
    char = match[0]
    if char in "\n\t" or _seen(char):
        return char
    if char == "\r":
        return " "
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
