"""Which columns of a table a terminal shows, where, and how wide."""

from collections.abc import Sequence
from typing import NamedTuple

from falcon_bulk.report.sheet import Column

_GAP = 2


class Layout(NamedTuple):
    """The places of the columns that stand side by side, with their widths; of those below; and of those left out."""

    kept: tuple[int, ...]
    widths: tuple[int, ...]
    below: tuple[int, ...]
    left_out: tuple[int, ...]


def arrange(columns: Sequence[Column], natural: Sequence[int], width: int) -> Layout:
    """Return the layout of a table for a terminal's width. natural: the width that each column's values need.

    Columns that must not be left out come first: if they have no room side by side, those that must be whole get lines
    of their own, the widest first. Then columns are left out, the highest `drop_order` first, until the others fit.
    """
    needed = [min(of, column.min_width) for of, column in zip(natural, columns, strict=True)]

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
    widths = _squeezed([natural[place] for place in kept], [needed[place] for place in kept], room)
    left_out = (place for place in range(len(columns)) if place not in kept and place not in below)
    return Layout(tuple(kept), tuple(widths), tuple(sorted(below)), tuple(left_out))


def _squeezed(natural: Sequence[int], minimum: Sequence[int], room: int) -> list[int]:
    """Return widths that fit into the room: the widest columns shrink first, to their minimum if that is enough."""
    widths = [max(1, min(width, room)) for width in natural]
    while sum(widths) > room:
        shrinkable = [i for i, width in enumerate(widths) if width > minimum[i]] or [
            i for i, width in enumerate(widths) if width > 1
        ]
        if not shrinkable:
            break
        widths[max(shrinkable, key=lambda i: widths[i])] -= 1
    return widths
