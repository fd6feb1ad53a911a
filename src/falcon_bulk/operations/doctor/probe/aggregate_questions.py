"""Questions about aggregates: do the counts add up, is `minute` taken, how many buckets are there at the most."""

from collections.abc import Iterator

from falcon_bulk.falcon.aggregates import MAX_VALUES
from falcon_bulk.falcon.observer import Observation
from falcon_bulk.model.doctor import Finding
from falcon_bulk.model.field_path import value_at
from falcon_bulk.operations.doctor.probe.asking import Asking, cannot_tell
from falcon_bulk.operations.doctor.probe.checked_values import is_plain_id

HOURS = {"type": "date_histogram", "field": "created_timestamp", "interval": "hour"}
MANY_VALUES = ("composite_id", "aggregate_id", "sha256")
SIZES = (MAX_VALUES, 500, 100, 10)
LARGER = 10_000
IN_PART = "Counts are answered only in part here."
EFFECT = "Counts that do not add up are not used: the alerts are read instead."


def counts(asking: Asking) -> Iterator[Finding]:
    """Yield whether aggregates are answered, and whether their counts add up to all alerts."""
    question = "counts (aggregates)"
    answer = asking.aggregate(HOURS)
    if not answer.ok:
        yield Finding(
            question=question,
            answer=f"refused ({answer.status})",
            what=f"Aggregates are answered with {answer.status}.",
            effect="Alerts are read to count them, and large reads go one page after another.",
        )
        return
    if answer.in_part:
        yield cannot_tell(question, IN_PART, EFFECT)
        return
    total = asking.total or 0
    counted = sum(bucket.count for bucket in asking.buckets(answer).buckets or ())
    names = {total: "correct", 0: "empty"}
    yield Finding(
        question=question,
        answer=names.get(counted, "differ"),
        what=f"The hours add up to {counted:,} of {total:,} alerts.",
        effect="Large reads are divided by them." if counted == total else EFFECT,
    )


def minutes(asking: Asking) -> Iterator[Finding]:
    """Yield whether a histogram takes `minute`. Asked of one alert, so that the answer is small."""
    question = "`minute` histograms"
    effect = "Nothing: hours are divided by ranges of times instead."
    ids = [composite_id for item in asking.sample[:1] if is_plain_id(composite_id := item.get("composite_id"))]
    one_alert = f"composite_id:'{ids[0]}'" if ids else ""
    if not one_alert or not asking.aggregate(HOURS | {"filter": one_alert}).ok:
        yield cannot_tell(question, "Aggregates do not answer a histogram by `hour` either.", effect)
        return
    answer = asking.aggregate(HOURS | {"interval": "minute", "filter": one_alert}, tries=2)
    yield Finding(
        question=question,
        answer="works" if answer.ok else f"refused ({answer.status})",
        what="A histogram by `minute` is answered." if answer.ok else f"`minute` is answered with {answer.status}.",
        effect=effect,
    )


def letter_case(asking: Asking) -> Iterator[Finding]:
    """Yield whether the values of an aggregate keep their capitals."""
    question = "capitals in counted values"
    effect = "Values that the newest alerts have in another form are not used: the alerts are read instead."
    answer = asking.aggregate({"type": "terms", "field": "severity_name", "size": 10})
    labels = {bucket.label for bucket in asking.buckets(answer).buckets or () if isinstance(bucket.label, str)}
    wanted = {value for item in asking.sample if isinstance(value := item.get("severity_name"), str)}
    kept = any(label != label.lower() for label in labels)
    if not labels or not any(value != value.lower() for value in wanted):
        yield cannot_tell(question, "No value with capitals is counted here.", effect)
        return
    yield Finding(
        question=question,
        answer="kept" if kept else "lower_case",
        what=f"Counted values {'keep their capitals' if kept else 'are in lower case'}.",
        effect=effect,
    )


def other_counts(asking: Asking) -> Iterator[Finding]:
    """Yield whether an aggregate says how many alerts are in none of its buckets."""
    question = "alerts in no bucket"
    effect = "Where it does not say, an aggregate as long as it may be counts as cut off."
    answer = asking.aggregate({"type": "terms", "field": "severity_name", "size": 1})
    if not answer.ok or not answer.documents:
        yield cannot_tell(question, f"An aggregate is answered with {answer.status}.", effect)
        return
    shown = asking.buckets(answer).sum_other_doc_count is not None
    yield Finding(
        question=question,
        answer="shown" if shown else "absent",
        what=f"An aggregate {'says' if shown else 'does not say'} how many alerts are in no bucket.",
        effect=effect,
    )


def entities_counts(asking: Asking) -> Iterator[Finding]:
    """Yield whether `entities.sha256` can be aggregated."""
    question = "counts by `entities.sha256`"
    effect = "Nothing: hashes are counted by reading alerts."
    answer = asking.aggregate({"type": "terms", "field": "entities.sha256", "size": 10})
    if not answer.ok or not asking.xdr_hash:
        yield cannot_tell(question, "No recent alert has one, or aggregates are refused.", effect)
        return
    found = bool(asking.buckets(answer).buckets)
    if not found and answer.in_part:
        yield cannot_tell(question, IN_PART, effect)
        return
    yield Finding(
        question=question,
        answer="works" if found else "no_buckets",
        what=f"`entities.sha256` {'can' if found else 'cannot'} be aggregated.",
        effect=effect,
    )


def bucket_limit(asking: Asking) -> Iterator[Finding]:
    """Yield how many buckets an aggregate has at the most, and what is answered to a larger `size`."""
    question = "buckets of a count"
    effect = f"The tool asks for up to {MAX_VALUES:,} buckets; where that is not enough, the alerts are read instead."
    field = _field_of_many_values(asking)
    if not field:
        yield cannot_tell(question, "No field with many values is counted here.", effect)
        return
    larger = _values(asking, field, LARGER)
    size = SIZES[0]
    for size in SIZES:
        answer = _values(asking, field, size)
        if answer.ok:
            break
    else:
        yield cannot_tell(question, f"Even {size} buckets are answered with {answer.status}.", effect)
        return
    got = len(asking.buckets(answer).buckets or ())
    if not larger.ok:
        yield Finding(
            question=question,
            answer=f"{size}, more refused",
            what=f"{size:,} buckets are answered, {_next(size):,} are refused ({larger.status}).",
            effect=effect,
        )
    elif larger.in_part or answer.in_part:
        yield cannot_tell(question, IN_PART, effect)
    elif (most := len(asking.buckets(larger).buckets or ())) < min(asking.total or 0, LARGER) and field == MANY_VALUES[
        0
    ]:
        yield Finding(
            question=question,
            answer=f"{most}, more lowered",
            what=f"An aggregate has {most:,} buckets at the most; a larger size is answered with as many.",
            effect=effect,
        )
    else:
        yield Finding(
            question=question,
            answer=f"{max(most, got)} or more",
            what=f"An aggregate has {max(most, got):,} buckets or more: there were no more values to try.",
            effect=effect,
        )


def _next(size: int) -> int:
    return {SIZES[0]: LARGER, **dict(zip(SIZES[1:], SIZES, strict=False))}[size]


def _field_of_many_values(asking: Asking) -> str:
    """Return a field that aggregates count and that has many values, '' for none."""
    for field in MANY_VALUES:
        if any(value_at(item, [field]) for item in asking.sample):
            answer = _values(asking, field, SIZES[-1])
            if answer.ok and (asking.buckets(answer).buckets or answer.in_part):
                return field
    return ""


def _values(asking: Asking, field: str, size: int) -> Observation:
    return asking.aggregate({"type": "terms", "field": field, "size": size}, tries=2)
