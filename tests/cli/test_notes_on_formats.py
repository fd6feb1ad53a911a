"""Where a format has more or less than what was asked for, that is said."""

from pathlib import Path

import pytest

from tests.support.command import CommandRunner
from tests.support.sampling import quick_first

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
