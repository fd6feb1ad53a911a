"""doctor reports problems without private data, and changes nothing."""

import json
import platform
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import CommandResult, CommandRunner
from tests.support.sampling import quick_first

NAMES = [
    "versions",
    "state folder",
    "env file",
    "network",
    "login",
    "clock",
    "reading",
    "aggregates",
    "hidden alerts",
    "quota",
    "writing",
]


def checks(done: CommandResult) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in done.document["checks"]}


def doctor(shell: CommandRunner, *argv: str, **more: Any) -> CommandResult:
    return shell("doctor", "--format", "json", *argv, **more)


def test_all_checks_pass_and_nothing_is_changed(readable: CommandRunner) -> None:
    done = doctor(readable)
    assert done.code == 0, done
    assert set(done.document) == {"schema", "generated_at", "exit_code", "checks"}
    assert done.document["schema"] == "falcon-bulk/doctor/1"
    seen = checks(done)
    assert list(seen) == NAMES
    assert {check["status"] for name, check in seen.items() if name != "writing"} == {"ok"}
    assert seen["writing"]["status"] == "skipped"
    assert "2,500 alerts" in seen["reading"]["what"]
    assert {request.endpoint for request in done.requests} == {"token", "queries", "combined", "aggregates"}


def test_without_credentials_it_says_what_is_missing_and_sends_nothing(readable: CommandRunner) -> None:
    done = readable.bare("doctor", "--format", "json")
    assert (done.code, done.requests) == (4, [])
    seen = checks(done)
    assert seen["env file"]["status"] == "fail"
    assert "FALCON_CLIENT_SECRET" in seen["env file"]["what"]
    assert seen["versions"]["status"] == seen["state folder"]["status"] == "ok"
    assert seen["login"]["status"] == seen["quota"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("switches", "name", "status", "expected"),
    quick_first(
        ({"clock_ahead": 3600.0}, "clock", "warn", "s behind Falcon"),
        ({"aggregates_mode": "refuse_500"}, "aggregates", "warn", "refused"),
        ({"clock_ahead": -90.0}, "clock", "warn", "s ahead of Falcon"),
        ({"aggregates_mode": "undercount"}, "aggregates", "warn", "add up to"),
        ({"combined_hidden": "omitted"}, "hidden alerts", "ok", "read by id"),
        ({"combined_hidden": "included"}, "hidden alerts", "ok", "with the others"),
        ({"rate_limit": 11}, "quota", "warn", "of 11 requests"),
    ),
)
def test_an_oddity_of_the_tenant_is_a_warning_at_most(
    acme: Any, switches: dict[str, Any], name: str, status: str, expected: str
) -> None:
    done = doctor(acme(alerts=200, **switches))
    assert done.code == 0, done
    assert checks(done)[name]["status"] == status
    assert expected in checks(done)[name]["what"]


@pytest.mark.slow
def test_a_wrong_secret_fails_the_login_and_nothing_before_it(acme: Any) -> None:
    shell = acme(alerts=10)
    secret = shell.tenant.client_secret
    shell.write_env("customers/acme.env", shell.env_file.read_text().replace(secret, "w" * len(secret)))
    done = doctor(shell)
    assert done.code == 4, done
    assert [request.endpoint for request in done.requests] == ["token"]
    statuses = {name: check["status"] for name, check in checks(done).items()}
    assert statuses["env file"] == "ok"
    assert statuses["login"] == "fail"
    assert statuses["reading"] == "skipped"


@pytest.mark.slow
def test_one_failed_check_stops_none_of_the_others(acme: Any) -> None:
    shell = acme(alerts=50)
    cid = shell.tenant.cid
    shell.write_env("customers/acme.env", shell.env_file.read_text().replace(cid, "f" * 32))
    done = doctor(shell)
    seen = checks(done)
    assert done.code == 4, done
    assert seen["reading"]["status"] == "fail"
    assert cid in seen["reading"]["what"]
    assert seen["aggregates"]["status"] == seen["quota"]["status"] == "ok"


@pytest.mark.slow
def test_a_missing_scope_is_named(acme: Any) -> None:
    done = doctor(acme(alerts=10, scopes="alerts:write"))
    assert done.code == 4, done
    assert "'Alerts: Read'" in checks(done)["reading"]["hint"]
    assert checks(done)["login"]["status"] == "ok"


@pytest.mark.slow
def test_a_file_readable_by_others_fails_with_the_command_that_fixes_it(acme: Any) -> None:
    shell = acme(alerts=10)
    shell.env_file.chmod(0o644)
    done = doctor(shell)
    assert (done.code, done.requests) == (4, [])
    assert "644" in checks(done)["env file"]["what"]
    assert f"chmod 600 {shell.env_file}" in checks(done)["env file"]["hint"]
    told = shell("doctor").text.splitlines()
    assert any(line.startswith("env file: ") and f"chmod 600 {shell.env_file}" in line for line in told), "to be pasted"


@pytest.mark.slow
def test_an_unknown_key_is_a_warning(acme: Any) -> None:
    shell = acme(alerts=10)
    shell.write_env("customers/acme.env", shell.env_file.read_text().replace("FALCON_CID", "FALCON_CIDS"))
    done = doctor(shell)
    assert done.code == 0, done
    assert "did you mean FALCON_CID?" in checks(done)["env file"]["hint"]
    assert checks(done)["reading"]["status"] == "warn"
    assert f"FALCON_CID={shell.tenant.cid}" in checks(done)["reading"]["hint"]


@pytest.mark.slow
def test_an_unusable_state_folder_fails_alone(readable: CommandRunner) -> None:
    file = readable.folder / "no-folder"
    file.write_text("a file stands here\n")
    done = doctor(readable, env={"FALCON_BULK_STATE_DIR": str(file)})
    assert done.code == 4, done
    assert checks(done)["state folder"]["status"] == "fail"
    assert checks(done)["quota"]["status"] == "ok"


@pytest.mark.slow
def test_a_damaged_journal_is_reported_and_not_changed(readable: CommandRunner) -> None:
    state = readable.folder / "damaged"
    state.mkdir(mode=0o700)
    journal = state / "ab.sqlite3"
    journal.write_bytes(b"this is no database, and long enough to be looked at\n" * 100)
    before = journal.read_bytes()
    done = doctor(readable, env={"FALCON_BULK_STATE_DIR": str(state)})
    assert done.code == 1, done
    assert str(journal) in checks(done)["state folder"]["what"]
    assert journal.read_bytes() == before


@pytest.mark.slow
def test_journals_are_counted_with_warnings_of_unfinished_runs_and_of_a_newer_version(acme: Any) -> None:
    shell = acme(alerts=100)
    assert shell("bulk-close", "--since", "5000d", "--override", "all", "--yes", "--max", "100").code == 0
    assert "journals: 1, runs: 1" in checks(doctor(shell))["state folder"]["what"]
    journal = shell.folder / "state" / f"{shell.tenant.cid}.sqlite3"
    with sqlite3.connect(journal) as db:
        db.execute("UPDATE runs SET closed = 0")  # as a run that was killed leaves it
        db.commit()
        unfinished = checks(doctor(shell))["state folder"]
        assert unfinished["status"] == "warn"
        assert "Unfinished runs: 1" in unfinished["hint"]
        db.execute("PRAGMA user_version=99")
    db.close()
    done = doctor(shell)
    assert done.code == 0, done
    assert "newer version" in checks(done)["state folder"]["hint"]


@pytest.mark.slow
def test_the_login_of_a_proxy_is_not_shown(readable: CommandRunner) -> None:
    env = {"HTTPS_PROXY": "http://jane:hunter22@proxy.example:3128", "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}
    done = doctor(readable, env=env)
    network = checks(done)["network"]
    assert "http://proxy.example:3128" in network["what"]
    assert "hunter22" not in done.text
    assert "jane" not in done.text
    assert network["status"] == "warn"
    assert "REQUESTS_CA_BUNDLE" in network["hint"]


def test_the_report_to_paste_names_nobody(acme: Any, tmp_path: Path) -> None:
    shell = acme(alerts=50)
    text = shell.env_file.read_text().replace("FALCON_CID=", "# FALCON_CID=") + "FALCON_OPERATOR=jane.doe\n"
    shell.write_env("customers/acme.env", text)
    done = shell("doctor", "--format", "markdown")
    assert done.code == 0, done
    tenant = shell.tenant
    for private in (tenant.client_secret, tenant.client_id, tenant.cid, "acme", "jane", str(tmp_path)):
        assert private not in done.text.replace("\\", "")
    assert f"client {tenant.client_id[:4]}…" in done.text
    table = shell("doctor").text
    assert tenant.client_secret not in table
    assert tenant.client_id not in table
    assert "For a bug report, paste this" in table
    assert _stable_rows(table) == _stable_rows(done.text)


def _stable_rows(text: str) -> list[str]:
    """The rows of the report to paste, without what differs between two calls: the quota and the free space."""
    rows = [line for line in text.splitlines() if line.startswith("| ") and "quota" not in line]
    return [re.sub(r"[\d,.]+ GB free", "GB free", row) for row in rows]


@pytest.mark.parametrize("broken", [False, True], ids=["usable", "broken"])
def test_the_report_to_paste_has_no_cid_no_name_no_host_and_no_path(acme: Any, tmp_path: Path, broken: bool) -> None:
    shell = acme(alerts=50)
    folder = tmp_path / "Clients of Hooli" / "state"
    cid, other_cid = "ABCDEF0123456789ABCDEF0123456789-9A", "fedcba9876543210fedcba9876543210"
    state = {"FALCON_BULK_STATE_DIR": str(folder), "NO_PROXY": "127.0.0.1, intra.umbrella.example"}
    network = {"HTTPS_PROXY": "http://proxy.umbrella.example:3128", "REQUESTS_CA_BUNDLE": "/etc/pki/Umbrella Root.pem"}
    # Initech has Acme's login; a journal is another customer's; the keys and the file's text name customers.
    shell.write_customer(
        "Initech", tenant="acme", FALCON_CID=cid, FALCON_CUSTOMER="Initech", FALCON_OPERATOR="Jane Roe"
    )
    folder.mkdir(parents=True, mode=0o700)
    (folder / f"{other_cid}.sqlite3").write_bytes(b"this is no database, and long enough to be looked at\n" * 100)
    more = {"FALCON_BASE_URL": "https://falcon.umbrella.example"} if broken else {}
    shell.write_customer("acme", FALCON_OPERATOR="jane.doe", ACME_TOKEN="x", FALCON_CUSTOMER="Globex", **more)
    done = shell("doctor", "--format", "markdown", env=state | network)
    text = done.text.replace("\\", "")
    assert "| env file | fail |" in text
    assert "the same credentials as" in text or broken
    assert str(folder) in shell("doctor", "--format", "json", env=state | network).text
    tenant = shell.tenant
    known = (tenant.cid, tenant.client_id, cid, cid[:32], other_cid, str(tmp_path))
    names = ("acme", "globex", "initech", "hooli", "umbrella", "jane", "roe", platform.node())
    for private in (*known, *names):
        assert private.lower() not in text.lower(), private


def test_a_cid_that_no_file_names_is_not_pasted(acme: Any) -> None:
    shell = acme(alerts=50)
    shell.write_customer("acme", FALCON_CID=None)
    text = shell("doctor", "--format", "markdown").text
    assert "Set FALCON_CID=" in text.replace("\\", "")
    assert shell.tenant.cid not in text
    assert shell.tenant.cid[:4] not in text


@pytest.mark.slow
def test_there_is_a_report_to_paste_without_credentials_too(acme: Any, tmp_path: Path) -> None:
    shell = acme(alerts=10)
    done = shell.bare("doctor", "--customer", "globex", "--format", "markdown")
    assert (done.code, done.requests) == (4, [])
    assert "| env file | fail |" in done.text
    assert "globex" not in done.text
    assert str(tmp_path) not in done.text


def test_several_customers_are_referred_to_customers_check(readable: CommandRunner) -> None:
    done = readable.bare("doctor", "--all-customers")
    assert (done.code, done.requests) == (2, [])
    assert "customers check" in done.err


@pytest.mark.slow
def test_an_unreachable_falcon_exits_with_5(acme: Any) -> None:
    shell = acme(alerts=10)
    shell.write_env("customers/acme.env", shell.env_file.read_text().replace(shell.server.url, "http://127.0.0.1:9"))
    done = doctor(shell)
    assert done.code == 5, done
    assert json.loads(done.out)["exit_code"] == 5
