"""The control API, the switches and the server itself."""

import gc
import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from falcon_emulator import Fault, Server, Switches, Tenant
from falcon_emulator.serve import write_private
from tests.support.http_caller import Caller

from .conftest import Start


def test_switches_are_read_and_set_over_http(start: Start) -> None:
    caller = start()
    assert caller.control("GET", "switches").json()["window_error"] == 500
    caller.control("PATCH", "switches", {"window_error": 400, "index_lag": 2})
    assert caller.query(offset=10_000).status_code == 400
    assert caller.tenant.switches.index_lag == 2.0
    for wrong in ({"nothing": 1}, {"window_error": 404}, {"count_no_ops": "perhaps"}, []):
        assert caller.control("PATCH", "switches", wrong).status_code == 400


def test_a_switch_is_parsed_to_its_own_type() -> None:
    assert Switches.parse("window_error=400") == ("window_error", 400)
    assert Switches.parse("index_lag=1.5") == ("index_lag", 1.5)
    assert Switches.parse("count_no_ops=true") == ("count_no_ops", True)
    assert Switches.parse("scopes=alerts:read") == ("scopes", "alerts:read")
    assert Switches.of("unknown_id=ignored", "rate_limit=5").rate_limit == 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing=1", "there is no switch 'nothing'"),
        ("window_error", "NAME=VALUE"),
        ("window_error=404", "500 or 400, not '404'"),
        ("index_lag=soon", "float, not 'soon'"),
        ("unknown_id=", "only_itself or ignored"),
    ],
)
def test_an_unknown_switch_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Switches.parse(text)


def test_every_switch_is_described_by_one_line() -> None:
    described = Switches.describe()
    assert [switch.name for switch in described] == list(Switches.__struct_fields__)
    assert all(switch.meaning and "\n" not in switch.meaning for switch in described)
    assert {switch.name: switch.default for switch in described}["window_error"] == "500"


def test_every_default_and_choice_can_be_typed() -> None:
    for switch in Switches.describe():
        default = getattr(Switches(), switch.name)
        assert Switches.parse(f"{switch.name}={switch.default}") == (switch.name, default)
        for choice in switch.choices:
            assert Switches.of(f"{switch.name}={choice}")
        assert not switch.choices or switch.default in switch.choices


def test_the_page_names_switches_that_exist() -> None:
    text = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
    table = [line for line in text.splitlines() if line.startswith("|") and line.count("|") == 3]
    rows = [row.split("|")[2] for row in table[2:] if not row.startswith("| `")]
    named = [word for row in rows for word in re.findall(r"`([a-z_]+(?:=\w+)?)`", row)]
    assert len(named) > 15
    for word in named:
        name, _, value = word.partition("=")
        assert name in Switches.__struct_fields__ or any(name in switch.choices for switch in Switches.describe())
        if value:
            Switches.parse(word)


def test_a_misspelt_switch_cannot_be_set() -> None:
    with pytest.raises(AttributeError):
        Switches().index_lagg = 3  # type: ignore[attr-defined]


def test_alerts_are_described_as_json_lines(start: Start) -> None:
    caller = start()
    lines = [json.loads(line) for line in caller.control("GET", "alerts").text.splitlines()]
    assert len(lines) == 200
    assert {line["composite_id"] for line in lines} == set(caller.ids())
    assert sum(caller.tenant.request_log.alerts_by_kind.values()) == 200


def test_an_analyst_edits_alerts_through_the_control_api(start: Start) -> None:
    caller = start()
    composite_id = caller.ids("status:'new'")[0]
    edit = {
        "status": "in_progress",
        "assign": "bo.birch",
        "tags": ["a", "b"],
        "comment": "mine",
        "show_in_ui": False,
    }
    assert caller.control("POST", "edit", {"composite_ids": [composite_id], "set": edit}).json() == {"changed": 1}
    document = caller.document(composite_id)
    assert (document["status"], document["assigned_to_name"]) == ("in_progress", "bo.birch")
    assert (document["tags"], document["show_in_ui"]) == (["a", "b"], False)
    assert document["comments"][-1]["value"] == "mine"
    assert document["comments"][-1]["falcon_user_id"] == "analyst@example.com"
    assert caller.tenant.request_log.changes[-1].request == 0
    caller.control("POST", "edit", {"composite_ids": [composite_id], "set": {"assign": "", "tags": []}})
    assert "assigned_to_name" not in caller.document(composite_id)
    assert caller.document(composite_id)["tags"] == []


@pytest.mark.parametrize(
    "edit",
    [
        {"composite_ids": ["x"], "set": {}},
        {"composite_ids": [], "set": {"name": "x"}},
        {"composite_ids": [], "set": {"status": "open"}},
        {"set": {}},
    ],
)
def test_an_invalid_edit_is_400(shared: Caller, edit: object) -> None:
    assert shared.control("POST", "edit", edit).status_code == 400


def test_alerts_arrive(start: Start) -> None:
    caller = start()
    arrived = caller.control("POST", "arrive", {"count": 25}).json()["composite_ids"]
    assert len(set(arrived)) == 25
    assert set(caller.ids()[:25]) == set(arrived)
    assert {caller.document(composite_id)["status"] for composite_id in arrived} == {"new"}


def test_the_crawler_changes_only_updated_timestamp(start: Start) -> None:
    caller = start()
    ids = caller.ids()
    before = {document["composite_id"]: document for document in caller.entities(ids).json()["resources"]}
    assert caller.control("POST", "crawl", {"minutes": 60}).json() == {"crawled": 200}
    caller.use(caller.login().json()["access_token"])
    times = {"updated_timestamp": "", "crawled_timestamp": ""}
    for document in caller.entities(ids).json()["resources"]:
        former = before[document["composite_id"]]
        assert document["updated_timestamp"] > former["updated_timestamp"]
        assert document | times == former | times


def test_the_crawler_runs_by_itself_after_an_hour(start: Start) -> None:
    caller = start(token_seconds=100_000)
    caller.use(caller.login().json()["access_token"])
    arrived = caller.control("POST", "arrive", {"count": 40}).json()["composite_ids"]
    composite_id = next(
        composite_id for composite_id in arrived if "crawled_timestamp" in caller.document(composite_id)
    )
    before = caller.document(composite_id)
    caller.control("POST", "advance", {"seconds": 3500})
    assert caller.document(composite_id) == before
    caller.control("POST", "advance", {"seconds": 110})
    after = caller.document(composite_id)
    assert after["crawled_timestamp"] > before["crawled_timestamp"]
    assert after["updated_timestamp"] == after["crawled_timestamp"]


def test_control_requests_need_no_token_and_are_not_logged(start: Start) -> None:
    caller = start(login=False, bad_token_limit=0)
    for _ in range(3):
        assert caller.control("GET", "switches").status_code == 200
    assert caller.tenant.request_log.requests == []
    assert caller.control("GET", "nothing").status_code == 404


def test_the_request_log_masks_the_token_and_records_the_request(start: Start) -> None:
    caller = start()
    caller.combined(filter="status:'new'", limit=5)
    (line,) = [json.loads(line) for line in caller.control("GET", "requests").text.splitlines()][-1:]
    token = caller.session.headers["Authorization"].split()[1]
    assert (line["endpoint"], line["filter"], line["status"]) == ("combined", "status:'new'", 200)
    assert token not in json.dumps(line)
    assert line["token"] == "…" + token[-4:]


@pytest.mark.parametrize("name", ["queries", "entities", "combined", "patch", "token"])
def test_an_answer_takes_its_latency_and_no_longer(start: Start, name: str) -> None:
    caller = start(**{f"latency_{name}": 0.3})
    act = {
        "queries": caller.query,
        "entities": lambda: caller.entities(["x"]),
        "combined": caller.combined,
        "patch": lambda: caller.patch(["x"], ("unassign", "")),
        "token": caller.login,
    }[name]
    threads = [threading.Thread(target=act) for _ in range(16)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One after the other they would take 4.8 s: a machine that stalls may have most of them.
    assert 0.3 <= time.monotonic() - began < 4.0


@pytest.mark.parametrize(("in_flight", "seconds"), [(0, 0.2), (1, 0.2), (7, 0.8)])
def test_more_in_flight_than_it_works_on_at_a_time_are_slower_in_proportion(
    start: Start, in_flight: int, seconds: float
) -> None:
    caller = start(latency_combined=0.2, concurrency=2)
    caller.tenant.in_flight = in_flight
    began = time.monotonic()
    caller.combined(limit=1)
    assert time.monotonic() - began >= seconds
    assert caller.tenant.in_flight == in_flight, "it is counted as long as it is in flight"


def test_several_tenants_are_served_at_once() -> None:
    tenants = [Tenant(alerts=20, customer=name) for name in ("acme", "globex")]
    with Server(tenants) as server:
        assert len(set(server.urls)) == 2
        callers = [Caller(server, tenant) for tenant in tenants]
        assert not set(callers[0].ids()) & set(callers[1].ids())
        assert requests.post(server.urls[1] + "/oauth2/token", data={"client_id": "a"}, timeout=60).status_code == 400
        assert server.call(lambda: threading.current_thread().name) == "tenant_0"
        with pytest.raises(ZeroDivisionError):
            server.call(lambda: 1 / 0)
        for caller in callers:
            caller.session.close()


def test_a_request_whose_client_disconnected_ends_with_the_server(caplog: pytest.LogCaptureFixture) -> None:
    tenant = Tenant(alerts=5)
    tenant.faults.add(Fault(kind="delay", seconds=600))
    with Server(tenant) as server, pytest.raises(requests.Timeout):
        requests.post(server.url + "/oauth2/token", timeout=0.5)
    gc.collect()
    assert "Task was destroyed" not in caplog.text


def test_a_port_in_use_is_an_error_that_leaves_nothing_behind() -> None:
    tenant = Tenant(alerts=5)
    with Server(tenant) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), Server(Tenant(alerts=5), port=port):
            pass


def test_the_env_file_is_private_and_complete(tmp_path: Path) -> None:
    tenant = Tenant(alerts=5, children=1)
    path = tmp_path / "acme.env"
    write_private(path, tenant.env_text("http://127.0.0.1:1"))
    assert path.stat().st_mode & 0o777 == 0o600
    entries = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert entries == {
        "FALCON_CLIENT_ID": tenant.client_id,
        "FALCON_CLIENT_SECRET": tenant.client_secret,
        "FALCON_BASE_URL": "http://127.0.0.1:1",
        "FALCON_CID": f"{tenant.cid},{tenant.children[0]}",
        "FALCON_CUSTOMER": "acme",
    }
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_writes_the_env_file_when_it_is_ready_and_ends_cleanly(tmp_path: Path, number: int) -> None:
    path = tmp_path / "acme.env"
    code = (
        "import sys; from pathlib import Path; from falcon_emulator import Tenant, serve;"
        "serve(Tenant(alerts=50), write_env=Path(sys.argv[1]), ready=print)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    entries = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert requests.get(entries["FALCON_BASE_URL"] + "/emulator/switches", timeout=60).status_code == 200
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.decode().strip(), err) == (0, entries["FALCON_BASE_URL"], b"")
