"""Defaults and named selections of config.toml, through the command."""

import csv
import io
import sys
from collections.abc import Iterator

import pytest

from falcon_emulator import Server, Tenant
from tests.support.command import CommandRunner, without_styling

pytestmark = pytest.mark.slow

SELECTIONS = """
[selections.low]
description = "What is low"
severity = ["low", "informational"]

[selections.fresh]
status = "new"
filter = "product:'epp'"

[selections.done]
status = ["closed"]
"""


@pytest.fixture
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=400, seed=7)) as server:
        yield CommandRunner(tmp_path_factory.mktemp("acme"), server)


def configure(shell: CommandRunner, text: str) -> None:
    folder = shell.folder / ".config" / "falcon-bulk"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)
    (folder / "config.toml").chmod(0o600)


def count(shell: CommandRunner, *argv: str) -> int:
    done = shell("query", "--count", *argv)
    assert done.code == 0, done
    return int(done.text)


def test_a_named_selection_is_anded_with_the_options_and_with_others(shell: CommandRunner) -> None:
    configure(shell, SELECTIONS)
    assert count(shell, "@low") == count(shell, "--severity", "low,informational")
    assert count(shell, "@low", "--status", "new") == count(shell, "--severity", "low,informational", "--status", "new")
    assert count(shell, "@low", "@fresh") == count(
        shell, "--severity", "low,informational", "--status", "new", "--product", "epp"
    )
    assert count(shell, "@low", "--severity", "low,high") == count(shell, "--severity", "low")
    assert count(shell, "@fresh", "--filter", "severity:>50") == count(
        shell, "--filter", "severity:>50+product:'epp'", "--status", "new"
    )


@pytest.mark.parametrize("argv", ["query", "hash-summary", "summary", "bulk-close --dry-run", "query --all"])
def test_every_command_that_selects_takes_it(shell: CommandRunner, argv: str) -> None:
    configure(shell, SELECTIONS)
    done = shell(*argv.split(), "@low")
    assert done.code == 0, done
    if "Next:" in done.err:
        assert "@low" in done.err.partition("Next:")[2]


def test_the_journal_has_what_it_stood_for(shell: CommandRunner) -> None:
    configure(shell, SELECTIONS)
    assert shell("bulk-close", "@low", "@fresh", "--yes", "--max", "400").code == 0
    (run,) = shell.json("runs")["runs"]
    assert run["selection"] == "severity Low or Informational, status new, filter product:'epp'"


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (("query", "@lwo"), "There is no selection @lwo."),
        (("query", "low"), "unexpected extra argument (low)"),
        (("query", "@"), "unexpected extra argument (@)"),
        (("query", "@low", "--severity", "high"), "No alert can match"),
        (("query", "@low", "--ids-file", "ids.txt"), "--ids-file does not go with @low"),
        (("bulk-close", "@done", "--dry-run"), "Add --status closed"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    shell: CommandRunner, argv: tuple[str, ...], part: str
) -> None:
    configure(shell, SELECTIONS)
    done = shell(*argv)
    assert (done.code, done.requests) == (2, []), done
    assert part in done.err


def test_closed_alerts_are_changed_only_if_the_command_line_says_so(shell: CommandRunner) -> None:
    configure(shell, SELECTIONS)
    assert shell("query", "@done").code == 0
    assert shell("bulk-close", "@done", "--status", "closed", "--set-status", "new", "--dry-run").code == 0


def test_defaults_count_where_no_option_is_given(shell: CommandRunner) -> None:
    configure(shell, "[defaults]\nformat = 'csv'\nreaders = 1\nquota = 20\n")
    table = list(csv.DictReader(io.StringIO(shell("query", "--limit", "3").text)))
    assert len(table) == 3
    assert shell("query", "--limit", "3", "--format", "table").text.startswith("acme: 3 of")
    assert shell("bulk-close", "--severity", "low", "--dry-run").text.startswith("acme: ")  # it has no CSV


def test_fields_are_the_columns_of_the_table_alone(shell: CommandRunner) -> None:
    configure(shell, "[defaults]\nfields = ['status', 'name']\n")
    assert shell("query", "--limit", "2").text.splitlines()[2].split() == ["status", "name"]
    assert "composite_id" in shell("query", "--limit", "2", "--format", "csv").text.splitlines()[0]
    assert "composite_id" in shell("query", "--limit", "2", "--format", "jsonl").documents[0]
    assert shell("query", "--limit", "2", "--fields", "type").text.splitlines()[2].split() == ["type"]
    assert "cmdline" in shell("query", "--limit", "20", "--details").text


def test_the_pager_of_the_file_comes_before_the_common_one(shell: CommandRunner) -> None:
    pager = f"{sys.executable} -c \\\"import sys; print('PAGED'); sys.stdout.write(sys.stdin.read())\\\""
    configure(shell, f'[defaults]\npager = "{pager}"\n')
    for env, paged in (({"PAGER": "cat"}, True), ({"FALCON_BULK_PAGER": "cat"}, False)):
        with shell.terminal("hash-summary", lines=20, env=env) as terminal:
            assert ("PAGED" in without_styling(terminal.finish().out)) == paged


def test_a_bad_file_stops_every_command_that_reads_it_with_its_line(shell: CommandRunner) -> None:
    configure(shell, "[defaults]\nyes = true\n")
    for argv in (("query",), ("bulk-close", "--severity", "low", "--dry-run"), ("runs",), ("selections",)):
        done = shell(*argv)
        assert (done.code, done.requests) == (2, []), done
        assert "config.toml, line 2: defaults.yes cannot be set here" in done.err
    configure(shell, "[selections.a]\n\nhash = 'nonsense'\n")
    done = shell("query")
    assert done.code == 2
    assert "config.toml, line 1, @a: " in done.err
    assert shell.bare("query", "--help").code == 0


def test_nothing_in_it_gives_consent(shell: CommandRunner) -> None:
    """Neither a customer nor consent nor an override comes from the file, under whatever name."""
    for key, value in (("yes", "true"), ("max", "9"), ("expect", "9"), ("override", "['all']"), ("customer", "'acme'")):
        for table in ("defaults", "selections.a"):
            configure(shell, f"[{table}]\n{key} = {value}\n")
            done = shell.bare("bulk-close", "--severity", "low")
            assert (done.code, done.requests) == (2, [])
            assert f"{table}.{key} cannot be set here" in done.err


def test_selections_lists_them(shell: CommandRunner) -> None:
    configure(shell, SELECTIONS)
    document = shell.bare("selections", "--format", "json").document
    assert document["schema"] == "falcon-bulk/selections/1"
    assert [selection["name"] for selection in document["selections"]] == ["low", "fresh", "done"]
    assert document["selections"][0]["options"] == ["--severity", "low,informational"]
    text = shell.bare("selections").text
    assert "@fresh" in text
    assert "--filter \"product:'epp'\" --status new" in text


def test_without_a_file_it_says_where_one_would_be(shell: CommandRunner) -> None:
    done = shell.bare("selections")
    assert done.code == 0
    assert str(shell.folder / ".config" / "falcon-bulk" / "config.toml") in done.err


def test_names_are_completed(shell: CommandRunner) -> None:
    configure(shell, SELECTIONS)
    env = {"_FALCON_BULK_COMPLETE": "bash_complete", "COMP_WORDS": "falcon-bulk query @", "COMP_CWORD": "2"}
    done = shell.bare(env=env)
    assert [line.partition(",")[2] for line in done.text.split()] == ["@low", "@fresh", "@done"]
