"""A page of alert documents, as a search returns it."""

from dataclasses import dataclass

import msgspec

OLDEST_FIRST = "created_timestamp|asc"


@dataclass(frozen=True)
class Page:
    """One page of alert documents as received. total: of all pages. after: token of the next page; '' on the last."""

    documents: list[msgspec.Raw]
    total: int
    after: str
