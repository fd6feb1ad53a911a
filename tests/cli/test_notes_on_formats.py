"""Where a format has more or less than what was asked for, that is said."""

from codecs import BOM_UTF8
from pathlib import Path

import pytest

from tests.support.command import CommandRunner
from tests.support.sampling import quick_first

EXCEL = "Note: The CSV begins with a byte order mark, for Excel; other programs may show it."
ALL_HASHES = "Note: JSON has all hashes; --top shortens the other formats."
OUTLIERS_ONLY = "Note: CSV has only the outliers; leave out --outliers for the counts."


def test_json_has_all_hashes_whatever_top_says_and_it_is_told(readable: CommandRunner) -> None:
    done = readable("hash-summary", "--top", "2", "--format", "json")
    assert len(done.document["hashes"]) == len(readable.hashes()) > 2
    assert done.err.count(ALL_HASHES) == 1


@pytest.mark.parametrize("whom", quick_first("--customer=acme", "--all-customers"))
def test_a_file_counts_as_standard_output_does(readable: CommandRunner, tmp_path: Path, whom: str) -> None:
    done = readable.bare("hash-summary", "--top", "2", "-o", str(tmp_path / "hashes.json"), whom)
    assert (done.code, done.err.count(ALL_HASHES)) == (0, 1), done


@pytest.mark.parametrize(
    "asked",
    quick_first(
        "hash-summary --top 2",
        "hash-summary --format json",
        "hash-summary --top 2 --format json --quiet",
        "summary --outliers --by status",
        "summary --format csv",
    ),
)
def test_nothing_is_told_where_all_formats_are_as_asked_for(readable: CommandRunner, asked: str) -> None:
    assert "Note:" not in readable(*asked.split()).err


def test_csv_has_one_table_and_which_of_two_is_told(readable: CommandRunner) -> None:
    done = readable("summary", "--outliers", "--by", "status", "--format", "csv")
    assert done.lines[0] == b"group,sha256,alerts,outliers,created,host,differs,composite_id"
    assert OUTLIERS_ONLY in done.err


@pytest.mark.parametrize("whom", quick_first("--customer=acme", "--all-customers"))
@pytest.mark.parametrize("command", quick_first("hash-summary", "query", "summary --by status", "runs"))
def test_csv_is_plain_and_begins_with_a_mark_for_excel_when_asked_to(
    readable: CommandRunner, tmp_path: Path, command: str, whom: str
) -> None:
    file = tmp_path / "report.csv"
    plain = readable.bare(*command.split(), "--format", "csv", whom)
    marked = readable.bare(*command.split(), "--format", "csv", "--excel", "-o", str(file), whom)
    assert plain.code == marked.code == 0, marked
    assert not plain.out.startswith(BOM_UTF8)
    assert marked.out == file.read_bytes() == BOM_UTF8 + plain.out
    assert (plain.err.count(EXCEL), marked.err.count(EXCEL)) == (0, 1)


def test_a_csv_for_excel_is_read_as_a_file_of_hashes(readable: CommandRunner) -> None:
    readable("hash-summary", "-o", "hashes.csv", "--excel")
    done = readable.json("hash-summary", "--hash-file", "hashes.csv")
    assert {row["sha256"] for row in done["hashes"]} >= set(readable.hashes())
