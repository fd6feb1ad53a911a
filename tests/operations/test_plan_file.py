"""A plan as a file: what was planned comes back, and nothing else is taken for a plan."""

import hashlib
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import ExitCode, Refused
from falcon_bulk.model.indicator import IndicatorSpec
from falcon_bulk.model.plan import (
    PLAN_SCHEMA,
    Action,
    ActionSet,
    AlertPlan,
    AlertState,
    IndicatorPlan,
    PlanHeader,
    PlannedItem,
)
from falcon_bulk.model.preview import ActionCount, Preview, TopValues
from falcon_bulk.operations.changes.plan_file import PlanFile, PlanFileWriter, check_saved_overrides
from tests.support.plan_builders import CID, CLOUD, HASH, OTHER_CID, OTHER_HASH, RUN, a_plan
from tests.support.sampling import quick_first

MADE = datetime(2026, 11, 17, 6, 50, tzinfo=UTC)
COMMENT = Action("append_comment", a_plan().comment)
ACTION_SETS: list[ActionSet] = [
    (Action("update_status", "closed"), COMMENT),
    (Action("update_status", "closed"), Action("remove_tag", "true_positive"), COMMENT),
]
PREVIEW = Preview(
    selected=2,
    planned=2,
    skipped={"already": 0},
    held={},
    samples=(TopValues(title="Host", counts=(("ACME-1", 2),)),),
    oldest="",
    newest="",
    actions=("status: closed",),
    effects=(
        ActionCount(name="update_status", value="closed", alerts=2),
        ActionCount(name="remove_tag", value="true_positive", alerts=1),
    ),
)


def an_entry(number: int, action_set: int = 0, **fields: object) -> PlannedItem[AlertState]:
    state = AlertState("new", "", "", "", ("pilot",), True, "", 0, "2026-11-17T06:50:00Z")
    return PlannedItem(f"{CID}:ind:1:{number}", msgspec.structs.replace(state, **fields), action_set)


def saved(
    path: Path, *entries: PlannedItem[AlertState], plan: AlertPlan | None = None, preview: Preview | None = None
) -> Path:
    plan = plan or a_plan()
    with path.open("wb") as file:
        writer = PlanFileWriter(file, plan)
        for number, action_set in enumerate(ACTION_SETS):
            writer.add_action_set(number, (*action_set[:-1], Action("append_comment", plan.comment)))
        for entry in entries:
            writer.add(entry)
        writer.finish(preview or a_preview(*entries))
    return path


def a_preview(*entries: PlannedItem[AlertState]) -> Preview:
    """The numbers of these alerts, as the planner would write them."""
    effects = Counter(action for entry in entries for action in ACTION_SETS[entry.action_set][:-1])
    return msgspec.structs.replace(
        PREVIEW,
        selected=len(entries),
        planned=len(entries),
        closed=sum(entry.before is not None and entry.before.status == "closed" for entry in entries),
        effects=tuple(
            ActionCount(name=action.name, value=action.value, alerts=alerts) for action, alerts in effects.items()
        ),
    )


@pytest.fixture
def plan_path(tmp_path: Path) -> Path:
    return saved(tmp_path / "close.plan", an_entry(1), an_entry(2, action_set=1))


def end_of(lines: list[bytes]) -> bytes:
    """Return the last line for these lines, made without the code that is tested."""
    return b'{"line":"end","sha256":"%s"}\n' % hashlib.sha256(b"".join(lines)).hexdigest().encode()


def content(file: PlanFile) -> tuple[dict[int, ActionSet], list[PlannedItem[AlertState]]]:
    rows = list(file.rows())
    return {item.action_set: actions for item, actions in rows}, [item for item, _ in rows]


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        action()
    assert caught.value.exit_code == ExitCode.REFUSED
    return caught.value.message


def test_what_was_planned_comes_back(plan_path: Path) -> None:
    file = PlanFile(plan_path)
    assert file.plan == a_plan()
    assert file.preview == PREVIEW
    assert content(file) == (dict(enumerate(ACTION_SETS)), [an_entry(1), an_entry(2, action_set=1)])


words = st.text(max_size=12)
entries = st.builds(
    PlannedItem,
    item_id=st.from_regex(r"[0-9a-f]{32}:ind:[0-9a-f]{32}:[0-9]{4,12}-[0-9]{2,6}-[0-9]{2,6}", fullmatch=True),
    action_set=st.integers(0, 1),
    before=st.builds(
        AlertState,
        *(words, words, words, words),
        st.lists(words, max_size=3).map(tuple),
        st.sampled_from([None, True, False]),
        words,
        st.integers(0, 10**6),
        words,
    ),
)


comments = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable() and bool(text.strip()))


@given(st.lists(entries, max_size=6, unique_by=lambda entry: entry.item_id), comments, words)
def test_any_text_that_an_alert_may_carry_comes_back(
    tmp_path_factory: pytest.TempPathFactory, planned: list[PlannedItem[AlertState]], comment: str, selection: str
) -> None:
    plan = a_plan(comment=f"{comment} (by alice, falcon-bulk {RUN})", selection=selection)
    path = saved(tmp_path_factory.mktemp("plans") / "a.plan", *planned, plan=plan)
    file = PlanFile(path)
    assert file.plan == plan
    assert content(file)[1] == planned


def test_the_last_line_is_the_digest_of_all_bytes_before_it(plan_path: Path) -> None:
    lines = plan_path.read_bytes().splitlines(keepends=True)
    assert lines[0].startswith(b'{"line":"plan","schema":"falcon-bulk/plan/2",')
    assert lines[-2].startswith(b'{"line":"preview",')
    assert lines[-1] == end_of(lines[:-1])


def test_the_same_plan_makes_the_same_bytes(tmp_path: Path) -> None:
    one, other = (saved(tmp_path / name, an_entry(1)) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


# Damage


def test_a_plan_that_is_cut_anywhere_is_refused(plan_path: Path) -> None:
    whole = plan_path.read_bytes()
    assert whole.endswith(b"}\n")
    for end in range(len(whole) - 1):
        plan_path.write_bytes(whole[:end])
        assert "not a complete plan" in refusal(lambda: PlanFile(plan_path))


@pytest.mark.parametrize("bits", quick_first(0x01, 0x20, 0x80, 0xFF))
def test_a_plan_in_which_any_byte_was_changed_is_refused(bits: int, plan_path: Path) -> None:
    whole = plan_path.read_bytes()
    for position in range(len(whole)):
        edited = bytearray(whole)
        edited[position] ^= bits
        plan_path.write_bytes(edited)
        refusal(lambda: PlanFile(plan_path))


def test_a_plan_with_a_byte_more_or_less_anywhere_is_refused(plan_path: Path) -> None:
    whole = plan_path.read_bytes()
    end_line = whole.rindex(b"\n", 0, -1) + 1
    for position in range(end_line):
        for edited in (whole[:position] + b" " + whole[position:], whole[:position] + whole[position + 1 :]):
            plan_path.write_bytes(edited)
            refusal(lambda: PlanFile(plan_path))


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[:3] + lines[4:],
        lambda lines: [*lines[:4], lines[3], *lines[4:]],
        lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
        lambda lines: [lines[0], *lines],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines, lines[3]],
        lambda lines: [*lines, lines[-2]],
        lambda lines: [*lines, *lines],
        lambda lines: [*lines, b"\n"],
        lambda lines: [*lines, b"{"],
        lambda lines: [*lines[:-1], end_of(lines[:-1]), end_of([*lines[:-1], end_of(lines[:-1])])],
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[-1]],
        lambda lines: [lines[0], lines[-1]],
        lambda lines: [],
        lambda lines: [*lines[:3], b"\n", *lines[3:]],
        lambda lines: [b"{}\n"],
        lambda lines: [b"[]\n", *lines],
        lambda lines: [b"\xff\xfe\n"],
        lambda lines: [b'{"line":"plan","x":' + b"[" * 100_000 + b"\n"],
        lambda lines: [b'"' + b"x" * 1_000_000],
    ],
)
def test_a_plan_whose_lines_were_edited_is_refused(edit: Callable[[list[bytes]], list[bytes]], plan_path: Path) -> None:
    plan_path.write_bytes(b"".join(edit(plan_path.read_bytes().splitlines(keepends=True))))
    assert "not a complete plan" in refusal(lambda: PlanFile(plan_path))


def test_a_preview_that_was_edited_is_refused(plan_path: Path) -> None:
    text = plan_path.read_bytes()
    assert text.count(b'"planned":2') == 1
    plan_path.write_bytes(text.replace(b'"planned":2', b'"planned":1'))
    assert "not a complete plan" in refusal(lambda: PlanFile(plan_path))


def test_a_plan_from_which_any_lines_are_dropped_is_refused(plan_path: Path) -> None:
    lines = plan_path.read_bytes().splitlines(keepends=True)
    for first in range(len(lines)):
        for last in range(first + 1, len(lines) + 1):
            plan_path.write_bytes(b"".join(lines[:first] + lines[last:]))
            assert "not a complete plan" in refusal(lambda: PlanFile(plan_path))


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], *lines],
        lambda lines: [*lines, lines[3]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[-1], *lines[:-1]],
        lambda lines: [*lines[:3], lines[-1], *lines[3:-1]],
        lambda lines: [lines[0].replace(b'"schema":"falcon-bulk/plan/2",', b""), *lines[1:]],
        lambda lines: [lines[0].replace(b'"schema":"falcon-bulk/plan/2"', b'"schema":""'), *lines[1:]],
        lambda lines: [],
    ],
)
def test_lines_out_of_order_are_refused_even_with_their_digest(
    edit: Callable[[list[bytes]], list[bytes]], plan_path: Path
) -> None:
    lines = edit(plan_path.read_bytes().splitlines(keepends=True)[:-1])
    plan_path.write_bytes(b"".join([*lines, end_of(lines)]))
    assert "not a complete plan" in refusal(lambda: PlanFile(plan_path))


def test_a_plan_of_indicators_is_no_plan_file(plan_path: Path) -> None:
    shared = {name: getattr(a_plan(), name) for name in PlanHeader.__struct_fields__}
    plan = IndicatorPlan(**shared, spec=IndicatorSpec(platforms=("windows",), description="Vetted"))
    header = msgspec.json.encode({"line": "plan", "schema": PLAN_SCHEMA, "plan": plan}) + b"\n"
    lines = [header, *plan_path.read_bytes().splitlines(keepends=True)[1:-1]]
    plan_path.write_bytes(b"".join([*lines, end_of(lines)]))
    assert "line 1 was cut" in refusal(lambda: PlanFile(plan_path))


def test_a_file_that_is_replaced_after_it_was_checked_is_noticed(tmp_path: Path, plan_path: Path) -> None:
    file = PlanFile(plan_path)
    saved(tmp_path / "other.plan", an_entry(1), an_entry(3)).replace(plan_path)
    assert "replaced" in refusal(lambda: content(file))
    plan_path.write_bytes(plan_path.read_bytes()[:-20])
    refusal(lambda: content(file))


@pytest.mark.parametrize("name", ["away.plan", "."])
def test_a_plan_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    assert "cannot be read" in refusal(lambda: PlanFile(tmp_path / name))


@pytest.mark.parametrize("version", ["falcon-bulk/plan/1", "falcon-bulk/plan/3", "falcon-bulk/run/1"])
def test_a_plan_of_another_version_is_refused_by_its_name(version: str, plan_path: Path) -> None:
    first, *others = plan_path.read_bytes().splitlines(keepends=True)[:-1]
    edited = [first.replace(b"falcon-bulk/plan/2", version.encode()), *others]
    for lines in (edited, [edited[0].replace(b'"plan":{', b'"plan":{"unknown":[],'), *others], edited[:1]):
        plan_path.write_bytes(b"".join([*lines, end_of(lines)]))
        assert f"another version ({version})" in refusal(lambda: PlanFile(plan_path))


# Whose it is, and how old


def checked(
    path: Path, *, customer: str = "acme", cids: tuple[str, ...] = (CID,), cloud: str = CLOUD, hours: float = 1
) -> None:
    now = MADE + timedelta(hours=hours)
    PlanFile(path).check(customer=customer, cids=cids, cloud=cloud, now=now, max_age=timedelta(hours=24))


def test_a_plan_of_this_tenant_is_taken_until_it_is_a_day_old(plan_path: Path) -> None:
    checked(plan_path)
    checked(plan_path, cids=(OTHER_CID, CID))
    checked(plan_path, hours=24)


def test_a_plan_of_another_cid_is_refused_and_both_are_named(tmp_path: Path, plan_path: Path) -> None:
    message = refusal(lambda: checked(plan_path, cids=(OTHER_CID,)))
    assert CID in message
    assert OTHER_CID in message
    both = saved(tmp_path / "both.plan", plan=a_plan(cids=(CID, OTHER_CID)))
    checked(both, cids=(OTHER_CID, CID))
    refusal(lambda: checked(both))


def test_a_plan_whose_journal_would_lie_elsewhere_is_refused(tmp_path: Path) -> None:
    elsewhere = saved(tmp_path / "elsewhere.plan", plan=a_plan(cid="../../acme", cids=(CID,)))
    assert "../../acme" in refusal(lambda: checked(elsewhere))


def test_a_plan_of_another_cloud_is_refused(plan_path: Path) -> None:
    message = refusal(lambda: checked(plan_path, cloud="https://api.eu-1.crowdstrike.com"))
    assert CLOUD in message
    assert "eu-1" in message


def test_a_plan_that_is_too_old_is_refused_with_its_age(plan_path: Path) -> None:
    assert "24.5 hours" in refusal(lambda: checked(plan_path, hours=24.5))


def test_a_plan_of_another_customer_is_refused_and_both_are_named(plan_path: Path) -> None:
    message = refusal(lambda: checked(plan_path, customer="globex"))
    assert "acme" in message
    assert "globex" in message


def test_a_plan_from_the_future_is_refused_but_for_what_clocks_differ(plan_path: Path) -> None:
    checked(plan_path, hours=-0.08)
    assert "from the future" in refusal(lambda: checked(plan_path, hours=-0.1))


@pytest.mark.parametrize(
    "created",
    [
        "",
        "yesterday",
        "2026-11-17T06:50:00",
        "2026-11-31T06:50:00Z",
        "2026-11-17T06:50:00+14:00",
        "2026-11-17T25:50:00Z",
    ],
)
def test_a_plan_whose_time_cannot_be_read_is_refused(tmp_path: Path, created: str) -> None:
    path = saved(tmp_path / "odd.plan", plan=a_plan(created=created))
    assert "line 1" in refusal(lambda: checked(path))


# Size


@pytest.mark.slow
def test_two_hundred_thousand_alerts_stream_through_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.plan"
    number = 200_000
    tracemalloc.start()
    try:
        with path.open("wb") as file:
            writer = PlanFileWriter(file, a_plan())
            writer.add_action_set(0, ACTION_SETS[0])
            for each in range(number):
                writer.add(an_entry(each))
            effects = (ActionCount(name="update_status", value="closed", alerts=number),)
            writer.finish(msgspec.structs.replace(PREVIEW, selected=number, planned=number, effects=effects))
        assert sum(1 for _ in PlanFile(path).rows()) == number
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 20 * 1024 * 1024
    assert peak < 2 * 1024 * 1024


def test_the_line_that_cannot_be_read_is_named(plan_path: Path) -> None:
    lines = plan_path.read_bytes().splitlines(keepends=True)
    plan_path.write_bytes(b"".join([*lines[:2], b"{}\n", *lines[3:]]))
    assert "line 3 was cut" in refusal(lambda: PlanFile(plan_path))
    plan_path.write_bytes(b"".join(lines[1:]))
    assert "line 1 was cut" in refusal(lambda: PlanFile(plan_path))


# Forged: with a digest of its own


def forged(path: Path, edit: Callable[[list[dict[str, Any]]], None]) -> Path:
    """Write a plan of two alerts, edited line by line and with the digest of what was edited."""
    saved(path, an_entry(1), an_entry(2, action_set=1))
    lines = [json.loads(line) for line in path.read_bytes().splitlines()[:-1]]
    edit(lines)
    data = [json.dumps(line).encode() + b"\n" for line in lines]
    path.write_bytes(b"".join([*data, end_of(data)]))
    return path


def setting(line: int, *keys: str | int, to: object) -> Callable[[list[dict[str, Any]]], None]:
    """Return an edit that sets one value of a line."""

    def edit(lines: list[dict[str, Any]]) -> None:
        place: Any = lines[line]
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to

    return edit


HEADER, FIRST_SET, SECOND_SET, FIRST_ALERT, SECOND_ALERT, SAID = range(6)


def repeat_an_alert(lines: list[dict[str, Any]]) -> None:
    lines.insert(SAID, lines[SECOND_ALERT])
    lines[-1]["preview"] |= {"planned": 3, "selected": 3}
    lines[-1]["preview"]["effects"] = [
        {"name": "update_status", "value": "closed", "alerts": 3},
        {"name": "remove_tag", "value": "true_positive", "alerts": 2},
    ]


def become_a_close_hash_of(*hashes: str) -> Callable[[list[dict[str, Any]]], None]:
    def edit(lines: list[dict[str, Any]]) -> None:
        lines[HEADER]["plan"] |= {"command": "close-hash", "hashes": list(hashes), "selection": f"hash {HASH}"}

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        # what it says of itself
        (setting(SAID, "preview", "planned", to=1), "says 1 alerts and holds 2"),
        (setting(SAID, "preview", "planned", to=431), "says 431 alerts and holds 2"),
        (setting(SAID, "preview", "selected", to=5), "do not add up"),
        (setting(SAID, "preview", "skipped", to={"already": 7}), "do not add up"),
        (setting(SAID, "preview", "skipped", to={"already": -1, "closed": 1}), "do not add up"),
        (setting(SAID, "preview", "held", to={"harmless": 0}), "'harmless' is no reason"),
        (setting(SAID, "preview", "closed", to=2), "says that 2 of its alerts are closed"),
        (setting(SAID, "preview", "effects", to=[]), "something else about what is changed"),
        (setting(SAID, "preview", "effects", 0, "value", to="new"), "something else about what is changed"),
        (
            setting(
                SAID,
                "preview",
                "items",
                to=[{"composite_id": f"{CID}:ind:1:1", "outcome": "held", "reason": "critical"}],
            ),
            "cannot be",
        ),
        (
            setting(SAID, "preview", "items", to=[{"sha256": HASH, "outcome": "skipped", "reason": "already"}]),
            "cannot be",
        ),
        # actions
        (setting(FIRST_SET, "actions", 0, to=["show_in_ui", "false"]), "'show_in_ui' is no action"),
        (setting(FIRST_SET, "actions", 0, to=["delete", "true"]), "'delete' is no action"),
        (setting(FIRST_SET, "actions", 0, to=["update_status", "reopened"]), "has the status 'reopened'"),
        (setting(FIRST_SET, "actions", 0, to=["add_tag", ""]), "value is blank"),
        (setting(FIRST_SET, "actions", 0, to=["add_tag", "x" * 1024]), "under 1,024"),
        (setting(FIRST_SET, "actions", 0, to=["unassign", "false"]), "no value of unassign"),
        (setting(FIRST_SET, "actions", 1, to=["append_comment", "Approved"]), "another comment"),
        (setting(FIRST_SET, "actions", to=[["update_status", "closed"]]), "another comment"),
        (setting(SECOND_SET, "actions", 1, to=["update_status", "closed"]), "contradict each other"),
        (setting(FIRST_SET, "number", to=1), "action set 1 is out of order"),
        (setting(SECOND_SET, "number", to=0), "action set 0 is out of order"),
        # alerts
        (setting(FIRST_ALERT, "alert", 2, to=2), "no action set 2"),
        (setting(FIRST_ALERT, "alert", 2, to=-1), "no action set -1"),
        (setting(FIRST_ALERT, "alert", 2, to=2**80), "no action set"),
        (setting(FIRST_ALERT, "alert", 0, to="../../etc/passwd"), "is no composite id"),
        (setting(FIRST_ALERT, "alert", 0, to=f"{CID}:ind:1:1\u202e"), "is no composite id"),
        (setting(FIRST_ALERT, "alert", 1, to=None), "what was seen of"),
        (setting(FIRST_ALERT, "alert", 1, 7, to=10**40), "what was seen of"),
        (setting(FIRST_ALERT, "alert", 3, to="an-indicator"), "something else than an alert"),
        (setting(FIRST_ALERT, "alert", 0, to=f"{CID}:ind:1:2"), "is there twice"),
        (repeat_an_alert, "is there twice"),
        # the header
        (setting(HEADER, "plan", "undoes", to=RUN), "an undo is made from the journal"),
        (setting(HEADER, "plan", "command", to="undo"), "an undo is made from the journal"),
        (setting(HEADER, "plan", "command", to="allow-hash"), "'allow-hash' makes no plans"),
        (setting(HEADER, "plan", "run_id", to="../../acme"), "is no run id"),
        (setting(HEADER, "plan", "run_id", to="261117aaaaaa"), "not that of its operator and run"),
        (setting(HEADER, "plan", "customer", to="acme 1"), "no customer's name"),
        (setting(HEADER, "plan", "operator", to="ali\u200bce"), "no operator's name"),
        (setting(HEADER, "plan", "operator", to="bob"), "not that of its operator and run"),
        (setting(HEADER, "plan", "machine", to="\x1b[2J"), "is no name"),
        (setting(HEADER, "plan", "version", to="9" * 300), "is no name"),
        (setting(HEADER, "plan", "created", to="soon"), "'soon' is no time"),
        (setting(HEADER, "plan", "cid", to=OTHER_CID), "not the first of its CIDs"),
        (setting(HEADER, "plan", "cids", to=[CID, "*"]), "'*' is no CID"),
        (setting(HEADER, "plan", "overrides", to=["everything"]), "no guardrail 'everything'"),
        (setting(HEADER, "plan", "target", to="hidden"), "'hidden' is no status"),
        (setting(HEADER, "plan", "target", to=""), "has the status 'closed', the plan ''"),
        (setting(HEADER, "plan", "comment", to="Closed"), "not that of its operator and run"),
        # hashes decide what other-hashes holds
        (setting(HEADER, "plan", "hashes", to=[HASH]), "do not go together"),
        (setting(HEADER, "plan", "command", to="close-hash"), "do not go together"),
        (become_a_close_hash_of(HASH, OTHER_HASH), "not those of its selection"),
        (become_a_close_hash_of("a" * 63), "is no SHA256"),
    ],
)
def test_a_forged_plan_with_a_digest_of_its_own_is_refused(
    tmp_path: Path, edit: Callable[[list[dict[str, Any]]], None], said: str
) -> None:
    assert said in refusal(lambda: PlanFile(forged(tmp_path / "forged.plan", edit)))


@pytest.mark.parametrize("edit", [lambda _lines: None, become_a_close_hash_of(HASH)])
def test_a_plan_that_is_what_it_says_is_taken(tmp_path: Path, edit: Callable[[list[dict[str, Any]]], None]) -> None:
    assert PlanFile(forged(tmp_path / "forged.plan", edit)).preview.planned == 2


def test_an_override_counts_only_if_the_plan_was_saved_with_it(tmp_path: Path) -> None:
    plans = [
        PlanFile(saved(tmp_path / f"{name}.plan", plan=a_plan(overrides=overrides)))
        for name, overrides in (("one", ("critical",)), ("two", ("assigned", "case")))
    ]
    check_saved_overrides({"all", "critical", "case"}, plans)
    check_saved_overrides(set(), plans)
    assert "without --override case" in refusal(lambda: check_saved_overrides({"case"}, plans[:1]))
