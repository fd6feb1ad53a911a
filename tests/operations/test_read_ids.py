"""Composite ids from a file: text, CSV, JSON or a run; nothing is skipped silently."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.operations.inputs.ids_file import IdList, read_id_list
from tests.support.plan_builders import CID

A, B = f"{CID}:ind:0123456789abcdef0123456789abcdef:12-10304-7", f"{CID}:ngsiem:{CID}:{'f' * 32}"

# One of each shape that products give.
SHAPES = [
    A,
    B,
    f"{CID}:ind:{CID}:6A1B2C3D-0000-4000-8000-0123456789AB",
    f"{CID}:ods:{CID}:{'e' * 32}",
    f"{CID}:ind:{CID}:1700000000|12345",
    f"{CID}:ind:{CID}:xdr|1-2-3",
    f"{CID}:fcs:ioa-211:6a1b2c3d-0000-4000-8000-0123456789ab",
    f"{CID}:automated-lead:{CID}:{'d' * 64}",
]


def listed(content: str | bytes, name: str = "ids.txt") -> IdList:
    return read_id_list(BytesIO(content.encode() if isinstance(content, str) else content), name)


def ids(content: str | bytes, name: str = "ids.txt") -> list[str]:
    return list(listed(content, name).ids)


def refusal(content: str | bytes, name: str = "ids.txt") -> UsageProblem:
    with pytest.raises(UsageProblem) as caught:
        ids(content, name)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


# Text


def test_text_has_an_id_per_line_in_its_order_with_repetitions() -> None:
    assert ids("\n".join([*SHAPES, SHAPES[0]]) + "\n") == [*SHAPES, SHAPES[0]]


def test_text_may_have_comments_blank_lines_spaces_a_bom_and_windows_line_endings() -> None:
    assert ids(f"\ufeff# to close\r\n\r\n  {A}  # known\r\n\t{B}\r\n#{A}") == [A, B]


@pytest.mark.parametrize(
    "line",
    ["nonsense", "a" * 64, f"{A} is {B}", f"{A};new", f"lead_id: {A}", ":ind:1", "a::b", f"{CID}:ind:", "é:ind:1"],
)
def test_a_line_without_an_id_is_an_error_with_its_number(line: str) -> None:
    problem = refusal(f"{A}\n\n# fine\n{line}\n", "to-close.txt")
    assert "line 4 of to-close.txt" in problem.message


@pytest.mark.parametrize(
    "content",
    [
        f"{A} {B}",
        f"{A},{B}",
        f'"{A}";"{B}"',
        f'"{A}",\n"{B}",',
        f"['{A}', '{B}']",
        f"[{A}, {B}]",
        f"- {A}\n- {B}",
        f"1. {A}\n2. <{B}>",
        f"composite_id: {A}\ncomposite_id: {B}",
        f"composite_id : {A}\n\ncomposite_id : {B}\n",
        f"{A}\u200b\n\ufeff{B}\u00a0\n",
        f"https://falcon.crowdstrike.com/unified-detections/{A}?_cid=x  # known\n{B}",
    ],
)
def test_ids_of_a_line_may_be_separated_quoted_and_listed(content: str) -> None:
    assert ids(content) == [A, B]


def test_a_line_that_is_too_long_is_shown_cut() -> None:
    problem = refusal(A + "x" * 600)
    assert len(problem.message) < 200


@pytest.mark.parametrize(
    "content", ["", "\n\n", "# nothing\n", "[]", "{}", '{"alerts": []}', "composite_id\n", b"\xff\xfe\x00", b"\x00"]
)
def test_a_file_without_ids_or_text_is_refused(content: str | bytes) -> None:
    refusal(content)


# CSV


def test_the_column_of_a_csv_may_be_anywhere() -> None:
    assert ids(f'status,composite_id,name\nnew,{A},"a, ""b""\nnext line"\nnew, {B} ,c\n') == [A, B]


def test_the_csv_of_a_query_is_read_with_its_bom_and_line_endings() -> None:
    assert ids(f"\ufeffcomposite_id,status\r\n{A},new\r\n") == [A]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (f"composite_ids,status\n{A},new\n", "no column"),
        (f"composite_id,status\n{A},new\nnonsense,new\n", "line 3"),
        (f"composite_id,status\n{A},new\n,closed\n", "line 3"),
        (f"status,composite_id\nnew,{A}\nnew\n", "line 3"),
        (f"composite_id,name\n{A},{'x' * 200_000}\n", "CSV"),
    ],
)
def test_an_incomplete_csv_is_refused_with_its_line(content: str, problem: str) -> None:
    assert problem in refusal(content).message


# JSON


@pytest.mark.parametrize(
    "document",
    [
        [A, B],
        [[A], [B]],
        [{"composite_id": A, "status": "new"}, {"composite_id": B}],
        {"alerts": [{"composite_id": A}, {"composite_id": B}]},
        [{"alerts": [{"composite_id": A}]}, {"alerts": [{"composite_id": B}]}],
    ],
)
def test_json_may_be_a_list_of_ids_of_alerts_or_a_run(document: Any) -> None:
    assert ids(json.dumps(document)) == [A, B]
    assert ids(json.dumps(document, indent=2)) == [A, B]


def test_json_lines_of_a_query_are_read() -> None:
    assert ids(f'{{"composite_id": "{A}", "status": "new"}}\n\n{{"composite_id": "{B}"}}\n') == [A, B]


def test_of_a_run_the_alerts_with_an_open_outcome_are_read() -> None:
    outcomes = ["changed", "failed", "drifted", "unknown", "not_sent"]
    alerts = [{"composite_id": f"{CID}:ind:1:{outcome}", "outcome": outcome} for outcome in outcomes]
    report = {"schema": "falcon-bulk/run/1", "run_id": "x", "alerts": alerts}
    assert [composite_id.rpartition(":")[2] for composite_id in ids(json.dumps(report))] == [
        "failed",
        "unknown",
        "not_sent",
    ]


@pytest.mark.parametrize(
    "document",
    [
        [A, 7],
        [A, None],
        [A, True],
        [A, ""],
        [A, {}],
        [A, {"id": B}],
        [{"composite_id": A}, {"composite_id": None}],
        [{"composite_id": A}, {"composite_id": 7}],
        [{"composite_id": A}, {"composite_id": [B]}],
        {"alerts": [{"composite_id": A}, {"outcome": "failed"}]},
        {"customer": "acme", "alert": {"composite_id": A}},
    ],
)
def test_anything_in_json_that_is_not_an_id_is_refused_and_not_skipped(document: Any) -> None:
    assert "not a composite id" in refusal(json.dumps(document)).message


@pytest.mark.parametrize("content", ['["' + A, f'["{A}"] x', f'{{"composite_id": "{A}"', "[" * 100_000])
def test_incomplete_json_is_refused(content: str) -> None:
    assert "not valid JSON" in refusal(content).message


# As tools write them


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"meta": {}, "errors": [], "resources": [A, B]}),
        json.dumps({"status_code": 200, "headers": {}, "body": {"resources": [A, B]}}),
        json.dumps({"results": [{"composite_id": A}, {"composite_id": B}], "pagination": {"total": 2}}),
        json.dumps({"composite_ids": [A, B]}),
        json.dumps([{"composite_id": A, "outcome": "blocked"}, {"composite_id": B}]),
        json.dumps([{"falcon_host_link": f"https://falcon.crowdstrike.com/activity-v2/detections/{A}?_cid=x"}, B]),
        f"composite_id;status\r\n{A};new\r\n{B};new\r\n",
        f"status\tcomposite_id\nnew\t{A}\nnew\t{B}\n",
        f"sep=;\nComposite ID;Status\n{A};new\n{B};new\n",
        f'#TYPE System.Object\n"composite_id","status"\n"{A}","new"\n"{B}","new"\n',
        f"composite_id,outcome\n{A},blocked\n{B},\n",
        f"# composite_id of what was looked at\n{A}\n{B}\n",
        f"composite_id\n------------\n{A}\n{B}\n",
        f"| composite_id | status |\n|---|:-:|\n| {A} | new |\n| {B} | new |\n",
        f"Vendor.CompositeId,event.Status\n{A},new\n{B},new\n",
        f'composite_id,name\n="{A}",x\n="{B}",y\n',
        f"composite_id,status\n{A},new\ncomposite_id,status\n{B},new\n",
        f'{{\n "composite_id": "{A}"\n}}\n{{\n "composite_id": "{B}"\n}}\n',
        json.dumps({"hits": {"hits": [{"_source": {"composite_id": A}}, {"_source": {"composite_id": B}}]}}),
        "".join(json.dumps({"event": {"CompositeId": one, "Severity": 3}}) + "\n" for one in (A, B)),
        f"https://falcon.us-2.crowdstrike.com/activity-v2/detections/{A}?_cid=abc\n{B}\n",
        f"Pr\xfcfer;composite_id\nx;{A}\ny;{B}".encode("cp1252"),
    ],
)
def test_ids_are_read_as_other_tools_write_them(content: str | bytes) -> None:
    assert ids(content) == [A, B]


def test_a_run_gives_the_same_ids_as_csv_and_as_json_and_counts_the_others() -> None:
    rows = [(A, "changed"), (B, "failed")]
    header = "outcome,composite_id,status before,assigned before,tags before,reason\n"
    as_csv = header + "".join(f"{outcome},{one},new,,,\n" for one, outcome in rows)
    alerts = [{"composite_id": one, "outcome": outcome} for one, outcome in rows]
    as_json = json.dumps({"schema": "falcon-bulk/run/1", "alerts": alerts})
    assert listed(as_csv) == listed(as_json) == ((B,), 1)


@pytest.mark.parametrize(
    "content",
    [
        f"name,lead_composite_id\nx,{A}\n",
        f"name,composite_id\nAcme, Inc,{A}\n",
        f"Alerts of Monday,\ncomposite_id,name\n{A},x\n",
        json.dumps([{"lead_composite_id": A}]),
    ],
)
def test_a_table_that_does_not_say_which_is_the_id_is_refused(content: str) -> None:
    refusal(content)


@pytest.mark.parametrize("value", ["12:30:45", "aa:bb:cc:dd", "2001:db8::1", f"ldt:{CID}:7", f"aggind:{CID}:7"])
def test_what_has_colons_is_not_an_id_for_that(value: str) -> None:
    assert "not a composite id" in refusal(value).message


# Whatever it is


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_gives_ids_or_a_refusal(data: bytes) -> None:
    try:
        found = ids(data, "any")
    except UsageProblem:
        return
    assert found
    assert all(value.count(":") >= 2 and not set(value) & set(" \t\r\n") for value in found)


@given(st.lists(st.sampled_from(SHAPES), min_size=1))
def test_all_formats_give_the_same_ids(wanted: list[str]) -> None:
    as_csv = "composite_id,x\n" + "".join(f"{composite_id},1\n" for composite_id in wanted)
    as_jsonl = "".join(json.dumps({"composite_id": composite_id}) + "\n" for composite_id in wanted)
    for content in ("\n".join(wanted), as_csv, json.dumps(wanted), as_jsonl):
        assert ids(content) == wanted


OTHERS = [
    "a1" * 32,
    "d4" * 16,
    f"ldt:{CID}:7",
    f"indicator--{CID}",
    "seen at night",
    "setup.exe",
    "12:30:45",
    f"{CID}:7",
]
WRITERS = {
    "text": lambda values: "# of Monday\n" + "".join(f"{value}\n" for value in values),
    "list": lambda values: "".join(f"- {value}\n" for value in values),
    "commas": lambda values: ", ".join(values),
    "csv": lambda values: "name,composite_id\n" + "".join(f'"x, y",{value}\n' for value in values),
    "semicolons": lambda values: "sep=;\nComposite ID;x\n" + "".join(f"{value};1\n" for value in values),
    "json": lambda values: json.dumps(
        {"resources": [{"composite_id": value, "sha256": "a1" * 32} for value in values]}
    ),
    "lines": lambda values: "".join(json.dumps({"CompositeId": value}) + "\n" for value in values),
    "strings": lambda values: json.dumps(values),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@given(values=st.lists(st.sampled_from(SHAPES) | st.sampled_from(OTHERS), min_size=1, max_size=6))
def test_exactly_the_ids_are_taken_or_the_file_is_refused(writer: str, encoding: str, values: list[str]) -> None:
    try:
        found = ids(WRITERS[writer](values).encode(encoding))
    except UsageProblem:
        found = []
    assert found == (values if set(values) <= set(SHAPES) else [])


def test_a_broken_line_of_json_lines_is_quoted() -> None:
    assert "Line 2 of " in refusal('{"composite_id": "a:ind:b"}\n{"composite_id"\n').message
    assert "line 2 column" in refusal('["a:ind:b",\n}').message
