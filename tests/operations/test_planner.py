"""Making a plan: whatever is found, the sums hold and only what passed the guardrails is planned."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from falcon_bulk.errors import ExitCode, Refused, WrongTenant
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.hashes import own_hashes
from falcon_bulk.model.plan import Action, AlertState
from falcon_bulk.model.preview import Preview
from falcon_bulk.model.vocabulary import Resolution, Status
from falcon_bulk.operations.changes.guardrails import Candidate, guardrail_for
from falcon_bulk.operations.changes.planner import make_plan
from falcon_bulk.operations.changes.preview_builder import PreviewBuilder
from falcon_bulk.operations.changes.request import Bounds, ChangeRequest
from tests.support.plan_builders import CID, HASH, OTHER_CID, OTHER_HASH, Collected, a_plan, an_alert, documents_of

CLOSE = ChangeRequest(status=Status.CLOSED, operator="alice")


def planning(
    *alerts: Alert, request: ChangeRequest = CLOSE, ids: tuple[str, ...] = (), closed: bool = False, **plan: Any
) -> tuple[Preview, Collected]:
    sink = Collected()
    return make_plan(documents_of(*alerts), request, a_plan(**plan), sink, ids=ids, closed=closed), sink


alert_fields = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["new", "in_progress", "reopened", "closed", "", 7]),
        "severity": st.sampled_from([10, 50, 79, 80, None, "x"]),
        "severity_name": st.sampled_from(["Low", "Critical", "", None]),
        "tags": st.lists(st.sampled_from(["", "pilot", "FC-1", *Resolution]).map(str), max_size=3),
        "assigned_to_name": st.sampled_from(["", "Alice"]),
        "product": st.sampled_from(["epp", "overwatch", "idp"]),
        "sha256": st.sampled_from([HASH, OTHER_HASH, ""]),
        "show_in_ui": st.sampled_from([True, False, None]),
        "created_timestamp": st.sampled_from(["2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z", "", None]),
    },
)


@given(
    st.lists(alert_fields, max_size=25),
    st.sampled_from([None, *Resolution]),
    st.sampled_from([(), (HASH,)]),
    st.lists(st.integers(0, 30), max_size=12),
    st.booleans(),
)
def test_the_sums_hold_and_each_alert_is_planned_skipped_or_held(
    documents: list[dict[str, Any]],
    resolution: Resolution | None,
    hashes: tuple[str, ...],
    more: list[int],
    closed: bool,
) -> None:
    alerts = [an_alert(number, **fields) for number, fields in enumerate(documents)]
    request = ChangeRequest(status=Status.CLOSED, operator="alice", resolution=resolution)
    asked = tuple(alert.composite_id for alert in alerts)
    asked += tuple(f"{CID}:ind:{number}:2-3-4" for number in more) if asked else ()
    preview, sink = planning(*alerts, request=request, hashes=hashes, ids=asked, closed=closed)

    assert preview.selected == preview.planned + sum(preview.skipped.values()) + sum(preview.held.values())
    assert preview.planned == len(sink.alerts)
    assert {entry.item_id for entry in sink.alerts} | sink.left.keys() == {alert.composite_id for alert in alerts}
    assert len(sink.alerts) + len(sink.left) == len(alerts)
    assert all(number > 0 for number in (*preview.skipped.values(), *preview.held.values()))
    if asked:
        assert preview.selected == len(asked)
        assert preview.skipped.get("not_found", 0) == len(set(asked)) - len(alerts)
    by_id = {alert.composite_id: alert for alert in alerts}
    for entry in sink.alerts:
        alert = by_id[entry.item_id]
        lacking = request.lacking(AlertState.of(alert))
        actions = sink.action_sets[entry.action_set]
        assert lacking
        assert closed or alert.status != "closed"
        assert guardrail_for(Candidate(alert, own_hashes(alert).keys(), actions, frozenset(hashes)), frozenset()) == ""
        assert entry.before == AlertState.of(alert)
        assert actions == (*lacking, Action("append_comment", a_plan().comment))
    for sample in preview.samples:
        if sample.title != "SHA256":
            assert sum(number for _, number in sample.counts) == preview.planned or sample.others
    assert len(set(sink.action_sets.values())) == len(sink.action_sets)


def test_alerts_that_need_the_same_actions_share_an_action_set() -> None:
    request = ChangeRequest(status=Status.CLOSED, operator="alice", resolution=Resolution.FALSE_POSITIVE)
    _, sink = planning(
        *(an_alert(number, tags=["ignored"] if number % 2 else []) for number in range(6)), request=request
    )
    assert len(sink.action_sets) == 2
    assert [entry.action_set for entry in sink.alerts] == [0, 1, 0, 1, 0, 1]


def test_what_is_in_the_wanted_status_is_skipped_before_any_guardrail_holds_it() -> None:
    alerts = [an_alert(1, status="closed", severity=90), an_alert(2, severity=90)]
    preview, _ = planning(*alerts, closed=True)
    assert (preview.skipped, preview.held) == ({"already": 1}, {"critical": 1})
    preview, _ = planning(*alerts)
    assert (preview.skipped, preview.held) == ({"closed": 1}, {"critical": 1})


@pytest.mark.parametrize(
    ("wanted", "before", "closed", "sent"),
    [
        # What a second close would do to what a colleague closed: nothing.
        ({"tags": ("pilot",)}, {"status": "closed"}, False, "closed"),
        ({"resolution": Resolution.FALSE_POSITIVE}, {"status": "closed", "tags": ["true_positive"]}, False, "closed"),
        ({"status": Status.NEW}, {"status": "closed"}, False, "closed"),
        ({"status": None, "tags": ("pilot",)}, {"status": "closed"}, False, "closed"),
        ({"status": None, "comment": "seen"}, {"status": "closed"}, False, "closed"),
        # With --status closed.
        ({}, {"status": "Closed "}, False, "closed"),
        ({}, {"status": "closed"}, True, "already"),
        ({"comment": "again"}, {"status": "closed"}, True, "already"),
        ({"status": None, "comment": "seen"}, {"status": "closed"}, True, []),
        ({"tags": ("pilot",)}, {"status": "closed"}, True, [("add_tag", "pilot")]),
        (
            {"status": None, "resolution": Resolution.FALSE_POSITIVE},
            {"status": "closed"},
            True,
            [("add_tag", "false_positive")],
        ),
        ({"status": None, "untags": ("pilot",)}, {"status": "closed"}, True, "already"),
        # Open alerts.
        ({}, {"status": "new"}, False, [("update_status", "closed")]),
        ({"tags": ("pilot",)}, {"status": "new", "tags": ["pilot"]}, False, [("update_status", "closed")]),
        ({"status": Status.NEW}, {"status": "new"}, False, "already"),
        ({"status": Status.NEW, "tags": ("pilot",)}, {"status": "new"}, False, [("add_tag", "pilot")]),
        ({"status": None, "tags": ("pilot",)}, {"status": "new"}, False, [("add_tag", "pilot")]),
        ({"status": None, "assign_to": "ann"}, {"assigned_to_name": "Ann"}, False, "already"),
    ],
)
def test_what_an_alert_gets_depends_on_what_it_has_and_on_the_selection(
    wanted: dict[str, Any], before: dict[str, Any], closed: bool, sent: str | list[tuple[str, str]]
) -> None:
    request = ChangeRequest(**({"status": Status.CLOSED, "operator": "alice"} | wanted))
    preview, sink = planning(an_alert(**before), request=request, closed=closed)
    if isinstance(sent, str):
        assert (preview.skipped, sink.alerts) == ({sent: 1}, [])
    else:
        (actions,) = sink.action_sets.values()
        assert [tuple(action) for action in map(astuple, actions)] == [*sent, ("append_comment", a_plan().comment)]


@pytest.mark.parametrize(
    "fields",
    [{"cid": OTHER_CID}, {"cid": ..., "composite_id": f"{OTHER_CID}:ind:1:2"}, {"cid": "", "composite_id": "x"}],
)
def test_an_alert_of_a_cid_that_is_not_allowed_stops_the_planning(fields: dict[str, Any]) -> None:
    with pytest.raises(WrongTenant) as caught:
        planning(an_alert(1), an_alert(2, status="closed", **fields))
    assert caught.value.exit_code == ExitCode.ACCESS


def test_several_cids_may_be_allowed() -> None:
    preview, _ = planning(an_alert(1), an_alert(2, cid=OTHER_CID.upper()), cids=(CID, OTHER_CID))
    assert preview.planned == 2


def test_the_preview_counts_the_actions_and_the_closed_alerts_that_get_them() -> None:
    request = ChangeRequest(status=Status.CLOSED, operator="alice", resolution=Resolution.FALSE_POSITIVE)
    alerts = [an_alert(1), an_alert(2, tags=["ignored"]), an_alert(3, status="closed")]
    preview, _ = planning(*alerts, request=request, closed=True)
    assert {(effect.name, effect.value): effect.alerts for effect in preview.effects} == {
        ("update_status", "closed"): 2,
        ("add_tag", "false_positive"): 3,
        ("remove_tag", "ignored"): 1,
    }
    assert preview.closed == 1


@pytest.mark.parametrize(
    ("given", "wanted", "warned"),
    [
        ({"true_positive": 2, "false_positive": 9}, Resolution.FALSE_POSITIVE, "2 true_positive"),
        ({"true_positive": 2, "ignored": 1}, Resolution.FALSE_POSITIVE, "2 true_positive, 1 ignored"),
        ({"false_positive": 9}, Resolution.FALSE_POSITIVE, ""),
        ({"true_positive": 1_200, "false_positive": 9}, None, "1,200 true_positive"),
        ({"false_positive": 9}, None, ""),
        ({}, Resolution.IGNORED, ""),
    ],
)
def test_a_resolution_that_differs_from_those_given_before_is_warned_of(
    given: dict[str, int], wanted: Resolution | None, warned: str
) -> None:
    request = ChangeRequest(status=Status.CLOSED, operator="alice", resolution=wanted)
    plan = a_plan(hashes=(HASH,))
    preview = make_plan(documents_of(an_alert(sha256=HASH)), request, plan, Collected(), resolutions=lambda: given)
    expected = f"Alerts of this hash were resolved differently here before: {warned}."
    assert [warning for warning in preview.warnings if "resolved" in warning] == ([expected] if warned else [])


def test_a_hash_is_known_as_an_interpreter_s_by_the_parents_too() -> None:
    renamed = an_alert(1, filename="updater.exe", sha256=HASH)
    child = an_alert(2, filename="x.exe", sha256=HASH, parent_details={"filename": "cmd.exe", "sha256": HASH.upper()})
    preview, _ = planning(renamed, child, hashes=(HASH,))
    (warning,) = preview.warnings
    assert warning.startswith("The hash is that of an interpreter or system program (cmd.exe): ")
    several, _ = planning(renamed, child, hashes=(HASH, OTHER_HASH))
    assert several.warnings[0].startswith("1 of 2 hashes are those of an interpreter or system program (cmd.exe): ")


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"filename": "powershell.exe"}, True),
        ({"filename": "PWSH.EXE"}, True),
        ({"filename": "bash"}, True),
        ({"filename": "/usr/bin/python3.11"}, True),
        ({"filename": "C:\\Windows\\System32\\CMD.EXE "}, True),
        ({"filename": "inventory.exe"}, False),
        ({"filename": "powershell.exe", "sha256": ""}, False),
        (
            {
                "filename": "dllhost.exe",
                "filepath": "\\Device\\Volume3\\Windows\\System32\\dllhost.exe",
                "global_prevalence": "common",
            },
            True,
        ),
        ({"filename": "dllhost.exe", "filepath": "C:\\Temp\\dllhost.exe", "global_prevalence": "common"}, False),
    ],
)
def test_a_hash_of_an_interpreter_is_warned_of_where_hashes_were_selected(fields: dict[str, Any], warned: bool) -> None:
    by_hash, _ = planning(an_alert(**fields), hashes=(HASH,))
    assert any("interpreter" in warning for warning in by_hash.warnings) == warned
    otherwise, _ = planning(an_alert(**fields))
    assert not any("interpreter" in warning for warning in otherwise.warnings)


def test_the_preview_tells_the_span_of_creation_and_the_most_frequent_values() -> None:
    alerts = [an_alert(number, device={"hostname": f"ACME-{number % 7}"}) for number in range(30)]
    preview, _ = planning(*alerts)
    assert (preview.oldest, preview.newest) == ("2026-11-01T06:50:00Z", "2026-11-28T06:50:00Z")
    hosts = next(sample for sample in preview.samples if sample.title == "Host")
    assert hosts.counts[0] == ("ACME-0", 5)
    assert (len(hosts.counts), hosts.others) == (5, 2)


def test_distinct_values_are_counted_up_to_a_limit_so_that_memory_stays_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("falcon_bulk.operations.changes.preview_builder.MAX_VALUES", 3)
    builder = PreviewBuilder()
    for number in range(10):
        builder.plan(an_alert(number, device={"hostname": f"ACME-{number}"}))
    hosts = next(sample for sample in builder.build([]).samples if sample.title == "Host")
    assert len(hosts.counts) + hosts.others == 3
    assert builder.planned == 10


# --expect and --max


@pytest.mark.parametrize(
    ("planned", "expect", "maximum"), [(5, 5, None), (5, None, 5), (5, 5, 9), (0, 0, 0), (7, None, None)]
)
def test_bounds_that_are_kept_say_nothing(planned: int, expect: int | None, maximum: int | None) -> None:
    Bounds(expect, maximum).check(planned)


@pytest.mark.parametrize(
    ("planned", "expect", "maximum"), [(5, 4, None), (5, 6, None), (5, None, 4), (0, 1, None), (1, None, 0)]
)
def test_bounds_that_are_not_kept_are_a_refusal_with_both_numbers(
    planned: int, expect: int | None, maximum: int | None
) -> None:
    with pytest.raises(Refused) as caught:
        Bounds(expect, maximum).check(planned)
    assert caught.value.exit_code == ExitCode.REFUSED
    assert str(planned) in caught.value.message
    assert str(maximum if expect is None else expect) in caught.value.message
