"""The IOC API: looking up, creating and deleting indicators of SHA256 hashes. Limits as gofalcon's swagger has them.

An indicator's value is unique for its type: a second one is a duplicate, which Falcon refuses with a warning unless
told to ignore it. It is never told so, so that no indicator can be overwritten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from falcon_bulk.errors import Rejected, Unreachable
from falcon_bulk.falcon.bisect import bisect_rejected
from falcon_bulk.falcon.fql import MAX_TERMS, equals_any
from falcon_bulk.falcon.response_classifier import CREATE_INDICATORS, DELETE_INDICATORS, FIND_INDICATORS
from falcon_bulk.falcon.responses import ApiResponse
from falcon_bulk.falcon.transport import Transport
from falcon_bulk.model.alert import text
from falcon_bulk.model.hashes import check_sha256
from falcon_bulk.model.indicator import ALLOW, Indicator, IndicatorSpec, decode_indicator

PAGE = 500
"""Most ids in one answer of a search (falcon-mcp)."""

IDS_PER_REQUEST = 50
"""Ids in one request: they stand in its URL, 68 characters each."""

ERROR_PREFIX = "error:"
"""How what is said of an indicator begins that Falcon would refuse each time."""

MAX_SINGLE_CHECKS = 20
"""Hashes that a list found nothing for are asked for one by one, this many, before lists are trusted."""


class ItemMessage(msgspec.Struct, frozen=True):
    """What a creation says of one indicator, inside `resources`: a warning (a duplicate) or an error."""

    id: Any = None
    value: Any = None
    message_type: Any = None
    message: Any = None


@dataclass(frozen=True)
class CreateResponse:
    """The indicators that a creation made, and the reasons why others were refused, by hash.

    message: what Falcon said about the request as a whole; '' for nothing.
    """

    created: tuple[Indicator, ...]
    refused: dict[str, str]
    message: str
    trace_id: str


class Indicators:
    """The indicators of one tenant. `service` is FalconPy's IOC class."""

    def __init__(self, transport: Transport, service: Any) -> None:
        self._call = transport.call
        self._service = service

    def find(self, hashes: Sequence[str]) -> dict[str, tuple[Indicator, ...]]:
        """The indicators of each hash that has some.

        That a filter takes a list of values is not documented for this API: hashes without a hit are asked for
        one by one, the first 20, and all where one of them has a hit after all or a list is refused.
        """
        checked = [check_sha256(value) for value in hashes]
        found: dict[str, tuple[Indicator, ...]] = {}
        doubted = MAX_SINGLE_CHECKS
        for part in _parts(checked, MAX_TERMS - 1):
            try:
                self._add(found, part)
            except Rejected as error:
                if error.status != 400:
                    raise
                doubted = len(checked)
                break
        for number, digest in enumerate([digest for digest in checked if digest not in found]):
            if number >= doubted:
                break
            self._add(found, [digest])
            if digest in found:
                doubted = len(checked)
        return found

    def by_id(self, ids: Sequence[str]) -> dict[str, Indicator]:
        """The indicators with those ids; unknown ids are missing.

        Raises Unreachable if indicators are missing and the answer carries an error that passes, Rejected if too much
        is refused.
        """
        found = {
            text(one.id): one for part in bisect_rejected(_parts(ids, IDS_PER_REQUEST), self._with_ids) for one in part
        }
        return {one: found[one] for one in ids if one in found}

    def create(self, hashes: Sequence[str], allowance: IndicatorSpec, comment: str) -> CreateResponse:
        """Ask for an allow-list indicator for each hash, 2,000 at most (psfalcon).

        What is wrong with single ones stands in the answer, be it a success or a refusal: both are reported.
        Raises AnswerLost if it is not known what was made; Rejected for a 4xx that says nothing of single ones.
        """
        common: dict[str, Any] = {
            "type": "sha256",
            "action": ALLOW,
            "platforms": list(allowance.platforms),
            "applied_globally": not allowance.host_groups,
            "description": allowance.description,
        }
        if allowance.host_groups:
            common["host_groups"] = list(allowance.host_groups)
        if allowance.expiration:
            common["expiration"] = allowance.expiration
        body = {"comment": comment, "indicators": [{**common, "value": check_sha256(value)} for value in hashes]}
        answer: ApiResponse = self._call(CREATE_INDICATORS, self._service.indicator_create, body=body)
        created: list[Indicator] = []
        refused: dict[str, str] = {}
        messages = [problem.text for problem in answer.problems]
        for raw in answer.resources or ():
            item = msgspec.json.decode(raw, type=ItemMessage)
            value = text(item.value).lower()
            if item.message_type or item.message:
                message = f"{text(item.message_type) or 'refused'}: {text(item.message) or 'no reason given'}"
                refused.setdefault(value, message)
                messages += [] if value else [message]
            elif item.id:
                created.append(decode_indicator(raw))
        return CreateResponse(tuple(created), refused, "; ".join(messages), answer.trace_id)

    def delete(self, ids: Sequence[str], comment: str) -> str:
        """Delete at most 50 indicators; the words of its errors, '' for none.

        Raises AnswerLost if it is not known what was deleted; Rejected for a 4xx.
        """
        if not ids or not all(ids):
            raise ValueError("nothing is deleted without an id")
        answer: ApiResponse = self._call(
            DELETE_INDICATORS, self._service.indicator_delete, ids=list(ids), comment=comment
        )
        return "; ".join(problem.text for problem in answer.problems)

    def _with_ids(self, ids: Sequence[str]) -> list[Indicator]:
        answer: ApiResponse = self._call(FIND_INDICATORS, self._service.indicator_get, ids=list(ids))
        found = [decode_indicator(raw) for raw in answer.resources or ()]
        missing = set(ids) - {text(one.id) for one in found}
        if missing and any(problem.transient for problem in answer.problems):
            raise Unreachable("Falcon could not read all indicators.", trace_id=answer.trace_id)
        return found

    def _add(self, found: dict[str, tuple[Indicator, ...]], hashes: Sequence[str]) -> None:
        for one in self.by_id(self._search(f"type:'sha256'+{equals_any('value', hashes)}")).values():
            if one.sha256 in hashes:
                found[one.sha256] = (*found.get(one.sha256, ()), one)

    def _search(self, fql: str) -> list[str]:
        ids: list[str] = []
        while True:
            answer: ApiResponse = self._call(
                FIND_INDICATORS, self._service.indicator_search, filter=fql, limit=PAGE, offset=len(ids)
            )
            page = [msgspec.json.decode(raw, type=str) for raw in answer.resources or ()]
            ids += page
            if not page or len(ids) >= answer.total:
                return list(dict.fromkeys(ids))


def _parts(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))
