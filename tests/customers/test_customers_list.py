"""falcon-bulk customers list: every file with its problems, and no request."""

import csv
import io

import pytest

from tests.support.managed_customers import ManagedCustomers
from tests.support.sampling import quick_first


def test_every_file_is_listed_with_its_values(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", FALCON_OPERATOR="ann", FALCON_TAGS="gold, emea", FALCON_SECRET_SET="2026-11-02")
    rows = msp.rows(code=0)
    assert list(rows) == ["acme", "globex", "initech"]
    assert rows["globex"] == {
        "customer": "globex",
        "file": "customers/globex.env",
        "region": msp.urls["globex"].removeprefix("http://"),
        "cids": [msp.tenants["globex"].cid],
        "operator": "ann",
        "tags": ["gold", "emea"],
        "problems": [],
        "secret_set": "2026-11-02",
        "member_cid": "",
    }
    assert msp.all_requests() == 0


def test_a_region_is_shown_by_its_name(msp: ManagedCustomers) -> None:
    msp.write_customer("acme", FALCON_BASE_URL="EU1")
    msp.write_customer("globex", FALCON_BASE_URL=None)
    rows = msp.rows(code=0)
    assert (rows["acme"]["region"], rows["globex"]["region"]) == ("eu-1", "us-1")


@pytest.mark.parametrize(
    ("values", "problem"),
    quick_first(
        ({"FALCON_CLIENT_ID": None}, "FALCON_CLIENT_ID is missing."),
        ({"FALCON_CLIENT_SECRET": ""}, "FALCON_CLIENT_SECRET is blank."),
        ({"FALCON_BASE_URL": "https://evil.example"}, "evil.example"),
        ({"FALCON_CID": "not/a/cid"}, "FALCON_CID contains a value that is not a CID."),
        ({"FALCON_MEMBER_CID": "a1,b2"}, "FALCON_MEMBER_CID names more than one CID."),
        ({"FALCON_CIDS": "a1"}, "unknown key FALCON_CIDS is ignored; did you mean FALCON_CID?"),
        ({"FALCON_BULK_READ_ONLY": "maybe"}, "FALCON_BULK_READ_ONLY is neither yes nor no."),
        ({"FALCON_BULK_STATE_DIR": "/tmp"}, "FALCON_BULK_STATE_DIR is ignored"),
        ({"FALCON_CUSTOMER": "acme"}, "FALCON_CUSTOMER is acme, not globex"),
        ({"FALCON_CLIENT_SECRET": "'cut off"}, "line 2: not a valid KEY=value line."),
        quick=2,
    ),
)
def test_a_files_problem_is_in_its_row_and_the_others_are_listed(
    msp: ManagedCustomers, values: dict[str, str | None], problem: str
) -> None:
    msp.write_customer("globex", **values)
    rows = msp.rows(code=4)
    assert len(rows) == 3
    assert rows["acme"]["problems"] == rows["initech"]["problems"] == []
    assert len(rows["globex"]["problems"]) == 1
    assert problem in rows["globex"]["problems"][0]
    assert "cut off" not in str(rows)


def test_all_problems_of_a_file_are_reported_at_once(msp: ManagedCustomers) -> None:
    msp.write_customer(
        "globex", FALCON_CLIENT_ID=None, FALCON_CLIENT_SECRET="", FALCON_TGAS="gold", FALCON_OPERATOR="ann"
    )
    globex = msp.rows(code=4)["globex"]
    assert [problem.split(" ")[0] for problem in globex["problems"]] == [
        "FALCON_CLIENT_ID",
        "FALCON_CLIENT_SECRET",
        "unknown",
    ]
    assert globex["operator"] == "ann"


def test_a_file_readable_by_others_is_reported_with_the_command_that_fixes_it(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", mode=0o644)
    globex = msp.rows(code=4)["globex"]
    assert "mode 644" in globex["problems"][0]
    assert globex["problems"][0].endswith("chmod 600 customers/globex.env")
    assert globex["cids"] == []


def test_entries_that_are_no_customer_file_are_rows_too(msp: ManagedCustomers) -> None:
    (msp.folder / "customers" / "folder.env").mkdir()
    (msp.folder / "customers" / "gone.env").symlink_to("nowhere")
    msp.write_env("customers/a b.env", "FALCON_CLIENT_ID=x\nFALCON_CLIENT_SECRET=y\nFALCON_CUSTOMER=x\n")
    msp.write_env("customers/notes.txt", "nothing of ours")
    rows = msp.rows(code=4)
    assert list(rows) == ["a b", "acme", "folder", "globex", "gone", "initech"]
    assert "not a regular file" in rows["folder"]["problems"][0]
    assert "does not exist" in rows["gone"]["problems"][0]
    assert "not a valid customer name" in rows["a b"]["problems"][0]


def test_the_same_credentials_in_two_files_are_wrong_in_both(msp: ManagedCustomers) -> None:
    cid = msp.tenants["acme"].cid
    msp.write_customer("globex", tenant="acme", FALCON_CID="0123456789abcdef0123456789abcdef")
    rows = msp.rows(code=4)
    assert rows["acme"]["problems"] == ["It has the same credentials as globex.env."]
    assert rows["globex"]["problems"] == ["It has the same credentials as acme.env."]
    assert rows["initech"]["problems"] == []
    msp.write_customer("globex", FALCON_CID=f"{cid.upper()}-0F")
    rows = msp.rows(code=4)
    assert rows["acme"]["problems"] == ["It has a CID in common with globex.env (FALCON_CID)."]
    assert rows["globex"]["problems"] == ["It has a CID in common with acme.env (FALCON_CID)."]


def test_one_client_for_two_members_is_no_problem(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", tenant="acme", FALCON_CID="b1", FALCON_MEMBER_CID="b1")
    msp.write_customer("initech", tenant="acme", FALCON_CID="c1", FALCON_MEMBER_CID="c1")
    assert all(row["problems"] == [] for row in msp.rows(code=0).values())


@pytest.mark.slow
def test_no_secret_is_in_any_output(msp: ManagedCustomers) -> None:
    msp.write_customer("globex", tenant="acme", FALCON_CIDS="x")
    for fmt in ("table", "markdown", "csv", "json"):
        done = msp.customers("list", "--format", fmt, "-o", f"out{'.md' if fmt == 'markdown' else '.json'}")
        assert done.code == 4, done
        shown = done.out + done.err.encode()
        assert not [secret for secret in msp.secrets() if secret in shown]
    assert not [secret for secret in msp.secrets() if secret in (msp.folder / "out.json").read_bytes()]


@pytest.mark.slow
def test_a_csv_has_a_line_for_each_customer(msp: ManagedCustomers) -> None:
    done = msp.customers("--format", "csv")
    lines = list(csv.DictReader(io.StringIO(done.text)))
    assert [line["customer"] for line in lines] == ["acme", "globex", "initech"]


@pytest.mark.slow
def test_a_missing_folder_is_an_error(msp: ManagedCustomers) -> None:
    done = msp.customers("--customers-dir", "costumers")
    assert done.code == 4
    assert "Cannot read the customers' folder costumers" in done.err
    assert "--customers-dir" in done.err
    (msp.folder / "empty").mkdir()
    done = msp.customers("--customers-dir", "empty")
    assert done.code == 0
    assert "no env file in empty" in done.err


def test_a_customer_is_not_named_by_an_option(msp: ManagedCustomers) -> None:
    done = msp.customers("list", "--customer", "acme")
    assert done.code == 2
    assert "customers check NAME" in done.err
