"""What the commands print as JSON, held against the schemas that are shipped."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import falcon_bulk
from falcon_emulator import Fault
from tests.support.command import COMMAND, CommandResult, CommandRunner
from tests.support.json_schemas import PREFIX, assert_counts_add_up, assert_valid, schemas
from tests.support.sampling import quick_first

FREELY = ("--yes", "--max", "1000", "--override", "all", "--batch-delay", "0")
Serve = Callable[..., CommandRunner]


def kept(done: CommandResult, schema: str, code: int = 0) -> dict[str, Any]:
    """The command's one document, of that schema, which agrees with the exit code."""
    assert done.code == code, done
    document = assert_valid(done.document)
    assert document["schema"] == f"{PREFIX}{schema}/1"
    assert document.get("exit_code", code) == code
    return document


def a_run(shell: CommandRunner, status: str, *argv: str, code: int = 0) -> dict[str, Any]:
    document = kept(shell(*argv, "--format", "json"), "run", code)
    assert_counts_add_up(document)
    assert document["status"] == status, document
    return document


def a_journalled_run(shell: CommandRunner, run_id: str) -> dict[str, Any]:
    """What `runs show` tells of a run; the exit code in the document is that of the run."""
    done = shell("runs", "show", run_id, "--format", "json")
    assert done.code == 0, done
    assert_counts_add_up(done.document)
    return assert_valid(done.document)


# The schemas themselves


def test_a_schema_is_shipped_for_each_document_that_the_code_names() -> None:
    source = Path(falcon_bulk.__file__).parent
    named = {
        name
        for room in ("report", "cli")
        for file in (source / room).glob("*.py")
        for name in re.findall(r'"(falcon-bulk/[a-z-]+/\d+)"', file.read_text(encoding="utf-8"))
    }
    assert named == set(schemas())


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_schema_is_one_and_is_called_like_its_documents(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "urn:" + name.replace("/", ":")
    assert schema["properties"]["schema"] == {"const": name}
    assert "schema" in schema["required"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: run.pop("verified"),
        lambda run: run.update(status="done"),
        lambda run: run.update(planned="120"),
        lambda run: run.update(another_key=1),
        lambda run: run["errors"].append({"code": 400, "message": "locked"}),
    ],
    ids=["missing", "another word", "text for a number", "not described", "deeper"],
)
def test_a_document_that_breaks_its_contract_is_noticed(spoil: Callable[[dict[str, Any]], object]) -> None:
    numbers = ("selected", "planned", "changed", "failed", "drifted", "unknown", "not_sent", "verified")
    run: dict[str, Any] = {
        **{"schema": "falcon-bulk/run/1", "run_id": "261124abcdef", "customer": "acme", "cid": "ab"},
        **{"command": "undo", "status": "success", "exit_code": 0, "skipped": {}, "held": {"case": 1}},
        **dict.fromkeys(numbers, 0),
        **{"batches": 0, "requests": 2, "seconds": 0.4, "plan_file": None, "errors": []},
        **{"operator": "ann", "selection": "status new", "comment": "Closed", "actions": ["status: closed"]},
        **{"overridden": [], "items": [], "incomplete": []},
    }
    assert_valid(run)
    spoil(run)
    with pytest.raises(AssertionError):
        assert_valid(run)


# What is read


@pytest.mark.parametrize(
    ("argv", "schema"),
    quick_first(
        (("hash-summary", "--top", "3"), "hash-summary"),
        (("summary", "--by", "severity,product", "--by", "name*status", "--top", "2"), "summary"),
        (("customers", "check"), "customers"),
        (("hash-summary", "--host", "no-such-host"), "hash-summary"),
        (("summary", "--outliers"), "summary"),
        (("runs", "list"), "runs"),
        (("overview",), "overview"),
        (("report", "--since", "30d", "--operators"), "report"),
        (("customers", "list"), "customers"),
        quick=2,
    ),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_a_reading_command_prints(acme: Serve, argv: tuple[str, ...], schema: str) -> None:
    kept(acme().bare(*argv, "--format", "json", *(() if schema == "customers" else ("--customer", "acme"))), schema)


def test_what_doctor_prints_well_and_ill(acme: Serve) -> None:
    shell = acme()
    well = kept(shell("doctor", "--format", "json"), "doctor")
    assert {check["status"] for check in well["checks"]} >= {"ok", "skipped"}
    probed = kept(shell("doctor", "--probe", "--quick", "--format", "json"), "doctor")
    assert {finding["question"] for finding in probed["probe"]} >= {"hidden alerts", "clock"}
    shell.env_file.chmod(0o644)
    ill = kept(shell("doctor", "--format", "json"), "doctor", 4)
    assert "fail" in {check["status"] for check in ill["checks"]}


@pytest.mark.slow
def test_what_is_printed_where_there_is_nothing_to_tell(acme: Serve) -> None:
    shell = acme()
    assert kept(shell("resume", "--format", "json"), "runs")["runs"] == []
    assert kept(shell("runs", "prune", "--format", "json"), "runs")["runs"] == []
    (confirmed,) = kept(shell("customers", "confirm", "acme", "--format", "json"), "customers")["customers"]
    assert confirmed["customer"] == "acme"
    kept(shell("customers", "confirm", "../acme", "--format", "json"), "error", 2)


def test_what_schedule_prints(acme: Serve) -> None:
    shell = acme()
    for when in (("--daily", "07:00"), ("--at", "0 7 * * 1")):
        done = shell.bare("schedule", *when, "--format", "json", "--", "hash-summary", "--customer", "acme")
        kept(done, "schedule")


# What is changed


def test_a_run_from_its_dry_run_to_its_undoing(acme: Serve) -> None:
    shell = acme()
    select = ("bulk-close", "--product", "epp", "--override", "all")
    assert a_run(shell, "dry_run", *select, "--dry-run", "--plan", "epp.plan")["plan_file"] == "epp.plan"
    done = a_run(shell, "success", "apply", "epp.plan", "--yes", "--override", "all", "--batch-delay", "0")
    a_run(shell, "nothing_to_do", *select, "--yes", "--max", "500")
    assert len(a_journalled_run(shell, done["run_id"])["alerts"]) == done["planned"] > 0
    a_run(shell, "success", "undo", done["run_id"], *FREELY[:3], "--batch-delay", "0")
    listed = kept(shell("runs", "--format", "json"), "runs")
    assert [row["command"] for row in listed["runs"]] == ["undo", "bulk-close"]


@pytest.mark.slow
def test_a_run_of_which_some_or_all_alerts_fail_or_have_drifted(acme: Serve) -> None:
    shell = acme()
    ids = [alert["composite_id"] for alert in shell.alerts() if alert["status"] == "new"]
    fault: dict[str, Any] = {"kind": "poison", "endpoint": "patch", "mode": "only_itself", "status": 400}
    shell.server.call(lambda: shell.tenant.faults.add(Fault(ids=ids[:2], text="locked", times=None, **fault)))
    partial = a_run(shell, "partial", "bulk-close", "--status", "new", *FREELY, code=6)
    assert partial["failed"] == 2
    assert partial["errors"]
    failed = a_run(shell, "failed", "bulk-close", "--status", "new", *FREELY, code=6)
    shown = a_journalled_run(shell, failed["run_id"])["alerts"]
    assert [(alert["outcome"], bool(alert["reason"])) for alert in shown] == [("failed", True)] * 2


@pytest.mark.slow
def test_a_dry_run_of_hashes_with_its_outliers(acme: Serve) -> None:
    shell = acme()
    hashes = ",".join(sorted(shell.hashes())[:9])
    dry = a_run(shell, "dry_run", "close-hash", "--hash", hashes, "--override", "all", "--dry-run")
    assert {group["sha256"] for group in dry["outliers"]["groups"]} <= set(hashes.split(","))
    assert dry["outliers"]["groups"]


@pytest.mark.slow
def test_a_run_of_indicators_from_its_dry_run_to_its_undoing(acme: Serve) -> None:
    shell = acme()
    first, second = sorted(shell.hashes())[:2]
    allow = ("allow-hash", "--platform", "windows", "--global", "--format", "json", "--hash")
    assert an_allowing(shell, *allow, first, "--dry-run")["not_sent"] == 1
    done = an_allowing(shell, *allow, first, "--yes", "--max", "1")
    assert [entry["outcome"] for entry in done["hashes"]] == ["created"]
    assert an_allowing(shell, *allow, f"{first},{second}", "--dry-run")["skipped"] == {"already": 1}
    an_allowing(shell, "runs", "show", done["run_id"], "--format", "json")
    undone = an_allowing(shell, "undo", done["run_id"], "--yes", "--max", "1", "--format", "json")
    assert (undone["created"], undone["deleted"]) == (0, 1)


def an_allowing(shell: CommandRunner, *argv: str) -> dict[str, Any]:
    document = kept(shell(*argv), "allow")
    assert_counts_add_up(document | {"changed": document["created"] + document["deleted"]})
    return document


def test_a_run_that_is_declined(acme: Serve) -> None:
    with acme().terminal("bulk-close", "--product", "epp", "--format", "json", out_to_pipe=True) as terminal:
        terminal.wait_for("to CLOSE ")
        terminal.type("no\n")
        done = terminal.finish()
    assert kept(done, "run", 3)["status"] == "declined"


@pytest.mark.slow
def test_a_run_that_is_interrupted_and_abandoned(acme: Serve) -> None:
    shell = acme(latency_patch=0.8)
    slowly = (*FREELY[:-1], "600", "--batch-size", "5")
    command = ("bulk-close", "--product", "epp", *slowly, "--format", "json", "--customer", "acme")
    with subprocess.Popen(
        [*COMMAND, *command],
        cwd=shell.folder,
        env=shell.environment(),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 60
        while not any(request.endpoint == "patch" for request in shell.requests()):
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    document = assert_valid(json.loads(out))
    assert_counts_add_up(document)
    assert (document["status"], document["exit_code"], process.returncode) == ("interrupted", 130, 130)
    (row,) = kept(shell("runs", "--format", "json"), "runs")["runs"]
    assert row["status"] == "unfinished"
    assert a_journalled_run(shell, row["run_id"])["status"] == "interrupted"
    kept(shell("bulk-close", "--product", "idp", *FREELY, "--format", "json"), "error", 8)
    abandoned = shell("runs", "abandon", row["run_id"], "--format", "json")
    assert assert_valid(abandoned.document)["not_sent"] > 0
    kept(shell("bulk-close", "--product", "idp", *FREELY, "--format", "json"), "run")


# Several customers


@pytest.mark.parametrize(
    "argv",
    quick_first(
        (("hash-summary",),),
        (("summary", "--by", "severity"),),
        (("query", "--count"),),
        (("query", "--limit", "3"),),
        (("query", "--limit", "3", "--fields", "status,severity"),),
        (("runs",),),
        (("bulk-close", "--product", "epp", "--dry-run", "--plan", "plans/"),),
        quick=1,
    ),
    ids=" ".join,
)
def test_a_multi_customer_run_of_any_command_one_of_whose_customers_fails(
    two: CommandRunner, argv: tuple[str, ...]
) -> None:
    two.write_env("customers/initech.env", "FALCON_CLIENT_ID=abc\n")
    document = kept(two.bare(*argv, "--all-customers", "--format", "json"), "multi", 6)
    assert [part["error"] is None for part in document["customers"]] == [True, True, False]
    assert (document["across"] is None) == (argv[0] != "hash-summary")


@pytest.mark.slow
def test_a_multi_customer_run_of_changes(two: CommandRunner) -> None:
    plans = ("bulk-close", "--product", "epp", "--override", "all", "--dry-run", "--plan", "plans/")
    kept(two.bare(*plans, "--all-customers", "--format", "json"), "multi")
    done = kept(two.bare("apply", "plans/", "--yes", "--max", "500", "--format", "json"), "multi")
    assert [part["result"]["status"] for part in done["customers"]] == ["success", "success"]


# What goes wrong


@pytest.mark.parametrize(
    ("argv", "code", "word"),
    quick_first(
        (("bulk-close", "--product", "epp"), 2, "usage"),
        (("no-such-command",), 2, "usage"),
        (("query", "--filter", "created_timestamp:*'2026*'"), 2, "bad_filter"),
        (("query", "--env-file", "nowhere.env"), 4, "env_file"),
        (("undo", "nosuchrun", "--yes", "--max", "1"), 7, "refused"),
        quick=2,
    ),
)
def test_an_error_of_the_command_line(acme: Serve, argv: tuple[str, ...], code: int, word: str) -> None:
    customer = () if "--env-file" in argv else ("--customer", "acme")
    done = acme().bare(*argv, *customer, "--format", "json")
    assert kept(done, "error", code)["error"]["code"] == word


@pytest.mark.parametrize(
    ("switches", "fault", "code", "word"),
    quick_first(
        ({"scopes": "alerts:write"}, {}, 4, "missing_scope"),
        ({"ip_allowed": False}, {}, 4, "login_refused"),
        ({}, {"kind": "status", "status": 503}, 5, "unreachable"),
        ({}, {"kind": "status", "status": 409, "text": "not now"}, 5, "rejected"),
        quick=1,
    ),
)
def test_an_error_of_falcon(acme: Serve, switches: dict[str, Any], fault: dict[str, Any], code: int, word: str) -> None:
    shell = acme(**switches)
    if fault:
        shell.server.call(lambda: shell.tenant.faults.add(Fault(endpoint="combined", times=None, **fault)))
    assert kept(shell("hash-summary", "--format", "json"), "error", code)["error"]["code"] == word


def test_an_error_that_nobody_foresaw(acme: Serve) -> None:
    shell = acme()
    shell.write_env("sitecustomize.py", "import falcon_bulk.model.clock as broken\ndel broken.SystemClock\n")
    path = f"{shell.folder}:{shell.environment()['PYTHONPATH']}"
    done = shell("query", "--format", "json", env={"PYTHONPATH": path})
    assert kept(done, "error", 1)["error"]["code"] == "unexpected"
