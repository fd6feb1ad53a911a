"""The clauses of a filter in Falcon Query Language, found without understanding it: enough to warn, not to judge."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# A quoted text is passed over as a whole; a field stands at the start, behind `+`, `,`, `(` or a space.
_FIELD_OR_QUOTED = re.compile(
    r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?<![\w.:@-])(?P<field>[A-Za-z_][\w.]*):(?P<operator>[!<>=~*]*)\[?\s*"
    r"(?P<quote>['\"]?)(?P<value>[^+,()\[\]'\"]*)",
    re.DOTALL,
)


class Clause(NamedTuple):
    """A field, the operator behind its colon, and its (first) value without quotes."""

    field: str
    operator: str
    value: str
    quoted: bool


def clauses(fql: str) -> Iterator[Clause]:
    """The clauses from left to right."""
    position = 0
    while found := _FIELD_OR_QUOTED.search(fql, position):
        position = found.end()
        if found["field"]:
            if found["quote"]:  # the quoted value is passed over in the next step
                position = found.start("quote")
            yield Clause(found["field"], found["operator"], found["value"].strip(), bool(found["quote"]))
