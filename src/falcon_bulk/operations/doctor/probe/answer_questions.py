"""Questions that any answer decides: shapes, headers, clock, parts, times; and fields that the tool does not know."""

from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from falcon_bulk.model.alert_fields import KNOWN_FIELDS
from falcon_bulk.model.doctor import Finding
from falcon_bulk.operations.doctor.probe.asking import Asking, cannot_tell
from falcon_bulk.operations.doctor.probe.checked_values import is_plain_field, is_plain_id, is_plain_word

MAX_FIELDS_NAMED = 12
PER_PRODUCT = 50
"""Alerts of a product that are read if none is among the newest of all."""
_PARENTS = frozenset(name.rpartition(".")[0] for name in KNOWN_FIELDS if "." in name)


def shapes(asking: Asking) -> Iterator[Finding]:
    """Yield how an answer shows that it has no errors and no resources."""
    answer = asking.ids(asking.impossible)
    for key, question in (("errors", "no errors"), ("resources", "no resources")):
        shape = answer.shape(key)
        if not answer.ok or shape == "filled":
            yield cannot_tell(question, f"A search without results answers {answer.status}.", "All are understood.")
            continue
        shown = {"null": "null", "empty": "an empty list", "absent": "absent"}[shape]
        yield Finding(
            question=question,
            answer=shape,
            what=f"`{key}` is {shown} where there are none.",
            effect="Nothing: null, an empty list and no key mean the same.",
        )


def unknown_ids(asking: Asking) -> Iterator[Finding]:
    """Yield what is answered about an id that no alert has."""
    question = "an unknown id"
    effect = "An id without an alert is reported as not found, whether Falcon names it or leaves it out."
    _, ids = asking.newest_ids
    cid = ids[0].partition(":")[0] if ids else "0" * 32
    unknown = f"{cid}:ind:{'0' * 32}:0-0-0"
    if not is_plain_id(unknown):
        yield cannot_tell(question, "The newest alert's id is unusual.", effect)
        return
    answer = asking.by_id([unknown])
    if not answer.ok:
        yield Finding(
            question=question,
            answer=f"refused ({answer.status})",
            what=f"An id that no alert has is answered with {answer.status}.",
            effect="The ids are divided until those without an alert stand alone.",
        )
        return
    named = any(problem.is_about([unknown]) for problem in answer.body.problems)
    yield Finding(
        question=question,
        answer="errors" if named else "silent",
        what=f"An id that no alert has is {'named in errors' if named else 'left out without an error'}.",
        effect=effect,
    )


def headers(asking: Asking) -> Iterator[Finding]:
    """Yield which headers answers have: the rate limit, the region, deprecations."""
    seen = [answer.headers for answer in asking.answers]
    limit = _header(seen, "X-Ratelimit-Limit")
    shown = bool(limit and _header(seen, "X-Ratelimit-Remaining"))
    yield Finding(
        question="rate limit headers",
        answer=f"shown ({limit})" if shown and limit.isdecimal() else "absent",
        what=f"Answers say that {limit} requests a minute are allowed, and how many are left."
        if shown and limit.isdecimal()
        else "Answers do not say how many requests are left.",
        effect="Requests slow down before the quota is used up."
        if shown
        else "Requests are spaced only after Falcon has refused one (429).",
    )
    region = _header(seen, "X-Cs-Region")
    yield Finding(
        question="region header",
        answer=region if is_plain_word(region) else "absent",
        what=f"Answers come from the region {region}." if is_plain_word(region) else "Answers name no region.",
        effect="Nothing: only a login's answer moves the tool to another region.",
    )
    deprecated = any(name.lower().startswith("x-api-deprecation") for headers in seen for name in headers)
    yield Finding(
        question="deprecation headers",
        answer="shown" if deprecated else "absent",
        what=f"Endpoints that the tool uses are {'' if deprecated else 'not '}named as deprecated.",
        effect="Look for a newer version of the tool." if deprecated else "Nothing.",
    )


def _header(seen: list[Mapping[str, str]], name: str) -> str:
    return next((value for headers in seen if (value := headers.get(name, ""))), "")


def clock(clock_ahead: float | None) -> Finding:
    """Return how far this machine's clock is from Falcon's. clock_ahead: seconds; None if no answer had a date."""
    effect = "A change by times counted from now is refused where the clocks differ by over five minutes."
    if clock_ahead is None:
        return cannot_tell("clock", "Falcon's answers have no date.", effect)
    near = abs(clock_ahead) <= 60
    direction = "behind" if clock_ahead > 0 else "ahead of"
    return Finding(
        question="clock",
        answer="same" if near else f"{-clock_ahead / 60:+.0f} min",
        what="This machine's clock is within a minute of Falcon's."
        if near
        else f"This machine's clock is {abs(clock_ahead):,.0f} s {direction} Falcon's.",
        effect=effect,
    )


def whole_answers(asking: Asking) -> Finding:
    """Return whether a 200 came with errors beside part of what was asked for."""
    effect = "Such an answer is asked for again, or ends the command: nothing is made from part of the data."
    if not asking.parts:
        return Finding(
            question="answers in part",
            answer="never",
            what=f"None of {asking.requests} answers had errors beside part of the data.",
            effect=effect,
        )
    codes = ", ".join(map(str, sorted(asking.part_codes)))
    always = asking.unmended_parts > 0
    return Finding(
        question="answers in part",
        answer=f"{'always' if always else 'once'} ({codes})",
        what=f"{asking.parts} answers had part of the data beside errors ({codes}); asked for again, "
        + ("they stayed so." if always else "they were whole."),
        effect=effect,
    )


def latency(asking: Asking) -> Finding:
    """Return how long answers take."""
    shown = [f"{endpoint} {median(seconds):.2f} s" for endpoint, seconds in sorted(asking.seconds.items())]
    page = asking.newest_page
    if page.answer.ok:
        shown.append(f"a page of {len(page.answer.documents):,} {page.answer.seconds:.2f} s")
    return Finding(
        question="latency",
        answer="measured" if shown else "cannot tell",
        what=f"Median times: {', '.join(shown)}.",
        effect="How many requests are in flight follows the answers.",
    )


def new_fields(asking: Asking) -> Iterator[Finding]:
    """Yield the fields that the newest alerts of each product have and the tool does not know."""
    question = "unknown fields"
    effect = "Nothing is lost: documents stay as Falcon sent them. Please report these fields."
    samples: dict[str, list[dict[str, Any]]] = {}
    for item in asking.sample:
        if is_plain_word(product := item.get("product")):
            samples.setdefault(product, []).append(item)
    counted = asking.buckets(asking.aggregate({"type": "terms", "field": "product", "size": 50})).buckets or ()
    for label in (bucket.label for bucket in counted):
        if is_plain_word(label) and label not in samples:
            samples[label] = asking.some_of(f"product:'{label}'", PER_PRODUCT)
    for product, items in sorted(samples.items()):
        fields = Counter(name for item in items for name in set(_unknown(item)))
        if not fields:
            continue
        names = sorted(name for name in fields if all(map(is_plain_field, name.split("."))))
        unusual = len(fields) - len(names)
        more = len(names) - MAX_FIELDS_NAMED
        shown = [
            *names[:MAX_FIELDS_NAMED],
            *([f"{more} more"] if more > 0 else []),
            *([f"{unusual} with unusual names"] if unusual else []),
        ]
        yield Finding(
            question=f"{question} of {product}",
            answer=str(len(fields)),
            what=f"In {len(items):,} alerts: {', '.join(shown)}.",
            effect=effect,
        )
    if samples:
        yield Finding(
            question=question,
            answer="looked at",
            what=f"The newest alerts of {len(samples)} products were compared with the fields that the tool knows.",
            effect=effect,
        )
    else:
        yield cannot_tell(question, "No alert could be read.", effect)


def _unknown(value: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted names of fields with a value that the tool does not know; not what is below one."""
    if isinstance(value, list):
        for item in value:
            yield from _unknown(item, path)
    elif isinstance(value, dict):
        for name, below in value.items():
            full = f"{path}.{name}" if path else name
            if below in (None, "", [], {}):
                continue
            if full in _PARENTS:
                yield from _unknown(below, full)
            elif full not in KNOWN_FIELDS:
                yield full
