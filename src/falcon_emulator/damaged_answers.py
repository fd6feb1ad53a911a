"""Whole answers made worse: a total that is too high, resources of which a part is missing."""

from typing import Any

import msgspec

from falcon_emulator.http import Answer, error
from falcon_emulator.tenant import Tenant

_TEXTS = {403: "access denied, authorization failed", 404: "resource not found", 429: "API rate limit exceeded."}


def inflate_total(answer: Answer, excess: int) -> Answer:
    """Return the answer with its total raised by `excess`; one without a total as it is."""
    body = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])
    meta = msgspec.json.decode(body["meta"]) if "meta" in body else {}
    if "pagination" not in meta:
        return answer
    meta["pagination"]["total"] += excess
    body["meta"] = msgspec.Raw(msgspec.json.encode(meta))
    answer.body = msgspec.json.encode(body)
    return answer


def cut_by_switch(tenant: Tenant, endpoint: str, answer: Answer) -> Answer:
    """Return the answer to a read, with half of its resources where the switch partial_pages says so."""
    mode = tenant.switches.partial_pages
    if mode == "never" or (mode == "once" and endpoint in tenant.cut_endpoints):
        return answer
    resources = _resources(answer)
    if not resources:
        return answer
    tenant.cut_endpoints.add(endpoint)
    code = tenant.switches.partial_code
    if endpoint == "aggregates":
        return _replace(answer, list(map(_half_of_buckets, resources)), code, _text(code))
    return _replace(answer, resources[: len(resources) // 2], code, _text(code))


def cut(answer: Answer, kept: int, code: int, text: str) -> Answer:
    """Return the answer with its first `kept` resources, and an error of `code` and `text`."""
    return _replace(answer, (_resources(answer) or [])[:kept], code, text)


def _text(code: int) -> str:
    return _TEXTS.get(code, "Internal Server Error")


def _resources(answer: Answer) -> list[msgspec.Raw] | None:
    body = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])
    return msgspec.json.decode(body.get("resources", b"null"), type=list[msgspec.Raw] | None)


def _half_of_buckets(result: msgspec.Raw) -> msgspec.Raw:
    """Return the result of an aggregate without the second half of its buckets."""
    decoded: dict[str, Any] = msgspec.json.decode(result)
    decoded["buckets"] = decoded["buckets"][: len(decoded["buckets"]) // 2]
    return msgspec.Raw(msgspec.json.encode(decoded))


def _replace(answer: Answer, resources: list[msgspec.Raw], code: int, text: str) -> Answer:
    """Return the answer with these resources, and an error; the rest of it stays, `after` and total too."""
    body = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])
    body["resources"] = msgspec.Raw(msgspec.json.encode(resources))
    body["errors"] = msgspec.Raw(msgspec.json.encode([error(code, text)]))
    answer.body = msgspec.json.encode(body)
    return answer
