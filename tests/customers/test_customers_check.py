"""falcon-bulk customers check: a login and a row for each customer, whatever happens to the others."""

import shlex
import sys
from pathlib import Path

import pytest

from falcon_emulator import Fault, Server, Tenant
from tests.support.command import without_styling
from tests.support.managed_customers import ManagedCustomers


def test_each_row_shows_what_a_login_sees(msp: ManagedCustomers) -> None:
    rows = msp.rows("check", code=0)
    assert list(rows) == ["acme", "globex", "initech"]
    for name, row in rows.items():
        assert row["cid"] == msp.tenants[name].cid
        assert row["cid_expected"] is True
        assert row["open_alerts"] == msp.open_alerts(name)
        assert 0 < row["quota_remaining"] < row["quota_limit"]
        assert (row["reading"], row["exit_code"], row["error"]) == (True, 0, None)


def test_nothing_is_changed_and_write_access_is_not_tested(msp: ManagedCustomers) -> None:
    done = msp.customers("check")
    assert done.code == 0
    assert "write access is not tested" in done.err
    endpoints = {request.endpoint for name in msp.tenants for request in msp.requests(name)}
    assert endpoints == {"token", "combined", "queries"}


@pytest.mark.slow
def test_only_those_named_are_contacted(msp: ManagedCustomers) -> None:
    assert list(msp.rows("check", "globex", "acme", "globex", code=0)) == ["globex", "acme"]
    assert not msp.requests("initech")


def test_a_wrong_secret_is_a_row_and_the_others_are_checked(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", FALCON_CLIENT_SECRET="wrong")
    rows = msp.rows("check", code=4)
    assert rows["globex"]["error"]["code"] == "login_refused"
    assert (rows["globex"]["exit_code"], rows["globex"]["reading"]) == (4, False)
    assert rows["acme"]["exit_code"] == rows["initech"]["exit_code"] == 0
    assert "wrong" not in str(rows)


def test_a_secret_may_come_from_a_command_and_a_failing_one_stops_nobody(msp: ManagedCustomers) -> None:
    printing = shlex.join([sys.executable, "-c", f"print({msp.tenants['globex'].client_secret!r})"])
    msp.write_customer("globex", FALCON_CLIENT_SECRET=None, FALCON_CLIENT_SECRET_COMMAND=printing)
    failing = shlex.join([sys.executable, "-c", "import sys; sys.exit('leaked')"])
    msp.write_customer("initech", FALCON_CLIENT_SECRET=None, FALCON_CLIENT_SECRET_COMMAND=failing)
    done = msp.customers("check", "--format", "json", "--debug")
    rows = {row["customer"]: row for row in done.document["customers"]}
    assert [rows[name]["exit_code"] for name in ("acme", "globex", "initech")] == [0, 0, 4]
    program = Path(sys.executable).name
    assert (
        rows["initech"]["error"]["message"]
        == f"initech: FALCON_CLIENT_SECRET_COMMAND ({program}) failed with exit code 1."
    )
    assert msp.tenants["globex"].client_secret not in done.err + done.text
    assert "leaked" not in done.err + done.text


def test_secrets_older_than_90_days_are_named(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", FALCON_SECRET_SET="2020-01-01")
    for command in (("customers", "check"), ("overview", "--all-customers"), ("overview", "--customer", "globex")):
        done = msp.bare(*command)
        assert "Secrets older than 90 days: globex (" in done.text + done.err, command
        assert "acme (" not in done.text + done.err


def test_another_customers_credentials_are_noticed(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", tenant="initech", FALCON_CID=msp.tenants["globex"].cid)
    (msp.folder / "customers" / "initech.env").unlink()
    globex = msp.rows("check", code=4)["globex"]
    assert globex["cid"] == msp.tenants["initech"].cid
    assert (globex["cid_expected"], globex["reading"]) == (False, True)
    assert globex["error"]["code"] == "wrong_tenant"
    with msp.terminal("customers", "check", columns=80, customer=None) as terminal:
        lines = without_styling(terminal.finish().out).splitlines()
    (header,) = (line for line in lines if line.startswith("customer"))
    assert header.split() == ["customer", "cid", "expected", "reading", "alerts", "left"]
    assert [line.split()[2] for line in lines if line.startswith(("acme ", "globex "))] == ["yes", "no"]


@pytest.mark.slow
def test_a_missing_scope_is_named(msp: ManagedCustomers) -> None:
    msp.tenants["acme"].switches.scopes = "ioc:write"
    acme = msp.rows("check", code=4)["acme"]
    assert acme["reading"] is False
    assert acme["error"]["code"] == "missing_scope"
    assert "Alerts: Read" in acme["error"]["message"] + acme["error"]["hint"]


@pytest.mark.slow
def test_failures_of_one_kind_give_their_exit_code_and_of_several_6(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", FALCON_CLIENT_SECRET="wrong")
    msp.write_customer("initech", mode=0o640)
    assert msp.rows("check", code=4)["initech"]["error"]["code"] == "env_file"
    msp.write_customer("initech", FALCON_BASE_URL="http://127.0.0.1:9")
    msp.write_customer("acme")
    rows = msp.rows("check", code=6)
    assert [row["exit_code"] for row in rows.values()] == [0, 4, 5]


@pytest.mark.slow
def test_a_name_without_a_file_is_a_row(msp: ManagedCustomers) -> None:
    rows = msp.rows("check", "globx", "acme", code=4)
    assert rows["globx"]["error"]["code"] == "env_file"
    assert "globex" in rows["globx"]["error"]["hint"]
    assert rows["acme"]["error"] is None


@pytest.mark.slow
def test_a_file_with_a_problem_fails_although_its_login_works(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", FALCON_CIDS="x")
    globex = msp.rows("check", code=4)["globex"]
    assert globex["reading"] is True
    assert "FALCON_CIDS" in globex["error"]["message"]


@pytest.mark.slow
def test_a_tenant_without_alerts_cannot_confirm_its_cid(tmp_path: Path) -> None:
    tenant = Tenant(alerts=0)
    with Server(tenant) as server:
        acme = ManagedCustomers(tmp_path, server).rows("check", code=0)["acme"]
    assert (acme["cid"], acme["cid_expected"], acme["open_alerts"]) == (tenant.cid, None, 0)


def test_customers_are_checked_in_parallel(msp: ManagedCustomers) -> None:
    for tenant in msp.tenants.values():
        tenant.switches.latency_token = 3.0
    msp.rows("check", "--parallel-customers", "3", code=0)
    logins = [request for name in msp.tenants for request in msp.requests(name) if request.endpoint == "token"]
    assert max(login.at for login in logins) - min(login.at for login in logins) < 3e9


@pytest.mark.slow
def test_customers_can_be_checked_one_after_the_other(msp: ManagedCustomers) -> None:
    for tenant in msp.tenants.values():
        tenant.switches.latency_token = 0.3
    msp.rows("check", "--parallel-customers", "1", code=0)
    logins = [msp.requests(name)[0].at for name in msp.tenants]
    assert logins[2] - logins[1] >= 0.3e9 <= logins[1] - logins[0]


@pytest.mark.slow
def test_customers_can_be_selected_by_tag(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", FALCON_TAGS="gold")
    assert list(msp.rows("check", "--customer-tag", "gold", code=0)) == ["globex"]
    assert list(msp.rows("list", "--customer-tag", "gold", code=0)) == ["globex"]
    assert not msp.requests("acme")
    assert msp.customers("check", "acme", "--customer-tag", "gold").code == 2


@pytest.mark.slow
def test_no_secret_is_shown_when_logins_fail(msp: ManagedCustomers) -> None:
    for tenant in msp.tenants.values():
        tenant.faults.add(Fault(kind="html", status=403, endpoint="token", times=None))
    done = msp.customers("check", "--debug", "-v")
    assert done.code == 4, done
    shown = done.out + done.err.encode()
    assert not [secret for secret in msp.secrets() if secret in shown]


def test_a_folder_gets_the_checks_of_all_customers_in_one_file(msp: ManagedCustomers) -> None:
    done = msp.customers("check", "--all-customers", "-o", "reports/", "--output-format", "csv")
    assert done.code == 0, done
    (written,) = (msp.folder / "reports").iterdir()
    assert all(name in written.read_text() for name in msp.tenants)
