"""Only checked values get into a filter, and what is put together means what was asked for."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.falcon.fql import (
    HOST_FIELDS,
    MAX_TERMS,
    RESERVED_TERMS,
    all_of,
    any_of,
    base_filter,
    check_filter,
    check_host,
    check_name,
    check_word,
    equals_any,
    hash_clauses,
    hash_groups,
    host_fields,
    is_instant,
)
from falcon_bulk.falcon.fql_scanner import count_terms
from falcon_bulk.model.hashes import check_sha256
from falcon_bulk.model.selection import Selection
from falcon_bulk.model.vocabulary import SEVERITY_NAMES

A, B = "a" * 64, "b" * 64

INJECTIONS = [
    "x'+platform_name:'Linux",
    "x',platform_name:'Linux",
    "x')+(status:'new",
    "x'",
    '"',
    "x\\",
    "x\n",
    "x\x00",
    "x\x85",
    "\ud800",
    "",
    " ",
    "*",
    "**",
]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("check", [check_host, check_name, lambda value: check_word(value, "product"), check_sha256])
def test_a_value_that_would_leave_its_quotes_or_match_all_is_a_usage_error(check: Any, value: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        check(value)
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "value", [A[:-1], A + "a", A + "\n", " " + A, "g" * 64, "0x" + A[2:], "sha256:" + A, "Ａ" * 64]
)
def test_a_hash_is_exactly_64_hex_digits(value: str) -> None:
    with pytest.raises(UsageProblem):
        check_sha256(value)


def test_a_hash_is_lower_cased_as_falcon_stores_it() -> None:
    assert check_sha256("ABCDEF" + "0" * 58) == "abcdef" + "0" * 58


@pytest.mark.parametrize("host", ["ACME-WKS-0142", "srv01.acme.example", "ACME-*", "*-DC?"[:-1], "a_b", "10.0.0.7"])
def test_host_names_and_globs_are_accepted(host: str) -> None:
    assert check_host(host) == host


@pytest.mark.parametrize("name", ["Suspicious activity", "*(macro)*", "C++ build, odd: one", "Überwachung", "+", "a:b"])
def test_names_may_have_all_that_stays_within_quotes(name: str) -> None:
    assert check_name(name) == name


def _passes(check: Any, value: str) -> bool:
    try:
        check(value)
    except UsageProblem:
        return False
    return True


@given(st.text())
def test_what_passes_as_a_value_never_ends_its_quotes_and_can_be_sent(value: str) -> None:
    for check in (check_host, check_name, lambda value: check_word(value, "product")):
        if _passes(check, value):
            assert not set(value) & set("'\"\\\n\r\t\0")
            value.encode()


# A raw filter


@pytest.mark.parametrize(
    "value",
    [
        "status:'new'",
        "status:'new'+(product:'epp',product:'xdr')",
        "name:'a (b'",
        "name:'it\\'s'",
        'name:"a\'b"',
        "cmdline:*'*\\\\temp*'",
    ],
)
def test_a_filter_with_matching_quotes_and_parentheses_is_accepted_unchanged(value: str) -> None:
    assert check_filter(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "status:'new",
        'status:"new',
        "status:'new')",
        ")+(status:'new'",
        "status:'new'),(product:'epp'",
        "(status:'new'",
        "name:'a\\'",
        "a:'x'+')",
        "name:'\udcff'",
    ],
)
def test_a_filter_that_would_escape_its_parentheses_is_refused(value: str) -> None:
    with pytest.raises(UsageProblem):
        check_filter(value)


fql_pieces = st.lists(st.sampled_from(["'", '"', "\\", "(", ")", "a", ":", "+", ",", "*"]), max_size=14).map("".join)


@given(fql_pieces, fql_pieces)
def test_parentheses_around_a_filter_close_at_its_end_and_not_before(value: str, more: str) -> None:
    if not _passes(check_filter, value):
        return
    whole = f"({value})+x:'{_harmless(more)}'"
    assert _closing_parenthesis(whole) == len(value) + 1


def _harmless(text: str) -> str:
    return re.sub(r"['\"\\]", "", text)


def _closing_parenthesis(text: str) -> int:
    """Where the parenthesis that opens the text closes, by a lexer of the test's own."""
    tokens = re.finditer(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[()]", text, re.DOTALL)
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0:
            return token.start()
    return -1


# Putting parts together


def test_an_empty_selection_or_a_lone_star_gives_no_filter() -> None:
    assert base_filter(Selection()) == ""
    assert base_filter(Selection(filter=" * ")) == ""


def test_an_or_is_put_in_parentheses_before_it_is_anded() -> None:
    selection = Selection(
        filter="a:'1',b:'2'",
        products=("epp", "xdr"),
        statuses=("new",),
        since="2026-11-01T00:00:00Z",
        visible_only=True,
    )
    assert base_filter(selection) == (
        "(a:'1',b:'2')+product:['epp','xdr']+status:'new'+created_timestamp:>='2026-11-01T00:00:00Z'+show_in_ui:!false"
    )


def test_lists_of_hosts_are_asked_for_whole_names_alone() -> None:
    assert host_fields("ACME-*") == HOST_FIELDS
    assert host_fields("ACME-1") == (*HOST_FIELDS, "host_names", "source_hosts")


def test_a_host_is_searched_in_all_fields_that_may_hold_it() -> None:
    clause = base_filter(Selection(host="ACME-*"))
    assert clause == "(" + ",".join(f"{field}:'ACME-*'" for field in HOST_FIELDS) + ")"


def test_until_is_exclusive() -> None:
    assert base_filter(Selection(until="2026-11-01T00:00:00Z")) == "created_timestamp:<'2026-11-01T00:00:00Z'"


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("Critical", "severity:>=80"),
        ("High", "severity:>=60+severity:<80"),
        ("Informational", "severity:>=0+severity:<20"),
    ],
)
def test_a_severity_is_its_name_or_without_a_name_its_band(name: str, band: str) -> None:
    assert base_filter(Selection(severities=(name,))) == f"(severity_name:'{name}',(severity_name:!'*'+{band}))"


def test_blank_parts_are_left_out() -> None:
    assert all_of(["", "a:'1'", ""]) == "a:'1'"
    assert any_of(["a:'1'"]) == "a:'1'"
    assert any_of(["a:'1'", "b:'2'"]) == "(a:'1',b:'2')"
    assert equals_any("a", ["1"]) == "a:'1'"
    assert equals_any("a", ["1", "2"]) == "a:['1','2']"


def test_a_hash_is_searched_in_the_fields_of_own_hashes() -> None:
    assert list(hash_clauses([A, B]).values()) == [
        f"sha256:['{A}','{B}']",
        f"entities.sha256:['{A}','{B}']",
        f"ioc_value:['{A}','{B}']",
    ]


selections = st.builds(
    Selection,
    hashes=st.lists(st.integers(0, 10**6), min_size=1, max_size=70, unique=True).map(
        lambda numbers: tuple(f"{number:064x}" for number in numbers)
    ),
    severities=st.lists(st.sampled_from(SEVERITY_NAMES), max_size=2, unique=True).map(tuple),
    host=st.sampled_from(["", "ACME-*"]),
    statuses=st.sampled_from([(), ("new", "closed")]),
)


@given(selections)
def test_groups_of_hashes_hold_each_hash_once_and_keep_to_the_limit_of_terms(selection: Selection) -> None:
    base = base_filter(selection)
    groups = hash_groups(base, selection.hashes)
    assert tuple(digest for group in groups for digest in group) == selection.hashes
    for group in groups:
        asked = all_of([base, any_of(hash_clauses(group).values())])
        assert count_terms(asked) == count_terms(base) + 3 * len(group)
        assert count_terms(asked) + RESERVED_TERMS <= MAX_TERMS


@pytest.mark.parametrize(
    ("fql", "number"),
    [
        ("", 0),
        ("status:'new'", 1),
        ("created_timestamp:>='2026-11-01T00:00:00Z'+name:'a:b,[c:d]'", 2),
        ("(product:['epp','xdr','idp'],status:'new')+severity:>=60", 5),
        ("name:'it\\'s: a'+filename:\"C:\\\\x\"", 2),
    ],
)
def test_terms_are_counted_by_value_and_not_in_quoted_text(fql: str, number: int) -> None:
    assert count_terms(fql) == number


@pytest.mark.parametrize("most", [15, 16, 18, 30])
def test_a_filter_that_leaves_hashes_no_room_has_no_groups(most: int) -> None:
    base = all_of(f"f{number}:'x'" for number in range(most))
    assert bool(hash_groups(base, (A, B))) == (most + 3 + RESERVED_TERMS <= MAX_TERMS)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("2026-11-24T06:00:00Z", True),
        ("2026-11-24T06:00:00.123456789Z", True),
        *[(f"2026-11-24T06:00:00Z{value}", not value) for value in INJECTIONS],
        ("2026-11-24T06:00:00Z\n", False),
        ("٢٠٢٦-11-24T06:00:00Z", False),
        ("2026-11-24", False),
        ("", False),
    ],
)
def test_only_a_time_in_utc_is_one_that_may_go_into_a_filter(value: str, is_one: bool) -> None:
    assert is_instant(value) is is_one
