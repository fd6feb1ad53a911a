"""Parse Falcon Query Language into a syntax tree.

    filter    := '*' | statement                   '*' is everything
    statement := item (('+' | ',') item)*          '+' is AND, ',' is OR
    item      := '(' statement ')' | field ':' [operator] value
    operator  := '!' | '~' | '!~' | '>' | '>=' | '<' | '<=' | '*' | '*!' | '~*' | '~*!'
    value     := 'text' | "text" | number | true | false | null | '[' value (',' value)* ']'

Known from psfalcon's Test-FqlStatement and its wiki ("max 20 properties per statement"), and the filter guides of
falcon-mcp and crowdstrike-mcp. Assumption: escapes are `\\\\`, `\\'`, `\\"` and `\\*`; any other backslash is an error.
"""

import re

import msgspec

MAX_PROPERTIES = 20
ALL = "*"

_FIELD = re.compile(r"[A-Za-z_][\w.]*")
_OPERATOR = re.compile(r"~?\*!?|!~|>=|<=|[!~><]?")
_BARE = re.compile(r"-?\d+(?:\.\d+)?(?![\w.])|(?:true|false|null)(?!\w)")
_ESCAPABLE = "\\'\"*"


class FqlError(ValueError):
    """The statement cannot be parsed or evaluated; Falcon answers with 400."""


class Value(msgspec.Struct, frozen=True):
    """A literal.

    `pieces` is its text, split at unescaped stars: one piece means no star. null has no pieces.
    """

    pieces: tuple[str, ...]
    quoted: bool = True

    @property
    def text(self) -> str:
        """Return the text with its stars."""
        return "*".join(self.pieces)

    @property
    def is_null(self) -> bool:
        """Return whether this is null, which matches a missing value."""
        return not self.pieces

    @property
    def has_wildcard(self) -> bool:
        """Return whether there is an unescaped star."""
        return len(self.pieces) > 1

    @property
    def is_any(self) -> bool:
        """Return whether this is '*', which matches any value."""
        return self.pieces == ("", "")


class Clause(msgspec.Struct, frozen=True):
    """`field:operator value`; several values are alternatives. `exact`: written in brackets.

    `operator` has no `!`; `negated` says whether there was one.
    """

    field: str
    operator: str
    values: tuple[Value, ...]
    negated: bool = False
    exact: bool = False


class And(msgspec.Struct, frozen=True):
    """All of the items; without items, everything."""

    items: "tuple[Node, ...]"


class Or(msgspec.Struct, frozen=True):
    """Any of the items."""

    items: "tuple[Node, ...]"


Node = Clause | And | Or


def clauses(node: Node) -> list[Clause]:
    """All clauses of a tree, in the order they were written."""
    if isinstance(node, Clause):
        return [node]
    return [clause for item in node.items for clause in clauses(item)]


def fields_of(statement: str) -> set[str]:
    """Return the fields that a statement names. Raises FqlError."""
    return {clause.field for clause in clauses(parse(statement))}


def parse(statement: str, bare_mix: str = "and_first") -> Node:
    """Return the syntax tree of `statement`.

    `bare_mix` is the switch for reading a mix of `+` and `,` without parentheses. Raises FqlError.
    """
    if statement.strip() == ALL:
        return And(())
    parser = _Parser(statement, bare_mix)
    node = parser.statement()
    if parser.peek():
        raise parser.error("unexpected text")
    if len(clauses(node)) > MAX_PROPERTIES:
        raise FqlError(f"filter has more than {MAX_PROPERTIES} properties")
    return node


class _Parser:
    """A recursive descent parser for one statement."""

    def __init__(self, text: str, bare_mix: str) -> None:
        self.text = text
        self.at = 0
        self.bare_mix = bare_mix

    def error(self, what: str) -> FqlError:
        return FqlError(f"invalid filter: {what} at position {self.at}")

    def peek(self) -> str:
        """Skip spaces and return the next character; empty at the end."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> None:
        """Consume `character`. Raises FqlError if it does not come next."""
        if self.peek() != character:
            raise self.error(f"expected {character!r}")
        self.at += 1

    def match(self, pattern: re.Pattern[str], what: str) -> str:
        """Consume and return what `pattern` matches here. Raises FqlError if it does not match."""
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self.error(f"expected {what}")
        self.at = found.end()
        return found.group()

    def statement(self) -> Node:
        items, separators = [self.item()], []
        while (separator := self.peek()) and separator in "+,":
            self.at += 1
            separators.append(separator)
            items.append(self.item())
        if len(set(separators)) < 2:
            return _combine(items, separators[0]) if separators else items[0]
        if self.bare_mix == "refuse":
            raise self.error("mixed + and , need parentheses")
        return _left_to_right(items, separators) if self.bare_mix == "left_to_right" else _and_first(items, separators)

    def item(self) -> Node:
        if self.peek() == "(":
            self.at += 1
            node = self.statement()
            self.take(")")
            return node
        field = self.match(_FIELD, "a property name")
        self.take(":")
        operator = self.match(_OPERATOR, "an operator")
        exact = self.peek() == "["
        values = self.list() if exact else (self.value(),)
        if exact and operator not in ("", "!"):
            raise self.error(f"a list after {operator!r}")
        return Clause(field, operator.replace("!", ""), values, "!" in operator, exact)

    def list(self) -> tuple[Value, ...]:
        self.take("[")
        values = [self.value()]
        while self.peek() == ",":
            self.at += 1
            values.append(self.value())
        self.take("]")
        return tuple(values)

    def value(self) -> Value:
        if (quote := self.peek()) and quote in "'\"":
            return self.quoted(quote)
        text = self.match(_BARE, "a quoted value, a number, true, false or null")
        return Value(()) if text == "null" else Value((text,), quoted=False)

    def quoted(self, quote: str) -> Value:
        self.take(quote)
        pieces, piece = [], ""
        while (character := self.text[self.at : self.at + 1]) != quote:
            self.at += 1
            if character == "\\":
                character = self.text[self.at : self.at + 1]
                if not character or character not in _ESCAPABLE:
                    raise self.error("a stray backslash")
                self.at += 1
                piece += character
            elif character == "*":
                pieces.append(piece)
                piece = ""
            elif character:
                piece += character
            else:
                raise self.error("an unclosed quote")
        self.at += 1
        return Value((*pieces, piece))


def _combine(items: list[Node], separator: str) -> Node:
    if len(items) == 1:
        return items[0]
    return And(tuple(items)) if separator == "+" else Or(tuple(items))


def _and_first(items: list[Node], separators: list[str]) -> Node:
    groups = [[items[0]]]
    for separator, item in zip(separators, items[1:], strict=True):
        if separator == "+":
            groups[-1].append(item)
        else:
            groups.append([item])
    return _combine([_combine(group, "+") for group in groups], ",")


def _left_to_right(items: list[Node], separators: list[str]) -> Node:
    node = items[0]
    for separator, item in zip(separators, items[1:], strict=True):
        node = _combine([node, item], separator)
    return node
