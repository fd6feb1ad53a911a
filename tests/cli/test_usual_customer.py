"""Who a command is for: an option, else FALCON_BULK_CUSTOMER, else the process environment, else .env."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import CommandRunner, serve_customers

pytestmark = pytest.mark.slow

COUNT = ("query", "--count")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path, "acme", "globex", alerts=60) as shell:
        yield shell


def credentials(shell: CommandRunner, customer: str) -> dict[str, str]:
    lines = dict(line.split("=", 1) for line in shell.env_texts[customer].splitlines())
    return lines | {"FALCON_BULK_ALLOW_CUSTOM_BASE_URL": "1"}


def requests(shell: CommandRunner) -> dict[str, bool]:
    return {name: bool(shell.requests(name)) for name in shell.tenants}


def test_the_variable_names_the_customer_where_no_option_does(shell: CommandRunner) -> None:
    done = shell.bare(*COUNT, env={"FALCON_BULK_CUSTOMER": "globex"})
    assert done.code == 0, done
    assert requests(shell) == {"acme": False, "globex": True}
    shown = shell.bare("query", "--limit", "1", env={"FALCON_BULK_CUSTOMER": "globex"})
    assert shown.text.startswith("globex: ")
    assert "--customer globex" in shown.err


def test_an_option_beats_it(shell: CommandRunner) -> None:
    for options in (("--customer", "acme"), ("--env-file", "customers/acme.env")):
        done = shell.bare(*COUNT, *options, env={"FALCON_BULK_CUSTOMER": "globex"} | credentials(shell, "globex"))
        assert done.code == 0, done
    assert requests(shell) == {"acme": True, "globex": False}


def test_beside_credentials_it_is_refused_before_anything_is_sent(shell: CommandRunner) -> None:
    done = shell.bare(*COUNT, env={"FALCON_BULK_CUSTOMER": "globex"} | credentials(shell, "acme"))
    assert done.code == 2
    assert "FALCON_BULK_CUSTOMER" in done.err
    assert requests(shell) == {"acme": False, "globex": False}


def test_it_comes_before_a_file_in_the_current_folder(shell: CommandRunner) -> None:
    shell.write_env(".env", shell.env_texts["acme"])
    assert shell.bare(*COUNT, env={"FALCON_BULK_CUSTOMER": "globex"}).code == 0
    assert requests(shell) == {"acme": False, "globex": True}


def test_a_change_with_yes_wants_the_customer_on_the_command_line(shell: CommandRunner) -> None:
    change = ("bulk-close", "--product", "epp", "--yes", "--max", "500", "--override", "all")
    done = shell.bare(*change, env={"FALCON_BULK_CUSTOMER": "acme"})
    assert (done.code, requests(shell)["acme"]) == (2, False)
    assert "--customer" in done.err
    assert shell(*change, customer="acme", env={"FALCON_BULK_CUSTOMER": "globex"}).code == 0


def test_a_name_without_a_file_is_an_error_that_names_those_there_are(shell: CommandRunner) -> None:
    done = shell.bare(*COUNT, env={"FALCON_BULK_CUSTOMER": "globx"})
    assert done.code == 4
    assert "Did you mean globex?" in done.err
