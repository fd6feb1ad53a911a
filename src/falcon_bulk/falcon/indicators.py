"""The IOC API: find, create and delete indicators of SHA256 hashes. Limits are known from gofalcon's swagger.

Falcon rejects a second indicator of the same value as a duplicate, with a warning, unless told to ignore warnings.
This client never does, so it cannot overwrite an indicator.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from falcon_bulk.errors import FalconAnswer, Unreachable
from falcon_bulk.falcon.bisect import bisect_rejected
from falcon_bulk.falcon.fql import MAX_TERMS, equals_any
from falcon_bulk.falcon.response_classifier import (
    CREATE_INDICATORS,
    DELETE_INDICATORS,
    FIND_INDICATORS,
    GET_INDICATORS,
    partial_answer,
)
from falcon_bulk.falcon.responses import ApiResponse
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.alert import text
from falcon_bulk.model.hashes import check_sha256
from falcon_bulk.model.indicator import ALLOW, Indicator, IndicatorSpec, decode_indicator

PAGE = 500
"""Maximum ids in an answer of a search (falcon-mcp)."""

IDS_PER_REQUEST = 50
"""Maximum ids in a request: they are part of its URL, 68 characters each."""

ERROR_PREFIX = "error:"
"""The start of the reason for an indicator that Falcon will always refuse."""

MAX_SINGLE_CHECKS = 20
"""How many hashes that a list search did not find are searched one by one, before list searches are trusted."""


class ItemMessage(msgspec.Struct, frozen=True):
    """A warning (a duplicate) or an error about one indicator, in the `resources` of the answer to a creation."""

    id: Any = None
    value: Any = None
    message_type: Any = None
    message: Any = None


_decode_item = msgspec.json.Decoder(ItemMessage).decode


@dataclass(frozen=True)
class CreateResponse:
    """The indicators that a creation made, and the reasons why others were refused, by hash.

    message: what Falcon answered about the request as a whole; '' for nothing.
    """

    created: tuple[Indicator, ...]
    refused: dict[str, str]
    message: str
    trace_id: str


class Indicators:
    """The indicators of one tenant. service: FalconPy's IOC object."""

    def __init__(self, transport: Transport, service: Any) -> None:
        self._call = transport.call
        self._service = service

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]:
        """Return the indicators of each hash that has any.

        It is not documented whether a filter of this API takes a list of values. So the first 20 hashes without a hit
        are searched one by one; all are if one of them has a hit after all, or if a list is rejected (400, 500).
        """
        checked = [check_sha256(value) for value in hashes]
        found: dict[str, tuple[Indicator, ...]] = {}
        single_checks = MAX_SINGLE_CHECKS
        for part in _parts(checked, MAX_TERMS - 1):
            try:
                self._search_and_add(found, part)
            except FalconAnswer as error:
                if error.status not in (400, 500):
                    raise
                single_checks = len(checked)
                break
        for number, digest in enumerate([digest for digest in checked if digest not in found]):
            if number >= single_checks:
                break
            self._search_and_add(found, [digest])
            if digest in found:
                single_checks = len(checked)
        return found

    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]:
        """Return the indicators by id; unknown ids are missing.

        Raises Unreachable if the answers hold only part of the data; Rejected after too many rejections.
        """
        found = {
            text(indicator.id): indicator
            for part in bisect_rejected(_parts(ids, IDS_PER_REQUEST), self._get)
            for indicator in part
        }
        return {indicator_id: found[indicator_id] for indicator_id in ids if indicator_id in found}

    def create(self, hashes: Sequence[str], indicator: IndicatorSpec, comment: str) -> CreateResponse:
        """Create an allow-list indicator for each hash, 2,000 at most (psfalcon).

        A success and a 400 may both list what is wrong with single indicators; it is in the result.
        Raises AnswerLost if it is not known what was created; Rejected for a 4xx without such a list.
        """
        common: dict[str, Any] = {
            "type": "sha256",
            "action": ALLOW,
            "platforms": list(indicator.platforms),
            "applied_globally": not indicator.host_groups,
            "description": indicator.description,
        }
        if indicator.host_groups:
            common["host_groups"] = list(indicator.host_groups)
        if indicator.expiration:
            common["expiration"] = indicator.expiration
        body = {"comment": comment, "indicators": [{**common, "value": check_sha256(value)} for value in hashes]}
        answer: ApiResponse = self._call(CREATE_INDICATORS, self._service.indicator_create, body=body)
        created: list[Indicator] = []
        refused: dict[str, str] = {}
        messages = [problem.text for problem in answer.problems]
        for raw in answer.resources or ():
            item = _decode_item(raw)
            value = text(item.value).lower()
            if item.message_type or item.message:
                message = f"{text(item.message_type) or 'refused'}: {text(item.message) or 'no reason given'}"
                refused.setdefault(value, message)
                messages += [] if value else [message]
            elif item.id:
                created.append(decode_indicator(raw))
        return CreateResponse(tuple(created), refused, "; ".join(messages), answer.trace_id)

    def delete(self, ids: Sequence[str], comment: str) -> str:
        """Delete at most 50 indicators. Return the text of the answer's errors, '' for none.

        Raises AnswerLost if it is not known what was deleted; Rejected for a 4xx.
        """
        if not ids or not all(ids):
            raise ValueError("cannot delete an indicator without an id")
        answer: ApiResponse = self._call(
            DELETE_INDICATORS, self._service.indicator_delete, ids=list(ids), comment=comment
        )
        return "; ".join(problem.text for problem in answer.problems)

    def _get(self, ids: Sequence[str]) -> list[Indicator]:
        answer: ApiResponse = self._call(GET_INDICATORS, self._service.indicator_get, ids=list(ids))
        for problem in answer.problems:
            if not problem.is_about(ids):
                raise partial_answer(problem, answer.trace_id)
        return [decode_indicator(raw) for raw in answer.resources or ()]

    def _search_and_add(self, found: dict[str, tuple[Indicator, ...]], hashes: Sequence[str]) -> None:
        for indicator in self.by_id(self._search(f"type:'sha256'+{equals_any('value', hashes)}")).values():
            if indicator.sha256 in hashes:
                found[indicator.sha256] = (*found.get(indicator.sha256, ()), indicator)

    def _search(self, fql: str) -> list[str]:
        ids: list[str] = []
        while True:
            answer: ApiResponse = self._call(
                FIND_INDICATORS, self._service.indicator_search, filter=fql, limit=PAGE, offset=len(ids)
            )
            page = [msgspec.json.decode(raw, type=str) for raw in answer.resources or ()]
            ids += page
            if len(ids) >= answer.total:
                return list(dict.fromkeys(ids))
            if not page:
                raise Unreachable(
                    f"Falcon counts {answer.total:,} indicators and lists {len(ids):,}.",
                    "Run the command again.",
                    trace_id=answer.trace_id,
                )


def _parts(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))
