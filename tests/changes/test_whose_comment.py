"""Whose comment it is that a read-back finds, and whose alert."""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from falcon_bulk.errors import AnswerLost, WrongTenant
from falcon_bulk.falcon.alerts import UpdateResponse
from falcon_bulk.model.plan import ActionSet
from falcon_bulk.model.run import Outcome
from falcon_bulk.model.vocabulary import Status
from falcon_bulk.operations.changes.request import ChangeRequest
from tests.support.run_harness import ALL_GUARDRAILS, RunHarness

Document = dict[str, Any]


class Between:
    """The client's alerts, with what happens around a change.

    instead: is called in place of a PATCH with its ids and what sends it. read: edits each document that is read.
    """

    def __init__(
        self,
        harness: RunHarness,
        *,
        instead: Callable[[Sequence[str], Callable[[], UpdateResponse]], UpdateResponse] = lambda _ids, send: send(),
        read: Callable[[Document], object] = lambda _document: None,
    ) -> None:
        self._alerts = harness.falcon.alerts
        self._instead = instead
        self._read = read

    def by_id(self, ids: Sequence[str]) -> list[msgspec.Raw]:
        documents = [json.loads(bytes(document)) for document in self._alerts.by_id(ids)]
        for document in documents:
            self._read(document)
        return [msgspec.Raw(json.dumps(document).encode()) for document in documents]

    def update(self, ids: Sequence[str], action_set: ActionSet) -> UpdateResponse:
        return self._instead(ids, lambda: self._alerts.update(ids, action_set))


def lose(_ids: Sequence[str], send: Callable[[], UpdateResponse]) -> UpdateResponse:
    """Change the alerts and lose the answer."""
    send()
    raise AnswerLost("The answer to a change was lost.")


def test_a_comment_that_quotes_the_run_is_a_colleagues_and_the_alert_is_left_to_them(harness: RunHarness) -> None:
    ids = harness.ids(3)
    plan = harness.planned(ids)

    def colleague_first(_ids: Sequence[str], _send: Callable[[], UpdateResponse]) -> UpdateResponse:
        harness.edit(ids, status="closed", comment=f"Closed by hand, {plan.marker} did not get there: {plan.comment}")
        raise AnswerLost("The answer to a change was lost.")

    result = harness.carry_out(plan, alerts=Between(harness, instead=colleague_first))
    assert (result.changed, result.drifted) == (0, 3)
    assert not harness.patches


def test_our_comment_is_found_as_falcon_normalised_it(harness: RunHarness) -> None:
    ids = harness.ids(3)
    change = ChangeRequest(
        status=Status.CLOSED, operator="ann", comment="Geprüft – naïve ﬁle", overrides=ALL_GUARDRAILS
    )
    plan = harness.planned(ids, change)

    def normalise(document: Document) -> None:
        for comment in document.get("comments") or ():
            comment["value"] = unicodedata.normalize("NFD", comment["value"]).replace(" ", "\u00a0 ")

    result = harness.carry_out(plan, alerts=Between(harness, instead=lose, read=normalise))
    assert (result.changed, result.verified) == (3, 3)
    assert harness.comments(plan, ids) == {1: 3}
    assert len(harness.patches) == 1


def test_a_read_back_of_another_cid_ends_the_run_and_a_resume_decides(harness: RunHarness) -> None:
    ids = harness.ids(3)
    plan = harness.planned(ids)

    def swap(document: Document) -> None:
        document["cid"] = "f" * 32

    result = harness.carry_out(plan, alerts=Between(harness, instead=lose, read=swap))
    assert isinstance(harness.causes[-1], WrongTenant)
    assert (result.changed, result.unknown, result.closed) == (0, 3, False)
    resumed = harness.resume(plan)
    assert (resumed.changed, resumed.unknown) == (3, 0)
    assert harness.comments(plan, ids) == {1: 3}


def forge_comments_seen(path: Path, composite_id: str, comments: int) -> None:
    """Edit how many comments a plan saw on an alert, and give the plan a digest of its own."""
    *lines, _ = map(json.loads, path.read_bytes().splitlines())
    for line in lines:
        if line["line"] == "alert" and line["alert"][0] == composite_id:
            line["alert"][1][7] = comments
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    end = {"line": "end", "sha256": hashlib.sha256(data).hexdigest()}
    path.write_bytes(data + json.dumps(end).encode() + b"\n")


def test_a_comment_that_was_there_when_the_plan_was_made_is_not_ours(harness: RunHarness) -> None:
    """Planted by somebody who has read the plan file, who also edited what the plan saw of the alert."""
    ids = harness.ids(3)
    path = harness.folder / "planted.plan"
    saved = harness.save_plan(ids, ChangeRequest(status=Status.CLOSED, operator="ann", overrides=ALL_GUARDRAILS), path)
    harness.edit(ids[:1], comment=saved.plan.comment)
    forge_comments_seen(path, ids[0], 1)
    execution = harness.apply(path, ALL_GUARDRAILS, lambda _plan, _preview: None)
    assert (execution.result.changed, execution.result.drifted) == (2, 1)
    record = harness.records(execution.plan)[ids[0]]
    assert record.outcome == Outcome.DRIFTED
    assert "has the comment of this plan already" in record.reason
