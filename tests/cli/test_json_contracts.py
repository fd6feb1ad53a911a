"""The JSON documents that scripts build on, key for key."""

from typing import Any

import pytest

from falcon_emulator import Fault
from tests.support.command import CommandRunner
from tests.support.sampling import quick_first

RUN = {
    **dict.fromkeys(("schema", "run_id", "customer", "cid", "command", "status"), str),
    **dict.fromkeys(("exit_code", "selected", "planned", "changed", "failed", "drifted", "unknown"), int),
    **dict.fromkeys(("not_sent", "verified", "batches", "requests"), int),
    **dict.fromkeys(("operator", "selection", "comment"), str),
    **dict.fromkeys(("actions", "overridden", "items", "incomplete"), list),
    **dict.fromkeys(("skipped", "held"), dict),
    "seconds": (int, float),
    "plan_file": (str, type(None)),
    "errors": list,
}
HASH_SUMMARY = {
    **dict.fromkeys(("schema", "customer", "generated_at", "filter"), str),
    **dict.fromkeys(("alerts_read", "alerts_with_hash", "unique_hashes"), int),
    **dict.fromkeys(("by_severity", "by_product", "by_day"), dict),
    "hashes": list,
    "related": list,
    "incomplete": list,
}
HASH = {
    "sha256": str,
    "alerts": int,
    "by_status": dict,
    "by_product": dict,
    "hosts": int,
    "max_severity": (int, float, type(None)),
    "first_seen": str,
    "last_seen": str,
    "names": list,
    "filenames": list,
    "fields": list,
    "other_fields": list,
    "md5": (str, type(None)),
    "by_resolution": dict,
}
ELSEWHERE = {"sha256": str, "md5": (str, type(None)), "alerts": int, "fields": list, "filenames": list}
RUNS_ROW = {
    **dict.fromkeys(("run_id", "customer", "cid", "command", "status", "started"), str),
    **dict.fromkeys(("operator", "selection", "comment", "rule"), str),
    **dict.fromkeys(("actions", "overridden"), list),
    "finished": (str, type(None)),
    "planned": int,
    "changed": int,
}
FREELY = ("--yes", "--max", "1000", "--override", "all", "--batch-delay", "0")


def assert_shape(document: dict[str, Any], shape: dict[str, Any]) -> None:
    assert set(document) == set(shape)
    for key, kind in shape.items():
        assert isinstance(document[key], kind), key


def test_hash_summary(readable: CommandRunner) -> None:
    document = readable.json("hash-summary", "--since", "4000d")
    assert_shape(document, HASH_SUMMARY)
    assert document["schema"] == "falcon-bulk/hash-summary/1"
    assert document["customer"] == "acme"
    assert document["generated_at"].endswith("Z")
    assert document["filter"].startswith("created since ")
    assert all(sum(document[by].values()) == document["alerts_read"] for by in ("by_severity", "by_product", "by_day"))
    for row in document["hashes"]:
        assert_shape(row, HASH)
        assert row["alerts"] == sum(row["by_status"].values()) == sum(row["by_product"].values())
        assert len(row["names"]) <= 5
        assert len(row["filenames"]) <= 5
        assert set(row["fields"]) <= {"sha256", "entities.sha256", "ioc_value"}
    for row in document["related"]:
        assert_shape(row, ELSEWHERE)


@pytest.mark.slow
def test_a_run_dry_and_real_and_with_nothing_to_do_and_in_the_journal(acme: Any) -> None:
    shell = acme(alerts=80)
    change = ("bulk-close", "--product", "epp", *FREELY)
    dry = shell.json("bulk-close", "--product", "epp", "--override", "all", "--dry-run", "--plan", "acme.plan")
    real = shell.json(*change)
    nothing = shell.json(*change)
    for document, status in ((dry, "dry_run"), (real, "success"), (nothing, "nothing_to_do")):
        assert_shape(document, RUN)
        assert document["schema"] == "falcon-bulk/run/1"
        assert (document["status"], document["exit_code"]) == (status, 0)
        assert (document["customer"], document["cid"]) == ("acme", shell.tenant.cid)
        assert document["command"] == "bulk-close"
        assert document["errors"] == []
    assert dry["plan_file"] == "acme.plan"
    assert (shell.folder / "acme.plan").exists()
    assert real["requests"] > real["batches"] == 1

    listed = shell.json("runs", "list")
    assert (set(listed), listed["schema"]) == ({"schema", "runs"}, "falcon-bulk/runs/1")
    (row,) = listed["runs"]
    assert_shape(row, RUNS_ROW)
    assert (row["run_id"], row["changed"]) == (real["run_id"], real["changed"])

    shown = shell.json("runs", "show", real["run_id"])
    assert_shape({key: value for key, value in shown.items() if key != "alerts"}, RUN)
    assert {alert["composite_id"] for alert in shown["alerts"]} == {c.composite_id for c in shell.changes()}
    for alert in shown["alerts"]:
        assert set(alert) == {"composite_id", "before", "outcome", "reason", "rule"}
        assert alert["outcome"] == "changed"


def test_a_partial_run_lists_its_errors(acme: Any) -> None:
    shell = acme(alerts=80)
    refused = [alert["composite_id"] for alert in shell.alerts() if alert["status"] == "new"][:2]
    shell.server.call(
        lambda: shell.tenant.faults.add(
            Fault(
                kind="poison", endpoint="patch", ids=refused, mode="only_itself", status=400, text="locked", times=None
            )
        )
    )
    done = shell("bulk-close", "--status", "new", *FREELY, "--format", "json")
    assert done.code == 6, done
    document = done.document
    assert_shape(document, RUN)
    assert (document["status"], document["exit_code"], document["failed"]) == ("partial", 6, 2)
    assert document["planned"] == document["changed"] + 2
    assert {problem["message"] for problem in document["errors"]} == {"locked"}
    for problem in document["errors"]:
        assert set(problem) == {"code", "message", "trace_id", "ids"}
    assert set(refused) == {composite_id for problem in document["errors"] for composite_id in problem["ids"]}


@pytest.mark.parametrize(
    ("argv", "code", "kind"),
    quick_first(
        (("query", "--hash", "zz"), 2, "usage"),
        (("query", "--no-such-option"), 2, "usage"),
        (("no-such-command",), 2, "usage"),
        (("query", "--customer", "nobody"), 4, "env_file"),
        (("query", "--filter", "created_timestamp:*'2026*'", "--customer", "acme"), 2, "bad_filter"),
        (("bulk-close", "--product", "epp", "--dry-run", "--max", "0", "--customer", "acme"), 7, "refused"),
        (("runs", "show", "nosuchrun", "--customer", "acme"), 7, "refused"),
        quick=4,
    ),
)
def test_an_error_is_the_one_document(readable: CommandRunner, argv: tuple[str, ...], code: int, kind: str) -> None:
    for form in (("--format", "json"), ("--format=json",)):
        done = readable.bare(*argv, *form)
        assert done.code == code, done
        document = done.document
        assert set(document) == {"schema", "error", "exit_code"}
        assert document["schema"] == "falcon-bulk/error/1"
        assert document["exit_code"] == code
        of_falcon = {"trace_id"} if kind == "bad_filter" else set()
        assert set(document["error"]) == {"code", "message", "hint"} | of_falcon
        assert document["error"]["code"] == kind
        assert f"Error: {document['error']['message']}" in done.err


@pytest.mark.slow
def test_an_error_in_another_format_leaves_stdout_empty(readable: CommandRunner) -> None:
    for fmt in ("table", "jsonl", "csv", "markdown"):
        assert readable("query", "--hash", "zz", "--format", fmt).out == b""


@pytest.mark.parametrize(
    ("command", "formats"),
    quick_first(
        ("query", "table markdown csv json jsonl"),
        ("hash-summary", "table markdown csv json html"),
        ("close-hash", "table markdown json"),
        ("bulk-close", "table markdown json"),
    ),
)
def test_a_format_that_a_command_has_not_is_refused_before_any_request(
    readable: CommandRunner, command: str, formats: str
) -> None:
    for fmt in sorted({"csv", "jsonl", "html"} - set(formats.split())):
        done = readable(command, "--hash", "ab" * 32, "--format", fmt)
        assert (done.code, done.requests) == (2, []), fmt
        assert "is not available as" in done.err
