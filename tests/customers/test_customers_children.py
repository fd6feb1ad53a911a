"""Flight Control's children as customers: listed, added with a file each, and compared with the files."""

import csv
import io
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from falcon_bulk.config.env_file import read_env_file
from falcon_bulk.model.customer import Child
from falcon_bulk.operations.children import customer_name_for
from falcon_emulator import Server, Switches, Tenant
from tests.support.command import without_styling
from tests.support.json_schemas import assert_valid
from tests.support.managed_customers import ManagedCustomers

NAMES = ["acme-test", "globex-inc", "globex-inc", "initech-gmbh-co-kg"]
"""What the names of the emulator's four children become."""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[ManagedCustomers]:
    """A parent of four children, with its own env file outside the customers' folder."""
    with Server([Tenant(alerts=80, children=4, customer="msp")]) as server:
        yield with_parent_file(tmp_path, server)


def with_parent_file(folder: Path, server: Server) -> ManagedCustomers:
    runner = ManagedCustomers(folder, server)
    runner.write_env("parent.env", (folder / "customers" / "msp.env").read_text())
    (folder / "customers" / "msp.env").unlink()
    return runner


def add(runner: ManagedCustomers, *argv: str) -> dict[str, Any]:
    done = runner.customers("add", "--children", "--env-file", "parent.env", "--format", "json", *argv)
    assert done.code == 0, done
    return assert_valid(done.document)


def files(runner: ManagedCustomers) -> dict[str, dict[str, str]]:
    return {path.stem: read_env_file(path) for path in sorted((runner.folder / "customers").glob("*.env"))}


def test_every_child_gets_a_file_that_logs_in_to_it_alone(parent: ManagedCustomers) -> None:
    (parent.folder / "parent.env").write_text(
        (parent.folder / "parent.env").read_text() + "FALCON_SECRET_SET=2026-11-02\n"
    )
    children = add(parent, "--yes")["children"]
    assert {child["cid"] for child in children} == set(parent.tenant.children)
    assert all(child["added"] and child["status"] == "active" for child in children)
    written = files(parent)
    names = sorted(written)
    assert [name.removesuffix(f"-{values['FALCON_CID'][:8]}") for name, values in sorted(written.items())] == NAMES
    assert names == sorted(child["customers"][0] for child in children)
    for child in children:
        (name,) = child["customers"]
        values = written[name]
        assert values["FALCON_MEMBER_CID"] == values["FALCON_CID"] == child["cid"]
        assert values["FALCON_CLIENT_SECRET"] == parent.tenant.client_secret
        assert values["FALCON_SECRET_SET"] == "2026-11-02"
        assert "FALCON_CUSTOMER" not in values
        assert stat.S_IMODE((parent.folder / "customers" / f"{name}.env").stat().st_mode) == 0o600
    rows = parent.rows("check", code=0)
    assert {row["cid"] for row in rows.values()} <= set(parent.tenant.children)
    assert all(row["is_child"] for row in rows.values())


def test_those_that_have_a_file_are_shown_and_left(parent: ManagedCustomers) -> None:
    first = add(parent, "--yes")
    again = add(parent, "--yes")
    assert not any(child["added"] for child in again["children"])
    assert [child["customers"] for child in again["children"]] == [child["customers"] for child in first["children"]]
    shown = parent.customers("add", "--children", "--env-file", "parent.env", "--yes")
    assert "Every child has its file." in shown.err


def test_which_are_added_is_asked(parent: ManagedCustomers) -> None:
    with parent.terminal("customers", "add", "--children", "--env-file", "parent.env", customer=None) as terminal:
        terminal.answer("Add which?", "2, 1")
        done = terminal.finish()
    assert done.code == 0, done
    assert len(files(parent)) == 2
    assert parent.tenant.client_secret not in done.err


@pytest.mark.parametrize(("answer", "code"), [("", 0), ("7", 3), ("globex", 3)])
def test_nothing_is_added_for_no_answer_or_a_wrong_one(parent: ManagedCustomers, answer: str, code: int) -> None:
    with parent.terminal("customers", "add", "--children", "--env-file", "parent.env", customer=None) as terminal:
        terminal.answer("Add which?", answer)
        done = terminal.finish()
    assert (done.code, files(parent)) == (code, {}), done


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (("--children", "--env-file", "parent.env"), "not a terminal"),
        (("--children", "initech", "--yes"), "--children names the customers itself"),
        (("--yes",), "--yes is for --children"),
        ((), "The customer's name is missing"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    parent: ManagedCustomers, argv: tuple[str, ...], problem: str
) -> None:
    before = parent.request_count()
    done = parent.customers("add", *argv)
    assert (done.code, problem in done.err) == (2, True), done
    assert parent.request_count() == before


def test_a_hostile_name_becomes_a_harmless_one(tmp_path: Path) -> None:
    tenant = Tenant(alerts=20, children=6, customer="msp", switches=Switches(child_names="hostile"))
    with Server([tenant]) as server:
        runner = with_parent_file(tmp_path, server)
        shown = runner.customers("add", "--children", "--env-file", "parent.env", "--yes")
        assert shown.code == 0, shown
        assert not set(shown.text + shown.err) & set("\x1b\u202e\u200b\x07\x00")
        names = list(files(runner))
        assert len(names) == 6
        assert all(name.replace("-", "").isalnum() and name.isascii() for name in names)


def test_a_file_whose_child_is_gone_and_a_child_without_a_file_are_named(parent: ManagedCustomers) -> None:
    add(parent, "--yes")
    kept, gone = list(files(parent))[:2]
    path = parent.folder / "customers" / f"{gone}.env"
    child = read_env_file(path)["FALCON_MEMBER_CID"]
    path.write_text(path.read_text().replace(child, "f" * 32))
    done = parent.customers("check", "--format", "json")
    document = assert_valid(done.document)
    rows = {row["customer"]: row for row in document["customers"]}
    assert (rows[kept]["is_child"], rows[gone]["is_child"]) == (True, False)
    assert rows[gone]["exit_code"] == 4
    assert [child["cid"] for child in document["children_without_file"]] == [child]
    shown = parent.customers("check")
    assert f"No child of its login any more: {gone} ({'f' * 32})" in shown.text
    assert f"({child}). `falcon-bulk customers add --children --customer {kept}` adds them." in shown.text
    added = parent.customers("add", "--children", "--customer", kept, "--yes")
    assert added.code == 0, added
    assert child in {values["FALCON_MEMBER_CID"] for values in files(parent).values()}


def test_a_login_that_may_not_list_children_is_a_note(parent: ManagedCustomers) -> None:
    add(parent, "--yes")
    parent.tenant.switches.scopes = "alerts:read"
    done = parent.customers("check", "--format", "json")
    assert done.code == 0, done
    assert {row["is_child"] for row in done.document["customers"]} == {None}
    assert "cannot be listed: " in parent.customers("check").text


def test_a_parents_login_is_made_once_and_one_for_each_member(parent: ManagedCustomers) -> None:
    add(parent, "--yes")
    before = parent.request_count()
    assert parent.customers("check").code == 0
    logins = [request for request in parent.requests()[before:] if request.endpoint == "token"]
    assert len(logins) == 5


@pytest.mark.parametrize(
    ("name", "customer"),
    [
        ("Müller & Söhne", "muller-sohne"),
        ("Weiß GmbH", "weiss-gmbh"),
        ("../../etc/passwd", "etc-passwd"),
        ("北京", "child"),
        ("", "child"),
        ("1" * 60, "1" * 50),
        ("Acme / East", f"acme-east-{'c' * 8}"),
    ],
)
def test_a_customers_name_is_made_of_letters_that_a_file_may_have(name: str, customer: str) -> None:
    child = Child(cid="c" * 32, name=name, status="active")
    assert customer_name_for(child, ["acme-east", "Globex"]) == customer


def test_many_children_are_shown_with_whole_names_and_messages_name_a_few(tmp_path: Path) -> None:
    with Server([Tenant(alerts=20, children=12, customer="msp")]) as server:
        runner = with_parent_file(tmp_path, server)
        with runner.terminal(
            "customers", "add", "--children", "--env-file", "parent.env", "--yes", columns=80, customer=None
        ) as terminal:
            shown = without_styling(terminal.finish().out)
        names = list(files(runner))
        assert len(names) == 12
        table = shown.partition("─\n")[2]
        assert all(re.search(rf"  {name} +added$", table, re.MULTILINE) for name in names if len(name) < 21)
        assert "…" not in shown
        assert shown.splitlines()[-1] == "Next:  falcon-bulk customers check"
        for name in names[1:]:
            (runner.folder / "customers" / f"{name}.env").unlink()
        checked = runner.customers("check").text
        assert re.search(r"\([0-9a-f]{32}\) and 6 more\. `falcon-bulk customers add --children", checked)


def test_what_is_wrong_stands_below_the_table_and_can_be_pasted(parent: ManagedCustomers) -> None:
    add(parent, "--yes")
    name = next(iter(files(parent)))
    (parent.folder / "customers" / f"{name}.env").chmod(0o644)
    for argv in ((), ("check",)):
        done = parent.customers(*argv)
        assert done.code == 4, done
        table, _, below = done.text.partition("\n\n")
        assert "chmod" not in table
        assert any(line.startswith(f"{name}: ") and "chmod 600 " in line for line in below.splitlines())
        row = next(
            row
            for row in csv.DictReader(io.StringIO(parent.customers(*argv, "--format", "csv").text))
            if row["customer"] == name
        )
        assert "chmod 600 " in (row.get("problems") or row["error"])


def test_no_second_file_is_written_for_a_child_whose_file_cannot_be_read(parent: ManagedCustomers) -> None:
    add(parent, "--yes")
    first, second = list(files(parent))[:2]
    (parent.folder / "customers" / f"{first}.env").chmod(0o644)
    (parent.folder / "customers" / f"{second}.env").unlink()
    left = set((parent.folder / "customers").iterdir())
    done = parent.customers("add", "--children", "--env-file", "parent.env", "--yes")
    assert done.code == 4, done
    assert f"Which child the file of {first} is for cannot be read; nothing was written." in done.err
    assert set((parent.folder / "customers").iterdir()) == left
    assert f"Which child the file of {first} is for cannot be read" in parent.customers("check").text
