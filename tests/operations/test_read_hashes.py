"""SHA256 hashes from a file: text, CSV, JSON or a hash summary; nothing is skipped silently."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import ExitCode, UsageProblem
from falcon_bulk.operations.inputs import hash_file as hashfile
from falcon_bulk.operations.inputs import input_text
from falcon_bulk.operations.inputs.hash_file import read_hash_list

A, B, C = "a1" * 32, "b2" * 32, "c3" * 32
MD5, SHA1 = "d4" * 16, "e5" * 20


def hashes(content: str | bytes, name: str = "bad.txt") -> list[str]:
    return list(read_hash_list(BytesIO(content.encode() if isinstance(content, str) else content), name).hashes)


def refusal(content: str | bytes, name: str = "bad.txt") -> str:
    with pytest.raises(UsageProblem) as caught:
        hashes(content, name)
    assert caught.value.exit_code == ExitCode.USAGE
    assert len(caught.value.message) < 400
    return caught.value.message


# Text


def test_text_has_hashes_in_its_order_with_repetitions() -> None:
    assert hashes(f"{A}\n{B}\n{A}\n") == [A, B, A]


def test_text_may_have_comments_blank_lines_a_bom_upper_case_and_any_line_endings() -> None:
    assert hashes(f"\ufeff# from the case\r\n\r\n  {A.upper()}  # known\r{B}\r\n#{C}") == [A, B]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "content", [f"{A}\r\n{B}\r\n", f'"host","sha256"\r\n"a","{A}"\r\n"b","{B}"', json.dumps([A, B])]
)
def test_a_file_written_by_windows_powershell_is_read(content: str, encoding: str) -> None:
    assert hashes(f"\ufeff{content}".encode(encoding)) == [A, B]


def test_half_a_character_of_utf_16_is_refused() -> None:
    assert "not a text file" in refusal(f"\ufeff{A}".encode("utf-16-le")[:-1])


@pytest.mark.parametrize(
    "line",
    [
        f"{A}  setup.exe",
        f"sha256:{A}",
        f'"{A}";"setup.exe"',
        f"https://example.test/file/{A}/detection",
        f"{MD5} {SHA1} {A}",
        f"0123456789abcdef0123456789abcdef_{A}",
    ],
)
def test_a_hash_is_found_among_other_words(line: str) -> None:
    assert hashes(f"{line}\n{B}") == [A, B]


def test_a_line_may_have_several_hashes() -> None:
    assert hashes(f"{A}, {B} {C}") == [A, B, C]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("setup.exe", "line 4: no SHA256 in it"),
        (MD5, "line 4: an MD5, not a SHA256"),
        (SHA1.upper(), "line 4: a SHA1, not a SHA256"),
        (A[:-1], "line 4: 63 hex digits, a SHA256 has 64"),
        (f"{A}0", "line 4: 65 hex digits"),
        (f"{A} {B[:-1]}", "line 4: 63 hex digits"),
        (A * 2, "line 4: a SHA512"),
        (f"x{A}", "line 4: no SHA256 in it"),
        (f"é{A}", "line 4: no SHA256 in it"),
    ],
)
def test_a_line_without_a_hash_is_an_error_with_its_number_and_reason(line: str, problem: str) -> None:
    message = refusal(f"{B}\n\n# fine\n{line}\n", "from-the-case.txt")
    assert message.startswith("from-the-case.txt has entries that are not SHA256 hashes: ")
    assert problem in message


def test_of_many_bad_lines_the_first_are_quoted_and_the_others_counted() -> None:
    message = refusal("\n".join([A, *["nonsense"] * 1_205]))
    assert "line 2: " in message
    assert "line 6: " in message
    assert "line 7: " not in message
    assert "; and 1,200 more." in message


@pytest.mark.parametrize(
    "content", ["", "\n\n", "# nothing\n", "[]", '{"hashes": []}', "sha256,name\n", b"\xff\xfe\x00", b"\xef\xbb\xbf"]
)
def test_a_file_without_hashes_or_text_is_refused(content: str | bytes) -> None:
    refusal(content)


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("column", ["sha256", "SHA256", "Hash", " hash "])
def test_the_column_of_a_csv_may_be_anywhere(delimiter: str, column: str) -> None:
    rows = [["name", column, "note"], ['"two\nlines"', A, C], ["x", f" {B.upper()} ", MD5], ["", "", ""]]
    assert hashes("\ufeff# exported\r\n" + "\r\n".join(delimiter.join(row) for row in rows)) == [A, B]


def test_the_column_sha256_wins_over_hash() -> None:
    assert hashes(f"hash,sha256\n{MD5},{A}\n") == [A]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (f"sha256,name\n{A},x\n,y\n", "line 3: no SHA256 in it"),
        (f"name,sha256\nx,{A}\ny\n", "line 3: no SHA256 in it"),
        (f"hash\n{A}\n{MD5}\n", "line 3: an MD5"),
        (f'name,hash\n"a\nb",{A}\nx,nonsense\n', "line 4: no SHA256 in it"),
        (f"# one\n\nhash,name\n{A},x\n{B[:-2]},y\n", "line 5: 62 hex digits"),
        (f"sha256,name\n{A},{'x' * 200_000}\n", "not valid CSV"),
    ],
)
def test_an_incomplete_csv_is_refused_with_its_line(content: str, problem: str) -> None:
    assert problem in refusal(content)


def test_a_header_without_a_hash_column_is_refused() -> None:
    assert "line 1: no SHA256 in it" in refusal(f"file,checksum\nx,{A}\n")


# JSON


@pytest.mark.parametrize(
    "document",
    [
        [A, B],
        [{"sha256": A, "name": C}, {"hash": B.upper()}],
        [{"SHA256": A}, {"sha256": "", "hash": B}],
        {
            "schema": "falcon-bulk/hash-summary/1",
            "hashes": [{"sha256": A}, {"sha256": B}],
            "related": [{"sha256": C}],
        },
    ],
)
def test_json_may_be_a_list_of_hashes_of_objects_or_a_summary(document: Any) -> None:
    assert hashes(json.dumps(document)) == [A, B]
    assert hashes(json.dumps(document, indent=2)) == [A, B]


def test_json_lines_are_read_whatever_their_texts_contain() -> None:
    assert hashes(f'{{"sha256": "{A}", "name": "\u2028"}}\n\n{{"sha256": "{B}"}}\n') == [A, B]


@pytest.mark.parametrize("item", [7, None, True, "", {}, [B], {"md5": MD5}, {"sha256": None}, {"sha256": [B]}, MD5])
def test_an_item_without_a_hash_is_refused_and_not_skipped(item: Any) -> None:
    assert "item 2: " in refusal(json.dumps([A, item]))
    assert "line 2: " in refusal(f'["{A}"]\n[{json.dumps(item)}]\n')


@pytest.mark.parametrize("content", ['["' + A, f'["{A}"] x', f'{{"sha256": "{A}"', "[" * 100_000])
def test_incomplete_json_is_refused(content: str) -> None:
    assert "not valid JSON" in refusal(content)


# Whatever it is


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashfile, "MAX_HASHES", 2)
    assert hashes(f"{A}\n{B}\n{A}") == [A, B, A]
    assert "more than 2 hashes" in refusal(f"{A}\n{B}\n{C}")
    monkeypatch.setattr(input_text, "MAX_BYTES", 2**20)
    with pytest.raises(UsageProblem, match="larger than 1 MiB"):
        input_text.copy_of(BytesIO(b"#" * (2**20 + 1)), "x")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_gives_hashes_or_a_refusal(data: bytes) -> None:
    try:
        found = hashes(data, "any")
    except UsageProblem:
        return
    assert found
    assert all(len(value) == 64 and set(value) <= set("0123456789abcdef") for value in found)


@given(st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), min_size=1))
def test_all_formats_give_the_same_hashes(wanted: list[str]) -> None:
    as_csv = "name;sha256\n" + "".join(f"x;{digest}\n" for digest in wanted)
    as_jsonl = "".join(json.dumps({"hash": digest}) + "\n" for digest in wanted)
    for content in ("\n".join(wanted), as_csv, json.dumps(wanted), as_jsonl):
        assert hashes(content) == wanted
