"""config.toml: what it takes, and that everything else is an error with its line."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.config.config_file import FORMATS, ConfigFile, config_path, read_config
from falcon_bulk.errors import UsageProblem
from falcon_bulk.report.formats import Format


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def test_the_formats_are_those_of_the_option() -> None:
    assert tuple(Format) == FORMATS


def test_no_file_sets_nothing(tmp_path: Path) -> None:
    assert read_config(tmp_path / "config.toml") == read_config(None) == ConfigFile()


def test_defaults_and_selections_are_read(tmp_path: Path) -> None:
    config = read_config(
        written(
            tmp_path,
            "\ufeff[defaults]\nformat = 'csv'\nfields = ['name']\npager = ''\nreaders = 4\nquota = 30\n"
            "[selections.lab-noise]\nhost = 'LAB-*'\nseverity = ['Low']\nstatus = 'new'\nvisible-only = true\n",
        )
    )
    assert config.defaults == ("csv", ("name",), "", 4, 30)
    noise = config.selections["lab-noise"]
    assert (noise.host, noise.severity, noise.status, noise.visible_only) == ("LAB-*", ("low",), ("new",), True)
    assert noise.source.endswith("config.toml, line 7")


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("[defaults]\n\nyes = true\n", 3, "defaults.yes cannot be set here"),
        ("[defaults]\nmax = 5\n", 2, "cannot be set"),
        ("customer = 'acme'\n", 1, "customer cannot be set here"),
        ("# note\n[defaults]\ncustomer = 'acme'\n", 3, "cannot be set here"),
        ("[selections.a]\nhost = 'A'\noverride = ['all']\n", 3, "selections.a.override cannot be set here"),
        ("[selections.a]\nhost = 'A'\ncustomer = 'acme'\n", 3, "cannot be set here"),
        ("[selections.a]\nhost = 'A'\nexpect = 3\n", 3, "cannot be set here"),
        ("[defaults]\nformat = 'xml'\n", 2, "format is one of table"),
        ("[defaults]\nreaders = 0\n", 2, "from 1 to 32"),
        ("[defaults]\nreaders = true\n", 2, "from 1 to 32"),
        ("[defaults]\nquota = 101\n", 2, "from 1 to 100"),
        ("[defaults]\npager = 3\n", 2, "a command line in quotes"),
        ("[defaults]\nfields = [1]\n", 2, "a list of texts"),
        ("defaults = 3\n", 1, "is a table"),
        ("[selections]\n\na = 'x'\n", 3, "is a table"),
        ("[selections.Lab]\nhost = 'A'\n", 1, "is not a name"),
        ("\n[selections.a]\nseverity = ['urgent']\n", 3, "'urgent' is not a value of severity"),
        ("[selections.a]\nvisible-only = 'yes'\n", 2, "true or false"),
        ("[selections.a]\nhost = ''\n", 2, "not blank"),
        ("\n\n[selections.a]\ndescription = 'x'\n", 3, "selects every alert"),
        ("selections.a.status = 'open'\n", 1, "'open' is not a value of status"),
        ("[defaults]\nreaders = \n", 2, "not TOML"),
        ("[defaults]\nreaders = 3\nreaders = 4\n", 3, "not TOML"),
        ("[defaults]\nformat = 'table", 2, "not TOML"),
        (b"[defaults]\n# \xff\n", 2, "not UTF-8"),
    ],
)
def test_anything_else_is_an_error_with_its_line(tmp_path: Path, text: str | bytes, line: int, part: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageProblem) as error:
        read_config(path)
    assert error.value.message.startswith(f"{path}, line {line}: "), error.value.message
    assert part in error.value.message


@given(text=st.text(max_size=80))
def test_no_text_raises_anything_but_a_usage_problem(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = written(tmp_path_factory.getbasetemp(), text.encode("utf-8", "replace"))
    with suppress(UsageProblem):
        read_config(path)


def test_a_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "[defaults]\npager = 'less'\n")
    path.chmod(0o622)
    with pytest.raises(UsageProblem, match="Others can write"):
        read_config(path)


def test_the_folder_can_be_named(tmp_path: Path) -> None:
    assert config_path({"FALCON_BULK_CONFIG_DIR": str(tmp_path)}) == tmp_path / "config.toml"
