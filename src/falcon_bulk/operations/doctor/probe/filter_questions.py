"""Questions about filters: what an unknown field does, what `!` finds, which hashes are searched, what is refused."""

import re
from collections.abc import Iterator
from datetime import datetime

from falcon_bulk.falcon.alerts import MAX_URL_FILTER
from falcon_bulk.falcon.fql import HOST_FIELDS, NAME_FIELDS
from falcon_bulk.model.doctor import Finding
from falcon_bulk.model.field_path import value_at
from falcon_bulk.model.hashes import SEARCHED_FIELDS, as_sha256
from falcon_bulk.operations.doctor.probe.asking import NOWHERE, Asking, cannot_tell

NO_HASH = "0" * 64
NO_ANCHOR = "No filter that was tried finds an alert."
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
    anchor = asking.anchor
    if anchor is None:
        yield cannot_tell(question, NO_ANCHOR, effect)
        return
    found = asking.number(f"{anchor.clause},falcon_bulk_probe:'{NOWHERE}'")
    answers = {
        anchor.alerts: ("empty_clause", "An unknown field empties its own clause of an OR, and no other."),
        0: ("empty_filter", "An unknown field empties the whole filter."),
        None: ("refused", "A filter with an unknown field is refused."),
    }
    if found not in answers:
        yield cannot_tell(question, "The counts contradict each other.", effect)
        return
    answer, what = answers[found]
    yield Finding(question=question, answer=answer, what=what, effect=effect)


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
        digest = next((one for value in values if isinstance(value, list) for one in map(as_sha256, value) if one), "")
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
    anchor = asking.anchor
    if anchor is None:
        yield cannot_tell(question, NO_ANCHOR, effect)
        return
    found = asking.number(f"{anchor.clause},{anchor.clause}+{anchor.impossible}")
    answers = {
        anchor.alerts: ("and_first", "`A,B+C` is read as `A,(B+C)`."),
        0: ("left_to_right", "`A,B+C` is read as `(A,B)+C`."),
        None: ("refused", "`A,B+C` is refused."),
    }
    if found not in answers:
        yield cannot_tell(question, "The counts contradict each other.", effect)
        return
    answer, what = answers[found]
    yield Finding(question=question, answer=answer, what=what, effect=effect)


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


def long_urls(asking: Asking) -> Iterator[Finding]:
    """Yield whether a GET carries the longest filter that the tool puts into one."""
    question = "long filters in a URL"
    field = (asking.anchor.clause if asking.anchor else "status").partition(":")[0]
    around = len(field) + 3 * len(":''")  # quoted: three characters each
    answer = asking.ids(f"{field}:'{'a' * (MAX_URL_FILTER - around)}'", tries=2)
    if answer.ok:
        yield Finding(
            question=question,
            answer="answered",
            what=f"A filter of {MAX_URL_FILTER:,} characters in a URL is answered.",
            effect="Shorter filters go by GET, longer ones by POST.",
        )
        return
    yield Finding(
        question=question,
        answer=f"refused ({answer.status})",
        what=f"A filter of {MAX_URL_FILTER:,} characters in a URL is answered with {answer.status}.",
        effect="A command with a long filter ends with Falcon's answer: divide the selection.",
    )


def windows(asking: Asking) -> Iterator[Finding]:
    """Yield what is answered beyond the first 10,000 ids, and to a `limit` of 10,000."""
    beyond = asking.ids(limit=1, offset=10_000, tries=1)
    yield Finding(
        question="beyond 10,000 ids",
        answer=str(beyond.status),
        what=f"Offset 10,000 is answered with {beyond.status}: {beyond.error or 'no error'}.",
        effect="Nothing: the tool never asks beyond 10,000.",
    )
    impossible = asking.anchor.impossible if asking.anchor else f"status:'{NOWHERE}'"
    largest = asking.ids(impossible, limit=10_000, tries=2)
    refused = f"{'too slow' if largest.status == 504 else 'refused'} ({largest.status})"
    answer = "answered" if largest.ok else refused
    yield Finding(
        question="`limit` of 10,000 ids",
        answer=answer,
        what=f"A limit of 10,000 ids is {answer}{f': {largest.error}' if largest.error else ''}.",
        effect="Nothing: the tool asks for up to 1,000 ids at a time.",
    )
