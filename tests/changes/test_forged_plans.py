"""Whatever is edited in a plan file: what is sent is what was shown and bounded, or the file is refused."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from falcon_bulk.errors import ExitCode, FalconBulkError
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import Action, AlertPlan, Plan
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.guardrails import GUARDRAILS, Candidate, guardrail_for
from falcon_bulk.operations.changes.plan_check import ACTIONS
from falcon_bulk.operations.changes.plan_file import PlanFile
from falcon_bulk.operations.changes.request import ChangeRequest
from falcon_emulator.documents import render
from falcon_emulator.request_log import Change
from tests.support.run_harness import ALL_GUARDRAILS, RunHarness, serve_run_harness
from tests.support.sampling import examples

ALERTS = 3000
SIZE = 12


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunHarness]:
    with serve_run_harness(tmp_path_factory.mktemp("forged"), alerts=ALERTS) as harness:
        yield harness


Line = dict[str, Any]
places = st.lists(st.integers(0, 40), min_size=1, max_size=5)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 20),
    st.sampled_from(
        [
            *Status,
            *Resolution,
            *GUARDRAILS,
            "",
            "update_status",
            "add_tag",
            "show_in_ui",
            "assign_to_user_id",
            "unassign",
            "true",
            "mallory@example.com",
            "close-hash",
            "bulk-close",
            "undo",
            "2026-01-01T00:00:00Z",
            "../../acme",
        ]
    ),
    st.lists(st.sampled_from([*GUARDRAILS, "closed", "add_tag", "x"]), max_size=2),
)
Edit = tuple[int, list[int], Any]
Lie = Callable[[list[Line]], None]


def _rows(lines: list[Line]) -> list[Any]:
    return [line["alert"] for line in lines if line["line"] == "alert"]


def _sets(lines: list[Line]) -> list[Any]:
    return [line["actions"] for line in lines if line["line"] == "action_set"]


def drop_an_alert(number: int) -> Lie:
    def lie(lines: list[Line]) -> None:
        rows = [line for line in lines if line["line"] == "alert"]
        if rows:
            lines.remove(rows[number % len(rows)])

    return lie


def give_it_other_actions(number: int, action_set: int) -> Lie:
    def lie(lines: list[Line]) -> None:
        if rows := _rows(lines):
            rows[number % len(rows)][2] = action_set % len(_sets(lines))

    return lie


def have_another_status(status: Status) -> Lie:
    def lie(lines: list[Line]) -> None:
        lines[0]["plan"]["target"] = status
        for actions in _sets(lines):
            for action in actions:
                if action[0] == "update_status":
                    action[1] = status

    return lie


def add_an_action(number: int, name: str, value: str) -> Lie:
    def lie(lines: list[Line]) -> None:
        if sets := _sets(lines):
            sets[number % len(sets)].insert(0, [name, value])

    return lie


def say_in_the_header(name: str, value: Any) -> Lie:
    return lambda lines: lines[0]["plan"].update({name: value})


def have_seen(number: int, field: int, value: Any) -> Lie:
    def lie(lines: list[Line]) -> None:
        if rows := _rows(lines):
            rows[number % len(rows)][1][field] = value

    return lie


numbers = st.integers(0, SIZE)
lies: st.SearchStrategy[Lie] = st.one_of(
    st.builds(drop_an_alert, numbers),
    st.builds(give_it_other_actions, numbers, numbers),
    st.builds(have_another_status, st.sampled_from(Status)),
    st.builds(
        add_an_action,
        numbers,
        st.sampled_from(["add_tag", "remove_tag", "assign_to_user_id", "show_in_ui"]),
        st.sampled_from(["mallory@example.com", "false", *Resolution]),
    ),
    st.builds(say_in_the_header, st.just("overrides"), st.lists(st.sampled_from(list(GUARDRAILS)), unique=True)),
    st.builds(say_in_the_header, st.sampled_from(["selection", "machine", "version"]), st.text(max_size=20)),
    st.builds(have_seen, numbers, st.integers(0, 3), st.sampled_from([*Status, "", "bo.birch", "ann@example.com"])),
    st.builds(have_seen, numbers, st.just(7), st.integers(0, 3)),
)
edits = st.one_of(
    st.lists(st.tuples(st.integers(0, 40), places, values), min_size=1, max_size=3),
    st.lists(lies, min_size=1, max_size=3),
)


def forge(path: Path, changes: list[Edit | Lie], *, repair: bool) -> None:
    """Set values at places in the lines of a plan, or tell lies; `repair` makes its numbers those of its rows again."""
    *lines, _ = (json.loads(line) for line in path.read_bytes().splitlines())
    for change in changes:
        if isinstance(change, tuple):
            number, steps, value = change
            _set(lines[number % len(lines)], steps, value)
        else:
            change(lines)
    if repair:
        _count_anew(lines)
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    end = {"line": "end", "sha256": hashlib.sha256(data).hexdigest()}
    path.write_bytes(data + json.dumps(end).encode() + b"\n")


def _set(document: Any, steps: list[int], value: Any) -> None:
    """Set one value somewhere below a document: each step chooses among the keys or places that are there."""
    place = document
    for index, step in enumerate(steps):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = keys[step % len(keys)]
        below = place[key]
        if index == len(steps) - 1 or not isinstance(below, dict | list) or not below:
            place[key] = value
            return
        place = below


def _count_anew(lines: list[Line]) -> None:
    try:
        sets = {line["number"]: line["actions"] for line in lines if line["line"] == "action_set"}
        rows = [line["alert"] for line in lines if line["line"] == "alert"]
        effects = Counter((name, value) for row in rows for name, value in sets[row[2]] if name != "append_comment")
        closed = sum(row[1][0] == "closed" for row in rows)
        preview = lines[-1]["preview"]
        counted = [{"name": name, "value": value, "alerts": alerts} for (name, value), alerts in effects.items()]
        preview |= {"planned": len(rows), "effects": counted, "closed": closed, "skipped": {}, "held": {}}
        preview |= {"selected": len(rows), "items": []}
    except (KeyError, TypeError, ValueError, IndexError):
        return  # edited beyond counting


def effects_of(changes: list[Change]) -> Counter[tuple[str, str]]:
    return Counter((name, value) for change in changes for name, value in change.actions if name != "append_comment")


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    start=st.integers(0, ALERTS - SIZE),
    changes=edits,
    repair=st.booleans(),
    resolution=st.sampled_from([None, *Resolution]),
    overrides=st.sampled_from([frozenset(), frozenset({"assigned", "in-progress", "no-severity"})]),
)
def test_what_is_sent_is_what_was_shown_or_the_plan_is_refused(
    harness: RunHarness,
    start: int,
    changes: list[Edit | Lie],
    repair: bool,
    resolution: Resolution | None,
    overrides: frozenset[str],
) -> None:
    ids = tuple(alert.composite_id for alert in harness.tenant.store.newest_first[start : start + SIZE])
    request = ChangeRequest(status=Status.CLOSED, operator="ann", resolution=resolution, overrides=ALL_GUARDRAILS)
    path = harness.folder / "forged.plan"
    path.unlink(missing_ok=True)
    harness.save_plan(ids, request, path)
    forge(path, changes, repair=repair)
    done = len(harness.tenant.request_log.changes)
    known = {row.run_id for row in harness.journal.rows()}
    shown: list[tuple[Plan, Preview]] = []
    refusal, execution = None, None
    try:
        execution = harness.apply(path, overrides, lambda plan, preview: shown.append((plan, preview)))
    except FalconBulkError as error:
        refusal = error
    if execution is None:
        event("refused")
        assert refusal is not None
        assert refusal.exit_code in (ExitCode.REFUSED, ExitCode.ACCESS)
        assert len(harness.tenant.request_log.changes) == done
        assert {row.run_id for row in harness.journal.rows()} == known
        return
    sent = harness.tenant.request_log.changes[done:]
    event("sent" if sent else "taken, and nothing to send")
    ((plan, preview),) = shown
    assert isinstance(plan, AlertPlan)
    assert len(sent) == len({change.composite_id for change in sent}) <= preview.planned
    assert effects_of(sent) == Counter({(effect.name, effect.value): effect.alerts for effect in preview.effects})
    assert {value for change in sent for name, value in change.actions if name == "append_comment"} <= {plan.comment}
    assert {name for change in sent for name, _ in change.actions} <= ACTIONS
    assert set(plan.overrides) <= overrides
    for change in sent:
        alert = decode_alert(render(harness.tenant.store.by_id[change.composite_id], change.before))
        assert change.composite_id in ids
        actions = tuple(Action(*action) for action in change.actions)
        candidate = Candidate(alert, own_hashes(alert).keys(), actions, frozenset(plan.hashes))
        assert guardrail_for(candidate, overrides) == ""
    assert execution.result.changed == len(sent)


def test_an_untouched_plan_is_carried_out(harness: RunHarness) -> None:
    ids = tuple(harness.ids(60))
    path = harness.folder / "untouched.plan"
    saved = harness.save_plan(ids, ChangeRequest(status=Status.CLOSED, operator="ann"), path)
    assert PlanFile(path).preview.planned == saved.result.planned
    execution = harness.apply(path, frozenset(), lambda _plan, _preview: None)
    assert execution.result.changed == saved.result.planned > 0
