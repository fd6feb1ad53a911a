"""Alerts as sheets, and their documents as they came."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from falcon_bulk.report.alerts import (
    alert_sheet,
    field_sheet,
    project,
    write_json,
    write_jsonl,
)
from falcon_bulk.report.sheet import Cell
from tests.support.report_builders import LINK, SHA256, a_document, an_alert


def cells(number: int = 1, *, details: bool = False, **fields: Any) -> dict[str, Cell]:
    sheet = alert_sheet([an_alert(number, **fields)], details)
    (row,) = sheet.rows
    return dict(zip((column.title for column in sheet.columns), row, strict=True))


def test_an_alert_that_lacks_everything_has_empty_cells() -> None:
    absent: dict[str, Any] = dict.fromkeys(
        ("created_timestamp", "severity", "severity_name", "status", "product", "type", "name", "device"),
        None,
    ) | dict.fromkeys(("filename", "sha256", "assigned_to_name"), None)
    values = list(cells(**absent).values())
    assert values[0]
    assert not any(values[1:])


def test_a_hash_in_another_place_of_its_own_is_shown_too() -> None:
    assert cells(sha256=None, entities={"sha256": [SHA256.upper()]})["sha256"] == SHA256


def test_a_severity_without_a_name_is_named_by_its_number() -> None:
    assert cells(severity=85, severity_name=None)["severity_name"] == "Critical"


def test_details_add_what_an_analyst_judges_by() -> None:
    shown = cells(details=True)
    assert shown["tactic"] == "Execution"
    assert shown["tags"] == "pilot, triage"
    assert shown["falcon_host_link"] == LINK
    assert cells(details=True, falcon_host_link="https://evil.example/")["falcon_host_link"] == ""


def test_alerts_are_taken_one_by_one() -> None:
    taken: list[int] = []

    def alerts() -> Iterator[object]:
        for number in range(3):
            taken.append(number)
            yield an_alert(number)

    rows = iter(alert_sheet(alerts(), details=False).rows)  # type: ignore[arg-type]
    next(rows)
    assert taken == [0]


DOCUMENT = json.dumps(
    {
        "a": {"b": {"c": "deep"}},
        "list": ["x", "y"],
        "objects": [{"n": 1, "m": ["p"]}, {"n": 2}, {"m": ["q", "r"]}, "no object"],
        "number": 1234567,
        "float": 1.5,
        "flag": True,
        "nothing": None,
        "empty": [],
    }
).encode()


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("a.b.c", "deep", "deep"),
        ("a.b", '{"c":"deep"}', {"c": "deep"}),
        ("list", "x, y", ["x", "y"]),
        ("objects.n", "1, 2", [1, 2]),
        ("objects.m", "p, q, r", ["p", "q", "r"]),
        ("number", "1234567", 1234567),
        ("float", "1.5", 1.5),
        ("flag", "true", True),
        ("nothing", None, None),
        ("missing", None, None),
        ("list.x", None, None),
        ("a.x.c", None, None),
        ("number.x", None, None),
        ("empty", "", []),
        ("", None, None),
    ],
)
def test_a_dot_path_leads_through_objects_and_lists(field: str, cell: Cell, value: object) -> None:
    (row,) = field_sheet([DOCUMENT], (field,)).rows
    assert list(row) == [cell]
    assert json.loads(project(DOCUMENT, (field,))) == {field: value}


def test_projected_fields_keep_the_given_order() -> None:
    assert project(DOCUMENT, ("number", "a.b.c", "missing")) == b'{"number":1234567,"a.b.c":"deep","missing":null}'


RAW = b'{ "composite_id":"x", "n":1.10, "u":"\\u00e9\xc3\xa9\xe2\x80\xae\x7f" }'


def test_jsonl_is_byte_for_byte_one_document_a_line() -> None:
    stream = io.BytesIO()
    write_jsonl([RAW, a_document()], stream, terminal=False)
    assert stream.getvalue() == RAW + b"\n" + a_document() + b"\n"


def test_a_document_with_line_breaks_still_takes_one_line() -> None:
    stream = io.BytesIO()
    write_jsonl([b'{\r\n "a": 1\n}'], stream, terminal=False)
    assert stream.getvalue().count(b"\n") == 1
    assert json.loads(stream.getvalue()) == {"a": 1}


def test_json_is_one_array_of_the_same_documents() -> None:
    stream = io.BytesIO()
    write_json(iter([RAW, RAW]), stream, terminal=False)
    assert stream.getvalue().count(RAW) == 2
    assert json.loads(stream.getvalue()) == [json.loads(RAW)] * 2


def test_no_documents_are_an_empty_array_and_no_lines() -> None:
    array, lines = io.BytesIO(), io.BytesIO()
    write_json([], array, terminal=False)
    write_jsonl([], lines, terminal=False)
    assert json.loads(array.getvalue()) == []
    assert lines.getvalue() == b""


def test_on_a_terminal_unseen_characters_are_escaped_and_the_value_stays() -> None:
    array, lines = io.BytesIO(), io.BytesIO()
    write_json([RAW], array, terminal=True)
    write_jsonl([RAW], lines, terminal=True)
    for stream in (array, lines):
        assert b"\\u202e\\u007f" in stream.getvalue()
        assert "\u202e" not in stream.getvalue().decode()
    assert json.loads(array.getvalue()) == [json.loads(lines.getvalue())] == [json.loads(RAW)]


def test_an_array_that_breaks_off_is_not_closed() -> None:
    def documents() -> Iterator[bytes]:
        yield RAW
        raise ConnectionError

    stream = io.BytesIO()
    with pytest.raises(ConnectionError):
        write_json(documents(), stream, terminal=False)
    assert stream.getvalue() == b"[\n" + RAW
