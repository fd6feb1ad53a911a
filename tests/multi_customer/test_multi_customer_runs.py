"""Several customers in one run: the same numbers as alone, nobody stopped by another, nothing of one at another."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from falcon_emulator import Fault, Server, Tenant
from tests.support.command import CommandResult, CommandRunner
from tests.support.many_tenants import NAMES, all_patches, make_tenants

HOLDS = "--override", "all"


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[CommandRunner]:
    with Server(make_tenants(3, alerts=120)) as server:
        yield CommandRunner(tmp_path, server)


def parts(done: CommandResult) -> dict[str, dict[str, object]]:
    assert done.document["schema"] == "falcon-bulk/multi/1"
    assert set(done.document) == {"schema", "exit_code", "customers", "across"}
    assert done.document["exit_code"] == done.code
    return {part["customer"]: part for part in done.document["customers"]}


def without_time(summary: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in summary.items() if key != "generated_at"}


@pytest.mark.slow
def test_a_multi_customer_run_of_hash_summary_equals_single_runs_and_shows_what_is_shared(
    serving: CommandRunner,
) -> None:
    done = serving.bare("hash-summary", "--all-customers", "--format", "json")
    assert done.code == 0, done
    for name, part in parts(done).items():
        alone = serving.json("hash-summary", customer=name)
        assert without_time(part["result"]) == without_time(alone)
        assert part["cid"] == serving.tenants[name].cid
    across = done.document["across"]["hashes"]
    assert len(across[0]["customers"]) == 3
    widths = [len(entry["customers"]) for entry in across]
    assert widths == sorted(widths, reverse=True)
    for name, seen in across[0]["customers"].items():
        rows = {row["sha256"]: row for row in parts(done)[name]["result"]["hashes"]}
        row = rows[across[0]["sha256"]]
        assert seen["alerts"] == row["alerts"]
        assert seen["open"] == row["alerts"] - row["by_status"].get("closed", 0)


@pytest.mark.parametrize("naming", [("--customer", NAMES[0], "--customer", NAMES[2]), ("--customer-tag", "gold")])
def test_a_multi_customer_run_is_named_by_several_customers_or_by_a_tag(
    serving: CommandRunner, naming: tuple[str, ...]
) -> None:
    for name in (NAMES[0], NAMES[2]):
        serving.write_env(f"customers/{name}.env", serving.env_texts[name] + "FALCON_TAGS=gold,eu\n")
    done = serving.bare("query", "--count", "--format", "json", *naming)
    assert {name: part["result"] for name, part in parts(done).items()} == {
        name: {"alerts": len(serving.tenants[name].store.by_id)} for name in (NAMES[0], NAMES[2])
    }


@pytest.mark.slow
def test_alerts_of_a_multi_customer_run_name_their_customer_and_come_as_falcon_sent_them(
    serving: CommandRunner,
) -> None:
    done = serving.bare("query", "--all-customers", "--all", "--format", "jsonl")
    assert done.code == 0, done
    for name, tenant in serving.tenants.items():
        mine = [line["alert"] for line in done.documents if line["customer"] == name]
        assert {alert["composite_id"] for alert in mine} == set(tenant.store.by_id)
        alone = {
            line["composite_id"]: line
            for line in serving("query", "--all", "--format", "jsonl", customer=name).documents
        }
        assert all(alone[alert["composite_id"]] == alert for alert in mine)


def test_a_failing_customer_stops_no_other(serving: CommandRunner) -> None:
    broken = NAMES[1]
    serving.write_env(f"customers/{broken}.env", serving.env_texts[broken].replace("SECRET=", "SECRET=x"))
    done = serving.bare("hash-summary", "--all-customers", "--format", "json")
    assert done.code == 6, done
    assert parts(done)[broken]["exit_code"] == 4
    assert parts(done)[broken]["result"] is None
    assert all(part["result"] for name, part in parts(done).items() if name != broken)


def test_if_all_fail_alike_the_code_is_theirs(serving: CommandRunner) -> None:
    for name, text in serving.env_texts.items():
        serving.write_env(f"customers/{name}.env", text.replace("SECRET=", "SECRET=x"))
    assert serving.bare("query", "--all-customers", "--count").code == 4


def test_each_customer_gets_a_report_of_its_own_and_it_names_no_other(serving: CommandRunner) -> None:
    before = time.strftime("%y%m%d", time.gmtime())
    done = serving.bare("hash-summary", "--all-customers", "-o", "reports/", "--output-format", "json")
    days = {before, time.strftime("%y%m%d", time.gmtime())}
    assert done.code == 0, done
    files = sorted(Path(serving.folder, "reports").iterdir())
    assert [file.name for file in files] in [
        [f"{name}_{day}_hash-summary.json" for name in sorted(serving.tenants)] for day in days
    ]
    for file in files:
        mine = json.loads(file.read_text())["customer"]
        text = file.read_text()
        for name, tenant in serving.tenants.items():
            assert name == mine or (tenant.cid not in text and f'"{name}"' not in text)


def test_changes_of_a_multi_customer_run_go_by_way_of_plans_and_one_question(serving: CommandRunner) -> None:
    assert serving.bare("bulk-close", "--all-customers", "--severity", "low", "--yes", "--max", "99").code == 2
    dry = serving.bare("bulk-close", "--all-customers", "--severity", "low", "--dry-run", "--plan", "plans", *HOLDS)
    assert dry.code == 0, dry
    assert all_patches(serving) == 0
    plans = sorted(Path(serving.folder, "plans").iterdir())
    assert [plan.name for plan in plans] == [f"{name}.plan" for name in sorted(serving.tenants)]
    assert all(plan.stat().st_mode & 0o777 == 0o600 for plan in plans)

    assert serving.bare("apply", "plans").code == 2
    assert serving.bare("apply", "plans", "--yes").code == 2
    assert all_patches(serving) == 0
    done = serving.bare("apply", "plans", "--yes", "--max", "500", "--format", "json")
    assert done.code == 0, done
    for name, part in parts(done).items():
        result = part["result"]
        assert result["changed"] == result["verified"] == result["planned"] > 0
        assert len(serving.patches(name)) == 1


@pytest.mark.slow
def test_the_question_of_a_multi_customer_run_wants_the_total(serving: CommandRunner) -> None:
    dry = serving.bare(
        "bulk-close", "--all-customers", "--severity", "low", "--dry-run", "--plan", "plans", "--format", "json"
    )
    total = sum(part["result"]["planned"] for part in parts(dry).values())
    for answer, code in ((f"{NAMES[0]} {total}", 3), (f"all {total}", 0)):
        with serving.terminal("apply", "plans", customer=None) as terminal:
            terminal.wait_for(f'Type "all {total}" to CLOSE {total} alerts of 3 customers:')
            terminal.type(f"{answer}\n")
            assert terminal.finish().code == code
        assert (all_patches(serving) > 0) == (code == 0)


@pytest.mark.slow
def test_a_bound_holds_for_each_customer(serving: CommandRunner) -> None:
    serving.bare("bulk-close", "--all-customers", "--severity", "low", "--dry-run", "--plan", "plans", *HOLDS)
    done = serving.bare("apply", "plans", "--yes", "--max", "1", "--format", "json")
    assert done.code == 7, done
    assert all_patches(serving) == 0


def test_swapped_credentials_are_refused_for_a_change(serving: CommandRunner) -> None:
    one, other = NAMES[:2]
    for name, theirs in ((one, other), (other, one)):
        mine = dict(line.split("=", 1) for line in serving.env_texts[name].splitlines())
        text = serving.env_texts[theirs].replace(f"={theirs}", f"={name}")
        text = text.replace(serving.tenants[theirs].cid, mine["FALCON_CID"])
        serving.write_env(f"customers/{name}.env", text)
        done = serving("bulk-close", "--severity", "low", "--yes", "--max", "500", customer=name)
        assert done.code == 4, done
    assert all_patches(serving) == 0


def test_the_same_cid_in_two_files_is_refused_for_a_change(serving: CommandRunner) -> None:
    serving.write_env("customers/twin.env", serving.env_texts[NAMES[0]].replace("ID=", "ID=0", 1))
    done = serving("bulk-close", "--severity", "low", "--yes", "--max", "500", customer=NAMES[0])
    assert done.code == 4, done
    assert "twin.env" in done.err
    assert all_patches(serving) == 0


def test_a_customer_is_pinned_to_its_cid_until_a_new_one_is_confirmed(serving: CommandRunner) -> None:
    one, other = NAMES[:2]
    close = ("bulk-close", "--severity", "low", "--yes", "--max", "500", "--override", "all")
    assert serving(*close, customer=one).code == 0
    serving.write_env(f"customers/{one}.env", serving.env_texts[other].replace(f"={other}", f"={one}"))
    (serving.folder / "customers" / f"{other}.env").unlink()
    refused = serving(*close, customer=one)
    assert refused.code == 4, refused
    assert "customers confirm" in refused.err
    assert not serving.patches(other)
    assert serving.bare("customers", "confirm", one).code == 0
    assert serving(*close, customer=one).code == 0
    assert serving.patches(other)


@pytest.mark.slow
def test_a_parent_is_refused_for_a_change_unless_its_children_are_listed(tmp_path: Path) -> None:
    tenant = Tenant(alerts=150, customer="acme", children=2)
    close = ("bulk-close", "--severity", "low", "--yes", "--max", "500", "--override", "all")
    with Server(tenant) as server:
        serving = CommandRunner(tmp_path, server)
        text = "".join(line for line in serving.env_texts["acme"].splitlines(True) if "FALCON_CID" not in line)
        serving.write_env("customers/acme.env", text)
        assert serving(*close).code == 4
        assert all_patches(serving) == 0
        everybody = ",".join((tenant.cid, *tenant.children))
        serving.write_env("customers/acme.env", f"{text}FALCON_CID={everybody}\n")
        assert serving(*close).code == 0
        child = tenant.children[1]
        serving.write_env("customers/acme.env", f"{text}FALCON_MEMBER_CID={child}\n")
        alerts = serving("query", "--all", "--format", "jsonl").documents
        assert {alert["cid"] for alert in alerts} == {child}


def test_nothing_of_one_customer_is_found_at_another(serving: CommandRunner) -> None:
    serving.bare("hash-summary", "--all-customers", "-o", "reports/")
    serving.bare("bulk-close", "--all-customers", "--severity", "low", "--dry-run", "--plan", "plans", *HOLDS)
    serving.bare("apply", "plans", "--yes", "--max", "500")
    state = Path(serving.folder, "state")
    for name, tenant in serving.tenants.items():
        others = [other for other in serving.tenants.values() if other is not tenant]
        mine = [
            *Path(serving.folder, "reports").glob(f"{name}_*"),
            Path(serving.folder, "plans", f"{name}.plan"),
            *state.glob(f"{tenant.cid}.*"),
        ]
        assert len(mine) >= 4
        streams = [serving("query", "--all", "--format", "jsonl", customer=name).out]
        for data in [*(path.read_bytes() for path in mine), *streams]:
            for other in others:
                assert other.cid.encode() not in data
                assert other.client_id.encode() not in data
                assert other.client_secret.encode() not in data


@pytest.mark.slow
def test_twenty_customers_are_read_in_less_than_a_third_of_their_summed_time(tmp_path: Path) -> None:
    twenty = make_tenants(20, alerts=200)
    for tenant in twenty:
        tenant.switches.latency_queries = tenant.switches.latency_combined = tenant.switches.latency_token = 0.3
    with Server(twenty) as server:
        serving = CommandRunner(tmp_path, server)
        summed, alone = 0.0, {}
        for name in NAMES:
            started = time.monotonic()
            alone[name] = serving.json("hash-summary", customer=name)
            summed += time.monotonic() - started
        started = time.monotonic()
        done = serving.bare("hash-summary", "--all-customers", "--parallel-customers", "10", "--format", "json")
        together = time.monotonic() - started
    assert done.code == 0, done
    assert {n: without_time(p["result"]) for n, p in parts(done).items()} == {
        n: without_time(a) for n, a in alone.items()
    }
    assert together < summed / 3


@pytest.mark.slow
def test_of_twenty_customers_two_fail_and_eighteen_are_complete(tmp_path: Path) -> None:
    twenty = make_tenants(20, alerts=200)
    down, wrong, busy = twenty[3], twenty[7], twenty[11]
    with Server(twenty) as server:
        serving = CommandRunner(tmp_path, server)
        server.call(lambda: down.faults.add(Fault(kind="status", status=503, endpoint="all", times=None)))
        serving.write_env(
            f"customers/{wrong.customer}.env", serving.env_texts[wrong.customer].replace("SECRET=", "SECRET=x")
        )
        server.call(lambda: busy.faults.add(Fault(kind="rate_limit", endpoint="combined", header="seconds", times=2)))
        busy.switches.latency_queries = 1.0
        done = serving.bare("hash-summary", "--all-customers", "--parallel-customers", "8", "--format", "json")
    assert done.code == 6, done
    codes = {name: part["exit_code"] for name, part in parts(done).items()}
    assert codes.pop(down.customer) == 5
    assert codes.pop(wrong.customer) == 4
    assert set(codes.values()) == {0}
    for name in codes:
        assert parts(done)[name]["result"]["alerts_read"] == len(serving.tenants[name].store.by_id)
