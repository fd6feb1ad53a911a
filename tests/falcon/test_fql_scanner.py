"""The scanner finds fields whatever is in quotes, and accepts any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.falcon.filter_hints import hints_for_filter
from falcon_bulk.falcon.fql_scanner import clauses, is_balanced, tokens, with_parentheses
from falcon_bulk.model.alert_fields import KNOWN_FIELDS, closest_field, current_name


def fields(fql: str) -> list[str]:
    return [clause.field for clause in clauses(fql)]


@pytest.mark.parametrize(
    ("fql", "expected"),
    [
        ("status:'new'+severity:>=60", ["status", "severity"]),
        ("(a:'x',b.c:!~'y')+d:*'*z*'", ["a", "b.c", "d"]),
        ("a:['x','y:z']+b:null", ["a", "b"]),
        ('a:"x+b:1"+c:true', ["a", "c"]),
        (r"a:'it\'s b:1'+c:1", ["a", "c"]),
        ("a:>2026-01-01T00:00:00Z+b:1", ["a", "b"]),
        ("a:http://host:80/", ["a"]),
        ("a:'x' + b:'y'", ["a", "b"]),
        ("*", []),
        ("", []),
    ],
)
def test_the_fields_are_found(fql: str, expected: list[str]) -> None:
    assert fields(fql) == expected


@given(st.text(), st.sampled_from("'\""))
def test_quoted_text_is_never_taken_for_a_field(text: str, quote: str) -> None:
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    assert fields(f"name:{quote}{escaped}{quote}+status:'new'") == ["name", "status"]


@given(st.text(alphabet="ab:.+,()[]'\"\\ !<>~*\n1", max_size=60))
def test_any_text_is_scanned_completely(text: str) -> None:
    assert "".join(token.text for token in tokens(text)) == text
    assert all(isinstance(said, str) for said in hints_for_filter(text))


@pytest.mark.parametrize(
    ("fql", "expected"),
    [
        ("severity:>=60", ("severity", ">=", "60")),
        ("name:*'a, (b)+c'", ("name", "*", "a, (b)+c")),
        ("status:[ 'new','closed']", ("status", "", "new")),
        ("status:[new,closed]", ("status", "", "new")),
        ("status:", ("status", "", "")),
        ("status:+'new'", ("status", "", "")),
    ],
)
def test_a_clause_has_its_operator_and_its_first_value(fql: str, expected: tuple[str, str, str]) -> None:
    (clause,) = clauses(fql)
    assert clause == expected


@given(st.text(alphabet="a:()'\"\\+,", max_size=30))
def test_parentheses_around_a_balanced_filter_enclose_all_of_it(text: str) -> None:
    if is_balanced(text):
        assert is_balanced(f"({text})+({text})")
        assert not is_balanced(f"({text}")
        assert not is_balanced(f"{text})")


def test_every_behaviour_field_leads_to_a_field_that_alerts_have() -> None:
    for name in ("tactic", "technique", "filename", "sha256", "user_name", "cmdline", "timestamp", "ioc_value"):
        assert current_name(f"behaviors.{name}") == name
        assert name in KNOWN_FIELDS
    assert current_name("tactic") is None
    assert current_name("behaviors.nonsense") == ""


@pytest.mark.parametrize(
    ("typed", "meant"), [("hostnme", "hostname"), ("platform_name", "device.platform_name"), ("zzzzzz", "")]
)
def test_a_similar_field_is_suggested(typed: str, meant: str) -> None:
    assert closest_field(typed) == meant


@pytest.mark.parametrize(
    ("fql", "reading"),
    [
        ("a:1+b:2,c:3", "(a:1+b:2),c:3"),
        ("a:1,b:2+c:3", "a:1,(b:2+c:3)"),
        ("a:1+(b:2,c:3+d:4)", "a:1+(b:2,(c:3+d:4))"),
        ("a:1+(b:2,c:3)", "a:1+(b:2,c:3)"),
        ("a:['x','y']+b:2", "a:['x','y']+b:2"),
        ("a:'x+y',b:2", "a:'x+y',b:2"),
        ("a:1,b:2", "a:1,b:2"),
        ("", ""),
    ],
)
def test_a_mix_of_and_and_or_is_shown_with_its_parentheses(fql: str, reading: str) -> None:
    assert with_parentheses(fql) == reading


@pytest.mark.parametrize(
    ("fql", "hint"),
    [
        ("status:'new' OR status:'reopened'", "OR is no operator of FQL"),
        ("status:'new' and severity:>50", "and is no operator of FQL"),
        ("status:\u2018new\u2019", "curly quotes"),
        ("created_timestamp:>'Last 7 days'", "use created_timestamp:>'now-7d', or --since 7d"),
        ("status:'new',status:'reopened'+severity:>50", "It will be read as: status:'new',(status:'reopened'+sev"),
    ],
)
def test_what_is_no_fql_gets_the_hint_that_helps(fql: str, hint: str) -> None:
    assert hint in " ".join(hints_for_filter(fql))


@pytest.mark.parametrize("fql", ["name:'this OR that'", "name:'\u201cx\u201d'", "(a:1+b:2),c:3"])
def test_quoted_texts_and_parentheses_get_no_hint(fql: str) -> None:
    assert not [hint for hint in hints_for_filter(fql) if "operator" in hint or "curly" in hint or "mixed" in hint]
