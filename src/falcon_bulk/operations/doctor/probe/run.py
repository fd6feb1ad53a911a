"""Ask a tenant the questions about Falcon that public sources leave open, by reading alone."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from falcon_bulk.errors import FalconBulkError, Stopped
from falcon_bulk.falcon.observer import AlertObserver
from falcon_bulk.model.clock import Clock
from falcon_bulk.model.doctor import Finding
from falcon_bulk.operations.doctor.probe import (
    aggregate_questions,
    answer_questions,
    filter_questions,
    limit_questions,
    page_questions,
)
from falcon_bulk.operations.doctor.probe.asking import Asking, cannot_tell
from falcon_bulk.operations.doctor.probe.page_questions import AfterAges


class Question(NamedTuple):
    """A question, with its name for where it cannot be answered."""

    name: str
    ask: Callable[[Asking], Iterator[Finding]]


QUESTIONS = (
    Question("combined search", page_questions.combined_search),
    Question("hidden alerts", page_questions.hidden_alerts),
    Question("unknown field in an OR", filter_questions.unknown_field),
    Question("`entities.sha256`", filter_questions.entities_search),
    Question("`!` and missing fields", filter_questions.negation),
    Question("the tool's own filters", filter_questions.own_filters),
    Question("hashes of related files", filter_questions.nested_hashes),
    Question("`,` and `+` without parentheses", filter_questions.bare_mix),
    Question("precision of times", filter_questions.time_precision),
    Question("long filters in a URL", limit_questions.long_urls),
    Question("beyond 10,000 ids", limit_questions.windows),
    Question("an unknown id", answer_questions.unknown_ids),
    Question("no errors", answer_questions.shapes),
    Question("large requests", limit_questions.request_sizes),
    Question("last page", page_questions.last_page),
    Question("counts (aggregates)", aggregate_questions.counts),
    Question("`minute` histograms", aggregate_questions.minutes),
    Question("buckets of a count", aggregate_questions.bucket_limit),
    Question("alerts in no bucket", aggregate_questions.other_counts),
    Question("capitals in counted values", aggregate_questions.letter_case),
    Question("counts by `entities.sha256`", aggregate_questions.entities_counts),
    Question("unknown fields", answer_questions.new_fields),
    Question("rate limit headers", answer_questions.headers),
)


def probe(
    observer: AlertObserver, clock: Clock, clock_ahead: Callable[[], float | None], *, quick: bool
) -> tuple[Finding, ...]:
    """Return the findings. quick: do not wait to see how old an `after` may get, which takes up to 150 s.

    clock_ahead: returns the seconds by which Falcon's clock is ahead of this machine's. Only reads are sent; an error
    leaves its own question open and no other. Raises Stopped.
    """
    asking = Asking(observer, clock)
    ages = AfterAges(asking, quick=quick)
    _guarded("life of `after`", lambda: _nothing(ages.take_tokens))
    found = [finding for name, ask in QUESTIONS for finding in _guarded(name, partial(ask, asking))]
    found += _guarded("life of `after`", lambda: iter((ages.finding(),)))
    found += [
        answer_questions.whole_answers(asking),
        answer_questions.clock(clock_ahead()),
        answer_questions.latency(asking),
    ]
    return tuple(found)


def _nothing(step: Callable[[], None]) -> Iterator[Finding]:
    step()
    return iter(())


def _guarded(name: str, ask: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Return the findings of a question; an error is its answer. Raises Stopped."""
    try:
        return list(ask())
    except Stopped:
        raise
    except FalconBulkError as error:
        return [cannot_tell(name, error.traced_message, error.hint)]
