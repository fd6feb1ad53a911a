"""Questions about limits: how much a request may ask for, how long a filter in a URL may be, what is beyond 10,000."""

from collections.abc import Iterator

from falcon_bulk.falcon.alerts import MAX_URL_FILTER
from falcon_bulk.model.doctor import Finding
from falcon_bulk.operations.doctor.probe.asking import Asking, Sized, cannot_tell


def request_sizes(asking: Asking) -> Iterator[Finding]:
    """Yield how many alerts are answered in a page, and by id."""
    (queries, ids), pages, by_id = asking.newest_ids, asking.newest_page, asking.newest_by_id
    refused = {status for sized in (queries, pages, by_id) for status in sized.refusals}
    shown = ", ".join(
        f"{name} {_size(sized, len(ids))}"
        for name, sized in (("ids", queries), ("pages", pages), ("by id", by_id))
        if sized.answer.ok
    )
    yield Finding(
        question="large requests",
        answer="504" if 504 in refused else "answered",
        what=f"The largest that were answered: {shown or 'none'}.",
        effect="After a 504 the tool asks for half as many, and keeps to that."
        if 504 in refused
        else "The tool asks for up to 1,000 at a time.",
    )
    if not by_id.answer.ok:
        yield cannot_tell("ids in a request", f"Entities answers {by_id.answer.status}.")
        return
    yield Finding(
        question="ids in a request",
        answer="413" if 413 in refused else "answered",
        what=f"{by_id.size:,} ids are answered" + (", more are a 413." if 413 in refused else "."),
        effect="After a 413 the tool halves its requests."
        if 413 in refused
        else "The tool asks for up to 1,000 ids at a time.",
    )


def _size(sized: Sized, available: int) -> str:
    return f"{min(sized.size, available) or sized.size:,}"


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
    largest = asking.ids(asking.impossible, limit=10_000, tries=2)
    refused = f"{'too slow' if largest.status == 504 else 'refused'} ({largest.status})"
    answer = "answered" if largest.ok else refused
    yield Finding(
        question="`limit` of 10,000 ids",
        answer=answer,
        what=f"A limit of 10,000 ids is {answer}{f': {largest.error}' if largest.error else ''}.",
        effect="Nothing: the tool asks for up to 1,000 ids at a time.",
    )
