"""Make foreign text safe to show: attackers write file names, command lines, host names and comments.

Every function accepts any string and never raises.
"""

import re
import unicodedata

# Letters and marks that Unicode classes as printable although they are invisible.
_INVISIBLE_LETTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BEYOND_PRINTABLE_ASCII = re.compile("[^ -~]")

_FORMULA_STARTS = "=+-@"

_MARKDOWN_SYNTAX = re.compile(r"[\\`*_\[\]<>|~&#!$]")
# What Markdown renderers, or pages that the text is pasted into, turn into links by themselves.
_LINK_SCHEME = re.compile(r":(?=//)")
_LINK_WWW = re.compile(r"(?<=www)\.", re.IGNORECASE)
_MAIL_OR_MENTION = re.compile(r"@(?=\w)")
_BARE_DOMAIN_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d])")

MAX_TITLE = 150
"""Characters of a message's title."""
_TITLE_BRACKETS = str.maketrans("<>", "‹›")  # <!channel>, <@U123>, <at>name</at>

_FALCON_CONSOLE_LINK = re.compile(
    r"https://(?:"
    r"falcon\.crowdstrike\.com"
    r"|falcon\.(?:us-2|us-3|eu-1|laggar\.gcw)\.crowdstrike\.com"
    r"|falcon\.us-gov-2\.crowdstrike\.mil"
    r")(?:[/?#][A-Za-z0-9\-._~:/?#@!$&*+,;=%]*)?"
)


def printable(text: str) -> str:
    r"""Return the text on one line, with every invisible character escaped.

    Control characters (C0, C1, DEL), line breaks, bidi and zero-width marks, other format characters, lone
    surrogates and unassigned characters become `\x1b`, `\n`, `\u202e`. All Unicode spaces stay.
    A backslash stays as it is (Windows paths are full of them), so the result cannot be decoded.
    """
    if text.isprintable() and (text.isascii() or not _INVISIBLE_LETTERS.search(text)):
        return text
    return _BEYOND_PRINTABLE_ASCII.sub(_escape_if_invisible, text)


def csv_cell(text: str) -> str:
    """Return the text for a CSV cell that may be opened in a spreadsheet.

    It is printable, and prefixed with `'` if a spreadsheet could read it as a formula: it starts with `=`, `+`,
    `-`, `@` (also full-width or after spaces), a tab or a carriage return.
    """
    start = text.lstrip()[:1]
    is_formula = unicodedata.normalize("NFKC", start) in tuple(_FORMULA_STARTS)
    return ("'" if is_formula or text.startswith(("\t", "\r")) else "") + printable(text)


def markdown_cell(text: str) -> str:
    """Return Markdown source that renders as the plain text, in a table cell or elsewhere in a line.

    Web and mail addresses are defanged (`http[:]//`, `www[.]`, `user[@]host`), because some renderers turn them into
    links even if they are escaped.
    """
    source = _MARKDOWN_SYNTAX.sub(r"\\\g<0>", _defang(text))
    return _BARE_DOMAIN_DOT.sub(r"\\.", source.replace("//", r"/\/"))


def message_title(text: str) -> str:
    """Return the text as the title of a mail or a chat message: on one line, at most MAX_TITLE characters.

    Nothing in it is a link or mentions anybody, in whatever syntax: mail programs and chats read titles differently.
    """
    title = _BARE_DOMAIN_DOT.sub("[.]", _defang(text)).translate(_TITLE_BRACKETS).replace("](", "] (")
    return title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1]}…"


def _defang(text: str) -> str:
    """Return the text made printable, without what programs turn into links and mentions by themselves."""
    defanged = _LINK_SCHEME.sub("[:]", printable(text))
    defanged = _LINK_WWW.sub("[.]", defanged)
    return _MAIL_OR_MENTION.sub("[@]", defanged)


def safe_json(text: str) -> str:
    r"""Return JSON text for a terminal: invisible characters are `\u`-escaped, and it decodes to the same value.

    Line feeds and tabs stay: in JSON text they occur only between values.
    """
    if text.isprintable() and not _INVISIBLE_LETTERS.search(text):
        return text
    return _BEYOND_PRINTABLE_ASCII.sub(_json_escape_if_invisible, text)


def falcon_link(url: object) -> str:
    """Return the URL if it is an https link to a Falcon console in plain characters, else ''."""
    return url if isinstance(url, str) and _FALCON_CONSOLE_LINK.fullmatch(url) else ""


def _is_visible(char: str) -> bool:
    if _INVISIBLE_LETTERS.match(char):
        return False
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escape_if_invisible(match: re.Match[str]) -> str:
    char = match[0]
    return char if _is_visible(char) else char.encode("unicode_escape").decode()


def _json_escape_if_invisible(match: re.Match[str]) -> str:
    char = match[0]
    if char in "\n\t" or _is_visible(char):
        return char
    if char == "\r":
        return " "
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
