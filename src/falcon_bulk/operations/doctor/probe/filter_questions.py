"""Questions about filters: what an unknown field does, what `!` finds, which hashes are searched, how `,` is read."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from falcon_bulk.falcon.fql import HOST_FIELDS, NAME_FIELDS
from falcon_bulk.model.doctor import Finding
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.hashes import SEARCHED_FIELDS, as_sha256
from falcon_bulk.operations.doctor.probe.asking import NOWHERE, Anchor, Asking, cannot_tell

NO_HASH = "0" * 64
ENTITIES = "entities.sha256"
NESTED = ("ioc_context", "quarantined_files", "associated_files", "file_writes")
_NANOSECONDS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{1,6})Z")
_OWN_CLAUSES = {
    "status": "'new'",
    "product": "'epp'",
    "severity": ">=20",
    "severity_name": "'High'",
    "created_timestamp": ">='1970-01-01T00:00:00Z'",
    "show_in_ui": "!false",
    "cid": f"!'{NOWHERE}'",
    **dict.fromkeys((*HOST_FIELDS, *NAME_FIELDS), f"'{NOWHERE}'"),
    **dict.fromkeys(SEARCHED_FIELDS, f"'{NO_HASH}'"),
}
"""The fields that the tool itself puts into filters."""


def own_filters(asking: Asking) -> Iterator[Finding]:
    """Yield whether Falcon answers filters on each field that the tool uses."""
    question = "the tool's own filters"
    clauses = [f"{field}:{value}" for field, value in _OWN_CLAUSES.items()]
    if asking.ids("+".join(clauses), tries=2).ok:
        yield Finding(
            question=question,
            answer="answered",
            what=f"Filters on all {len(clauses)} fields that the tool uses are answered.",
            effect="Nothing: as expected.",
        )
        return
    failing = [clause.partition(":")[0] for clause in clauses if not asking.ids(clause, tries=2).ok]
    if not failing:
        yield cannot_tell(question, "All of them in one filter are refused, each alone is answered.")
        return
    yield Finding(
        question=question,
        answer=f"fails: {' '.join(failing)}",
        what=f"Falcon fails on filters with {', '.join(failing)}.",
        effect="Where the tool added such a clause, it reads without it and checks each alert itself; a filter of "
        "yours on such a field ends the command with Falcon's words.",
    )


def unknown_field(asking: Asking) -> Iterator[Finding]:
    """Yield whether an unknown field in an OR empties the whole filter, or only its own clause."""
    question = "unknown field in an OR"
    effect = "Each clause of a hash filter is counted alone, and read alone where the OR returns less."
    yield _by_count(
        asking,
        question,
        effect,
        lambda anchor: f"{anchor.clause},falcon_bulk_probe:'{NOWHERE}'",
        all_found=("empty_clause", "An unknown field empties its own clause of an OR, and no other."),
        none_found=("empty_filter", "An unknown field empties the whole filter."),
        refused=("refused", "A filter with an unknown field is refused."),
    )


def negation(asking: Asking) -> Iterator[Finding]:
    """Yield whether `!` with a value finds alerts that lack the field."""
    question = "`!` and missing fields"
    effect = "--visible-only adds the alerts without show_in_ui where `!` leaves them out."
    for field in ("sha256", "ioc_value", "resolution"):
        lacking = sum(value_at(item, [field]) is None for item in asking.sample)
        found = asking.number(f"{field}:!'{NO_HASH}'") if lacking else None
        if found is None or not asking.total:
            continue
        finds = found > asking.total - lacking
        yield Finding(
            question=question,
            answer="finds_missing" if finds else "needs_field",
            what=f"`{field}:!'…'` finds {found:,} of {asking.total:,} alerts: those without the field are "
            + ("among them." if finds else "left out."),
            effect=effect,
        )
        return
    yield cannot_tell(question, "No field was found that some alerts lack and filters take.", effect)


def entities_search(asking: Asking) -> Iterator[Finding]:
    """Yield whether a filter on `entities.sha256` looks inside the list."""
    question = f"`{ENTITIES}`"
    if not asking.xdr_hash:
        yield cannot_tell(
            question, "No recent alert has a hash there.", "A hash of an xdr alert shows it when one comes."
        )
        return
    found = asking.number(f"{ENTITIES}:'{asking.xdr_hash}'")
    if found is None:
        yield Finding(
            question=question,
            answer="fails",
            what=f"Falcon fails on filters with {ENTITIES}.",
            effect="Alerts of a hash are found by reading all that the rest of the selection matches.",
        )
    elif found:
        yield Finding(
            question=question,
            answer="matches",
            what=f"A hash in an alert's {ENTITIES} is found by a filter.",
            effect="Alerts of a hash are found by filters.",
        )
    else:
        known = bool(asking.number(f"{ENTITIES}:!'{NO_HASH}'"))
        yield Finding(
            question=question,
            answer="no_match" if known else "not_searched",
            what=f"A hash in an alert's {ENTITIES} is not found by a filter"
            + (", although the field is known." if known else "."),
            effect="The xdr alerts of the selection are read, and each is checked for the hash.",
        )


def nested_hashes(asking: Asking) -> Iterator[Finding]:
    """Yield whether hashes of related files can be filtered by."""
    question = "hashes of related files"
    effect = "Nothing: related hashes are read from the alerts and select none."
    tried: list[str] = []
    searched: list[str] = []
    for field in NESTED:
        values = (value_at(item, [field, "sha256"]) for item in asking.sample)
        digest = next(
            (sha256 for value in values if isinstance(value, list) for sha256 in map(as_sha256, value) if sha256), ""
        )
        if digest:
            tried.append(field)
            if asking.number(f"{field}.sha256:'{digest}'"):
                searched.append(field)
    if not tried:
        yield cannot_tell(question, "No recent alert has one.", effect)
        return
    yield Finding(
        question=question,
        answer="searched" if searched else "not_searched",
        what=f"Filters on sha256 in {', '.join(searched or tried)} {'find' if searched else 'do not find'} alerts.",
        effect=effect,
    )


def bare_mix(asking: Asking) -> Iterator[Finding]:
    """Yield how `,` and `+` without parentheses are read."""
    question = "`,` and `+` without parentheses"
    effect = "The tool's own filters have parentheses; a change by a filter of yours without them is refused."
    yield _by_count(
        asking,
        question,
        effect,
        lambda anchor: f"{anchor.clause},{anchor.clause}+{anchor.impossible}",
        all_found=("and_first", "`A,B+C` is read as `A,(B+C)`."),
        none_found=("left_to_right", "`A,B+C` is read as `(A,B)+C`."),
        refused=("refused", "`A,B+C` is refused."),
    )


def _by_count(
    asking: Asking,
    question: str,
    effect: str,
    filter_with: Callable[[Anchor], str],
    *,
    all_found: tuple[str, str],
    none_found: tuple[str, str],
    refused: tuple[str, str],
) -> Finding:
    """Return the finding that the count of a filter decides.

    filter_with: makes the filter from a clause that finds alerts. all_found, none_found, refused: the answer, and what
    it means, if the filter finds as many alerts as the clause, none, or is refused.
    """
    anchor = asking.anchor
    if anchor is None:
        return cannot_tell(question, "No filter that was tried finds an alert.", effect)
    answers = {anchor.alerts: all_found, 0: none_found, None: refused}
    found = asking.number(filter_with(anchor))
    if found not in answers:
        return cannot_tell(question, "The counts contradict each other.", effect)
    answer, what = answers[found]
    return Finding(question=question, answer=answer, what=what, effect=effect)


def time_precision(asking: Asking) -> Iterator[Finding]:
    """Yield whether the search knows times by the millisecond or to the digit that alerts show."""
    question = "precision of times"
    effect = "Nothing: pages that begin at a time begin at its millisecond, and no alert is taken twice."
    for item in asking.sample:
        parts = _NANOSECONDS.fullmatch(str(item.get("created_timestamp")))
        if parts and parts[2].strip("0") and _is_time(f"{parts[1]}Z"):
            found = asking.number(f"created_timestamp:>'{parts[1]}Z'+created_timestamp:<='{parts[0]}'")
            if found is None:
                break
            yield Finding(
                question=question,
                answer="ns" if found else "ms",
                what=f"The search compares times {'to the last digit' if found else 'by the millisecond'}.",
                effect=effect,
            )
            return
    yield cannot_tell(question, "No recent alert has a time finer than a millisecond that filters take.", effect)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
