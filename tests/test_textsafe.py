"""Foreign text never reaches a terminal, a spreadsheet or a Markdown page as anything but text."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.textsafe import csv_cell, falcon_link, markdown_cell, printable, safe_json

ANY_CHARACTER = st.characters(exclude_categories=())  # lone surrogates too
NASTY_TEXT = st.lists(
    st.one_of(
        st.sampled_from("\x00\a\b\t\n\r\x1b\x7f\x85\x9b\xad\u061c\u200b\u200f\u2028\u2029\u202e\u2066\ufeff"),
        st.sampled_from("\ud800\udfff\U000e0041\u3164\u034f\ufe0f=+-@＝＋－＠|`*_[]<>&~!#\\ \u3000"),
        ANY_CHARACTER,
    )
).map("".join)


def is_seen(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in "\u3164\u034f\ufe0f"


@given(NASTY_TEXT)
def test_no_invisible_character_survives(text: str) -> None:
    assert all(map(is_seen, printable(text)))


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\u115f\u1160\u3164\uffa0")))
def test_visible_text_stays_unchanged(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil\x1b[31m.exe", r"evil\x1b[31m.exe"),
        ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
        ("two\nlines\tand\r", r"two\nlines\tand\r"),
        ("\x7f\x9b2J", r"\x7f\x9b2J"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\udc80", r"\udc80"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("blank\u3164letter", r"blank\u3164letter"),
        (r"C:\Windows\x64", r"C:\Windows\x64"),
        ("請求書\u3000é 🦅", "請求書\u3000é 🦅"),
    ],
)
def test_invisible_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(NASTY_TEXT)
def test_a_csv_cell_never_starts_like_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert unicodedata.normalize("NFKC", cell.lstrip()[:1]) not in ("=", "+", "-", "@")
    assert all(map(is_seen, cell))


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "＝", "＋", "－", "＠", " =", "\u3000@", "\t", "\r", "\t=", "\n="]
)
def test_a_formula_in_a_csv_cell_is_prefixed(start: str) -> None:
    assert csv_cell(f"{start}1+1") == "'" + printable(f"{start}1+1")


@pytest.mark.parametrize("harmless", ["", "a=1", "svchost.exe", "'", "1-2", "https://acme.example"])
def test_a_harmless_csv_cell_stays_as_it_is(harmless: str) -> None:
    assert csv_cell(harmless) == harmless


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a|b", r"a\|b"),
        ("`x` *y* _z_ ~~s~~", r"\`x\` \*y\* \_z\_ \~\~s\~\~"),
        ("![i](u) <b> &amp; #1", r"\!\[i\](u) \<b\> \&amp; \#1"),
        ("line\nbreak", r"line\\nbreak"),
        ("http://acme.example", r"http\[:\]/\/acme\.example"),
        ("www.acme.example", r"www\[.\]acme\.example"),
        ("user@acme.example", r"user\[@\]acme\.example"),
        ("2026-11-17T06:50:00.123Z", "2026-11-17T06:50:00.123Z"),
    ],
)
def test_markdown_syntax_is_escaped_and_addresses_are_defanged(text: str, source: str) -> None:
    assert markdown_cell(text) == source


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), NASTY_TEXT),
    lambda inner: st.lists(inner) | st.dictionaries(NASTY_TEXT, inner),
    max_leaves=10,
)


@given(JSON_VALUES, st.sampled_from([None, 2, "\t"]))
def test_safe_json_decodes_to_the_same_value_and_hides_nothing(value: object, indent: int | str | None) -> None:
    safe = safe_json(json.dumps(value, ensure_ascii=False, indent=indent))
    assert json.loads(safe) == json.loads(json.dumps(value))
    assert all(is_seen(char) or char in "\n\t" for char in safe)


def test_a_carriage_return_between_json_values_becomes_a_space() -> None:
    assert safe_json('[1,\r\n2,"\x7f"]') == '[1, \n2,"\\u007f"]'


@pytest.mark.parametrize(
    "url",
    [
        "https://falcon.crowdstrike.com/activity-v2/detections/a:b?_cid=c",
        "https://falcon.us-2.crowdstrike.com/x",
        "https://falcon.us-3.crowdstrike.com/",
        "https://falcon.eu-1.crowdstrike.com",
        "https://falcon.laggar.gcw.crowdstrike.com/x#y",
        "https://falcon.us-gov-2.crowdstrike.mil/x",
    ],
)
def test_a_link_to_a_falcon_console_is_kept(url: str) -> None:
    assert falcon_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        ["https://falcon.crowdstrike.com/"],
        "",
        "http://falcon.crowdstrike.com/",
        "https://falcon.crowdstrike.com.evil.example/",
        "https://falcon.crowdstrike.com@evil.example/",
        "https://falcon.crowdstrike.com:8443/",
        "https://falconXcrowdstrike.com/",
        "https://evil.example/https://falcon.crowdstrike.com/",
        "javascript:alert('https://falcon.crowdstrike.com/')",
        "https://falcon.crowdstrike.com/ x",
        "https://falcon.crowdstrike.com/x\n",
        "https://falcon.crowdstrike.com/\u202e",
        'https://falcon.crowdstrike.com/"onclick="x',
        "https://falcon.crowdstrike.com/><script>",
        "https://falcon.crowdstrike.com/](http://evil.example)",
        "https://falcon.crowdstrike.com\\@evil.example/",
    ],
)
def test_any_other_link_is_dropped(url: object) -> None:
    assert falcon_link(url) == ""
