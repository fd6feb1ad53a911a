"""Questions about pages: is combined v1 there, do pages come empty, how old may `after` get."""

from collections.abc import Iterator

from falcon_bulk.falcon.observer import Observation
from falcon_bulk.falcon.response_classifier import is_expired_search
from falcon_bulk.model.clock import Stopwatch
from falcon_bulk.model.doctor import Finding
from falcon_bulk.operations.doctor.probe.asking import Asking, cannot_tell
from falcon_bulk.operations.doctor.probe.checked_values import is_plain_id

AGES = (5, 30, 60, 120, 150)
"""Ages in seconds at which an `after` is tried."""
OLDEST_FIRST = "created_timestamp|asc"
NO_PAGES = "combined v1 does not answer here"
UNPAGED = "Nothing: queries and entities stand in for combined v1."


def combined_search(asking: Asking) -> Iterator[Finding]:
    """Yield whether combined v1 is there."""
    question, answer = "combined search", asking.newest_page.answer
    if answer.ok:
        yield Finding(
            question=question,
            answer="works",
            what="Combined v1 returns whole alerts, page by page.",
            effect="Alerts are read through it.",
        )
    elif answer.status in (403, 401):
        yield Finding(
            question=question,
            answer="forbidden",
            what=f"Combined v1 is refused ({answer.status}).",
            effect="Commands that need it end with the missing scope: a refusal is no reason to read in another way.",
        )
    elif answer.status == 404:
        yield Finding(
            question=question,
            answer="missing",
            what="Combined v1 is not there (404).",
            effect="Alerts are read by id: queries, then entities, by windows of created_timestamp beyond 10,000.",
        )
    else:
        yield cannot_tell(question, f"Combined v1 answers {answer.status}.")


def last_page(asking: Asking) -> Iterator[Finding]:
    """Yield how `after` is shown where nothing follows, and whether pages come empty although alerts are left."""
    if not asking.newest_page.answer.ok:
        yield cannot_tell("last page", NO_PAGES, UNPAGED)
        yield cannot_tell("empty pages", NO_PAGES, UNPAGED)
        return
    nothing = asking.page(asking.impossible)
    if nothing.ok and not nothing.body.total:
        absent = nothing.after_is_absent
        yield Finding(
            question="last page",
            answer="absent" if absent else "empty",
            what=f"Where nothing follows, `after` is {'absent' if absent else 'an empty text'}.",
            effect="Nothing: both end the pages.",
        )
    else:
        yield cannot_tell("last page", f"A search without results answers {nothing.status}.", "Both are understood.")
    yield _empty_pages(asking)


def _empty_pages(asking: Asking) -> Finding:
    question = "empty pages"
    effect = "An empty page ends the reading once all alerts are read; else it is asked for again, then as if expired."
    if _last_page_has_after(asking):
        return Finding(
            question=question, answer="last", what="The last page has an `after`; an empty page follows.", effect=effect
        )
    first = asking.page(limit=2, sort=OLDEST_FIRST)
    after = first.body.after
    if not first.ok or not after:
        return cannot_tell(question, "All alerts are on one page.", effect)
    pages = []
    for _ in range(3):
        page = asking.page(limit=2, sort=OLDEST_FIRST, after=after)
        if is_expired(page):
            return cannot_tell(question, "An `after` expires before it can be used.", effect)
        if not page.ok:
            return cannot_tell(question, f"The second page answers {page.status}.", effect)
        pages.append(bool(page.documents) or page.in_part)
        if pages[-1]:
            break
    if pages == [True]:
        return Finding(
            question=question,
            answer="never",
            what="The second page has alerts at once.",
            effect="Nothing: as expected.",
        )
    answer = "once" if pages[-1] else "always"
    what = "A page came empty, and had alerts when asked for again." if pages[-1] else "Second pages come empty."
    return Finding(question=question, answer=answer, what=what, effect=effect)


def _last_page_has_after(asking: Asking) -> bool:
    """Return whether a page that has all alerts of its filter names a next one."""
    ids = [composite_id for item in asking.sample[:1] if is_plain_id(composite_id := item.get("composite_id"))]
    for composite_id in ids:
        page = asking.page(f"composite_id:'{composite_id}'", limit=2)
        if page.ok and page.body.total == 1:
            return bool(page.body.after)
    return False


def hidden_alerts(asking: Asking) -> Iterator[Finding]:
    """Yield whether combined v1, which has no include_hidden, returns hidden alerts."""
    question = "hidden alerts"
    effect = "Both: hidden alerts are counted, and read by id where pages leave them out."
    if not asking.newest_page.answer.ok:
        yield cannot_tell(question, NO_PAGES, UNPAGED)
        return
    for _ in range(2):
        every, visible = asking.ids().body.total, asking.ids(hidden=False).body.total
        paged = asking.page().body.total
        if every == visible:
            yield cannot_tell(question, "There is no hidden alert to try it with.", effect)
            return
        if paged in (every, visible):
            included = paged == every
            yield Finding(
                question=question,
                answer="included" if included else "omitted",
                what=f"{every - visible:,} of {every:,} alerts are hidden; pages of combined v1 "
                + ("have them." if included else "leave them out."),
                effect="They are read with the others." if included else "They are counted and read by id.",
            )
            return
    yield cannot_tell(question, "The counts change too fast to compare.", effect)


class AfterAges:
    """How old an `after` may get: one is taken for each age at the beginning, and used when it is that old."""

    def __init__(self, asking: Asking, *, quick: bool) -> None:
        self._asking = asking
        self._quick = quick
        self._tokens: dict[int, str] = {}
        self._since = Stopwatch(asking.clock)

    def take_tokens(self) -> None:
        """Take the tokens; the first one, of age 0, is used at once by `finding`."""
        if not self._asking.newest_page.answer.ok:
            return
        for age in (0,) if self._quick else (0, *AGES):
            page = self._asking.page(limit=2, sort=OLDEST_FIRST)
            if page.ok and page.body.after:
                self._tokens[age] = page.body.after
        self._since = Stopwatch(self._asking.clock)

    def finding(self) -> Finding:
        """Use each token when it is due, until one has expired. Waits up to 150 s. Raises Stopped."""
        question = "life of `after`"
        effect = "Where one has expired, the reading begins again at the last alert read; none comes twice."
        if not self._tokens:
            why = "All alerts are on one page." if self._asking.newest_page.answer.ok else NO_PAGES
            return cannot_tell(question, why, effect)
        lived: int | None = None
        for age, token in self._tokens.items():
            self._asking.clock.wait(max(0.0, age - self._since.shortest))
            page = self._asking.page(limit=2, sort=OLDEST_FIRST, after=token)
            if is_expired(page):
                between = f"between {lived} and {age} s" if lived is not None else "before it can be used"
                return Finding(
                    question=question,
                    answer=f"expires ({page.status})",
                    what=f"An `after` expires {between}; the answer is a {page.status}: {page.error}.",
                    effect=effect,
                )
            if not page.ok:
                return cannot_tell(question, f"A page with `after` answers {page.status}.", effect)
            lived = age
        if self._quick:
            return cannot_tell(question, "Not tried with --quick: it takes 150 s.", effect)
        return Finding(
            question=question,
            answer=f"lives {lived} s",
            what=f"An `after` is still good after {lived} s, the longest that was tried.",
            effect=effect,
        )


def is_expired(page: Observation) -> bool:
    """Return whether an answer says that its `after` has expired: a 404, or a 200 with the error."""
    return page.status == 404 or any(is_expired_search(problem.text) for problem in page.body.problems)
