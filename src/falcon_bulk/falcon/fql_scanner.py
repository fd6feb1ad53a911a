"""Scan a filter in Falcon Query Language: its clauses, its balance, its number of terms.

The scanner accepts any text. It is enough to warn about a filter, to wrap it in parentheses safely and to split it;
whether a filter is valid is for Falcon to say.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

# A field follows the start, `+`, `,`, `(` or a space.
_TOKEN = re.compile(
    r"""
    (?P<quoted> '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" )
    | (?<![\w.:@-]) (?P<field>[A-Za-z_][\w.]*) : (?P<operator>[!<>=~*]*) (?P<bracket>\[?) \s* (?P<value>[^+,()\[\]'"]*)
    | (?P<mark> . )
    """,
    re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """A token of a filter: a quoted text, the beginning of a clause, or any other single character.

    text: the characters of the filter. field: set for a clause only. opens_list: whether `[` follows the operator.
    value: the quoted text without its quotes, or the unquoted value of a clause.
    """

    text: str
    field: str = ""
    operator: str = ""
    opens_list: bool = False
    value: str = ""
    is_quoted: bool = False


class Clause(NamedTuple):
    """A field, the operator after its colon, and its first value without quotes."""

    field: str
    operator: str
    value: str


def tokens(fql: str) -> Iterator[Token]:
    """Yield the tokens of a filter; their texts joined are the filter."""
    for match in _TOKEN.finditer(fql):
        if match["quoted"]:
            yield Token(match[0], value=match[0][1:-1], is_quoted=True)
        elif match["field"]:
            yield Token(match[0], match["field"], match["operator"], bool(match["bracket"]), match["value"].strip())
        else:
            yield Token(match[0])


def clauses(fql: str) -> Iterator[Clause]:
    """Yield the clauses of a filter from left to right."""
    for token, following in pairwise((*tokens(fql), Token(""))):
        if token.field:
            quoted = following.value if following.is_quoted else ""
            yield Clause(token.field, token.operator, token.value or quoted)


def is_balanced(fql: str) -> bool:
    """Return whether quotes and parentheses match, so that parentheses around the filter enclose all of it."""
    depth = 0
    for token in tokens(fql):
        if token.text in ("'", '"'):  # a quote that is never closed
            return False
        depth += (token.text == "(") - (token.text == ")")
        if depth < 0:
            return False
    return depth == 0


def count_terms(fql: str) -> int:
    """Return how many terms a filter has; each value of a list is one. A stray colon counts as a term."""
    count, in_list = 0, False
    for token in tokens(fql):
        if token.field:
            count += 1 + token.value.count(":")
            in_list = in_list or token.opens_list
        elif token.text in "[]":
            in_list = token.text == "["
        elif token.text == ":" or (token.text == "," and in_list):
            count += 1
    return count


def with_parentheses(fql: str) -> str:
    """Return a filter with parentheses around what `+` joins, wherever `+` and `,` stand side by side.

    It is the same filter if there is no such mix, which readers of FQL read differently. The filter must be balanced.
    """
    levels = [_Level()]
    in_list = False
    for token in tokens(fql):
        in_list = (in_list or token.opens_list) and token.text != "]"
        if token.text == "(" and not in_list:
            levels.append(_Level())
        elif token.text == ")" and not in_list and len(levels) > 1:
            inner = levels.pop().joined
            levels[-1].alternatives[-1].append(f"({inner})")
        elif token.text == "," and not in_list:
            levels[-1].alternatives.append([])
        else:
            levels[-1].alternatives[-1].append(token.text)
    return levels[0].joined


class _Level:
    """The alternatives between two parentheses, each as the texts of its tokens."""

    def __init__(self) -> None:
        self.alternatives: list[list[str]] = [[]]

    @property
    def joined(self) -> str:
        """The text between the parentheses, with more of them around alternatives that are joined by `+`."""
        several = len(self.alternatives) > 1
        return ",".join(
            f"({''.join(each)})" if several and "+" in each else "".join(each) for each in self.alternatives
        )


def unquoted(fql: str) -> str:
    """Return a filter without its quoted texts."""
    return "".join("''" if token.is_quoted else token.text for token in tokens(fql))
