"""Which columns of a table a terminal shows, where, and how wide."""

from collections.abc import Sequence
from typing import NamedTuple

from falcon_bulk.report.sheet import Column
from falcon_bulk.report.table_text import longest_word, text_width

_GAP = 2


class Layout(NamedTuple):
    """The places of the columns that stand side by side, with their widths; of those below; and of those left out."""

    kept: tuple[int, ...]
    widths: tuple[int, ...]
    below: tuple[int, ...]
    left_out: tuple[int, ...]


def arrange(columns: Sequence[Column], titles: Sequence[str], values: Sequence[int], width: int) -> Layout:
    """Return the layout of a table for a terminal's width. values: the width that each column's values need.

    Columns that must not be left out come first: if they have no room side by side, those that must be whole get lines
    of their own, the widest first. Then columns are left out, the highest `drop_order` first, until the others fit.
    In a narrow table titles take several lines before values do, and texts are cut before numbers.
    """
    natural = [max(text_width(title), of) for title, of in zip(titles, values, strict=True)]
    with_broken_title = [max(longest_word(title), of) for title, of in zip(titles, values, strict=True)]
    needed = [
        of if column.right else min(of, column.min_width) for column, of in zip(columns, with_broken_title, strict=True)
    ]

    def fits(places: Sequence[int]) -> bool:
        return sum(needed[place] + _GAP for place in places) - _GAP <= width

    essential = [place for place, column in enumerate(columns) if not column.drop_order]
    below: list[int] = []
    while len(columns) > len(below) + 1 and not fits(essential):
        whole = [place for place in essential if columns[place].whole]
        if not whole:
            break
        widest = max(whole, key=lambda place: needed[place])
        essential.remove(widest)
        below.append(widest)
    kept = [place for place in range(len(columns)) if place not in below]
    while len(kept) > 1 and not fits(kept):
        first_to_drop = max(kept, key=lambda place: columns[place].drop_order)
        if not columns[first_to_drop].drop_order:
            break
        kept.remove(first_to_drop)
    room = width - _GAP * (len(kept) - 1)
    widths = [max(1, min(natural[place], room)) for place in kept]
    numbers_alone = [values[place] if columns[place].right else 1 for place in range(len(columns))]
    for minimum in (with_broken_title, needed, numbers_alone, [1] * len(columns)):
        widths = _squeezed(widths, [minimum[place] for place in kept], room)
    left_out = (place for place in range(len(columns)) if place not in kept and place not in below)
    return Layout(tuple(kept), tuple(widths), tuple(sorted(below)), tuple(left_out))


def _squeezed(widths: Sequence[int], minimum: Sequence[int], room: int) -> list[int]:
    """Return widths that fit into the room if the minimum does: the widest columns shrink first."""
    squeezed = list(widths)
    while sum(squeezed) > room:
        shrinkable = [place for place, width in enumerate(squeezed) if width > minimum[place]]
        if not shrinkable:
            break
        squeezed[max(shrinkable, key=lambda place: squeezed[place])] -= 1
    return squeezed
