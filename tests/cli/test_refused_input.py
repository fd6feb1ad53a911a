"""What cannot be carried out is said before it is tried: with its exit code, what is wrong, and what to do."""

from typing import Any

import pytest

from falcon_emulator import Fault
from tests.support.command import CommandResult, CommandRunner
from tests.support.raw_server import closed_port
from tests.support.sampling import quick_first

HASH = "ab" * 32
COMMANDS = {
    "query": ("query",),
    "hash-summary": ("hash-summary",),
    "close-hash": ("close-hash", "--dry-run"),
    "bulk-close": ("bulk-close", "--dry-run"),
}


def assert_one_error(done: CommandResult, code: int, *words: str) -> None:
    """`Error:` and at most a `Hint:`, one line each, with these words in them; nothing on stdout."""
    lines = [line for line in done.err.splitlines() if not line.startswith("Note: ")]
    assert done.code == code, done
    assert lines[0].startswith("Error: "), done
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("Hint: ")), done
    assert done.out == b""
    for word in words:
        assert word in done.err, (word, done.err)


# Values that would become part of a filter


@pytest.mark.parametrize(
    ("command", "value"),
    quick_first(
        ("query", "x'+platform_name:'Linux"),
        ("hash-summary", "x'+platform_name:'Linux"),
        ("close-hash", "x'+platform_name:'Linux"),
        ("bulk-close", "x'+platform_name:'Linux"),
        ("query", HASH + "\n"),
        ("close-hash", HASH + "\n"),
        ("bulk-close", "\n" + HASH),
        ("query", "ab" * 16),
        ("query", HASH[:-1]),
        ("close-hash", HASH + "0"),
        ("close-hash", HASH[:-1] + "g"),
        ("close-hash", "*"),
        quick=5,
    ),
)
def test_what_is_not_64_hex_digits_is_no_hash(readable: CommandRunner, command: str, value: str) -> None:
    done = readable(*COMMANDS[command], "--hash", value)
    assert_one_error(done, 2, repr(value), "64")
    assert not done.requests


@pytest.mark.parametrize("value", quick_first("x'+platform_name:'Linux", 'a"b', "a b", "a\\b", "*", "a\x1b[31m", "a\n"))
def test_what_is_no_host_is_not_put_into_a_filter(readable: CommandRunner, value: str) -> None:
    done = readable("query", "--host", value)
    assert_one_error(done, 2)
    assert not done.requests
    assert "\x1b" not in done.err


@pytest.mark.parametrize(
    ("option", "value"),
    quick_first(
        ("--product", "epp'"),
        ("--name", "a'b"),
        ("--name", "*"),
        ("--since", "yesterday"),
        ("--until", "2026-13-40"),
        ("--severity", "urgent"),
        ("--sort", "created_timestamp"),
        ("--sort", "a'b.desc"),
        ("--limit", "0"),
        ("--readers", "0"),
        ("--filter", "status:'new'+(product:'epp'"),
        ("--filter", "status:'new')+(product:'epp'"),
        ("--filter", "status:'new"),
        quick=2,
    ),
)
def test_a_value_out_of_place_is_refused_before_any_request(readable: CommandRunner, option: str, value: str) -> None:
    done = readable("query", option, value)
    assert_one_error(done, 2)
    assert not done.requests
    assert any(word in done.err for word in (option, repr(value), "The filter"))


@pytest.mark.slow
def test_the_runs_of_a_customer_that_is_not_there_are_not_those_of_all(readable: CommandRunner) -> None:
    assert_one_error(readable("runs", customer="globex"), 4, "globex")


def test_a_switch_that_the_emulator_does_not_have_is_refused_before_it_listens(readable: CommandRunner) -> None:
    assert_one_error(readable.bare("emulator", "serve", "--switch", "nosuch=1"), 2, "'nosuch'", "emulator switches")


@pytest.mark.slow
def test_a_port_that_is_taken_is_told(readable: CommandRunner) -> None:
    port = readable.server.url.rpartition(":")[2]
    assert_one_error(readable.bare("emulator", "serve", "--alerts", "5", "--port", port), 2, "cannot start")


@pytest.mark.parametrize("command", ["close-hash", "bulk-close"])
@pytest.mark.parametrize("status", quick_first("resolved", "false_positive", "True_Positive", "fp", quick=2))
def test_a_resolution_is_not_a_status(readable: CommandRunner, command: str, status: str) -> None:
    done = readable(command, "--hash", HASH, "--set-status", status)
    assert_one_error(done, 2, "--set-status closed --resolution false_positive")
    assert not done.requests


def test_a_filter_that_falcon_refuses_is_told_with_its_message(readable: CommandRunner) -> None:
    for command in ("query", "hash-summary", "bulk-close"):
        fql = "created_timestamp:*'2026*'"
        done = readable(*COMMANDS[command], "--filter", fql)
        refused = next(request for request in done.requests if request.status == 400)
        assert fql in refused.filter
        assert_one_error(done, 2, "Falcon refuses the filter: ")
        assert not done.to("patch")


# Where the credentials come from


def test_a_missing_env_file_is_named(readable: CommandRunner) -> None:
    for argv, name in (
        (("--env-file", "nowhere/globex.env"), "nowhere/globex.env"),
        (("--customer", "globex"), "customers/globex.env"),
    ):
        done = readable.bare("query", *argv)
        assert_one_error(done, 4, name)
        assert not done.requests


@pytest.mark.parametrize("key", ["FALCON_CLIENT_ID", "FALCON_CLIENT_SECRET"])
@pytest.mark.parametrize("state", quick_first("blank", "missing"))
def test_a_missing_or_blank_credential_is_named_and_never_taken_from_elsewhere(
    readable: CommandRunner, key: str, state: str
) -> None:
    lines = readable.env_file.read_text().splitlines(True)
    changed = [line if not line.startswith(key) else f"{key}=  \n" * (state == "blank") for line in lines]
    file = readable.write_env("incomplete.env", "".join(changed))
    surroundings = {"FALCON_CLIENT_ID": "a" * 32, "FALCON_CLIENT_SECRET": "b" * 40}
    done = readable.bare("query", "--env-file", str(file), env=surroundings)
    assert_one_error(done, 4, str(file), key, state)
    assert not done.requests


@pytest.mark.parametrize("mode", quick_first(0o640, 0o604, 0o644, 0o660, 0o620, quick=2))
def test_an_env_file_open_to_others_is_refused_with_the_line_that_mends_it(readable: CommandRunner, mode: int) -> None:
    file = readable.write_env("open.env", readable.env_file.read_text(), mode)
    done = readable.bare("query", "--env-file", str(file))
    assert_one_error(done, 4, f"chmod 600 {file}")
    assert not done.requests


def test_without_any_credentials_both_places_are_named(readable: CommandRunner) -> None:
    done = readable.bare("query")
    assert_one_error(done, 4, ".env", "FALCON_CLIENT_ID", "FALCON_CLIENT_SECRET")


def test_an_unreadable_line_is_named_by_its_number_and_not_shown(readable: CommandRunner) -> None:
    file = readable.write_env("broken.env", readable.env_file.read_text() + "FALCON_CLIENT_SECRET='s3ntinel\n")
    done = readable.bare("query", "--env-file", str(file))
    assert done.code == 4
    assert str(file) in done.err
    assert "line 6" in done.err or ":6" in done.err
    assert "s3ntinel" not in done.err


def test_a_host_that_is_not_falcons_is_refused(readable: CommandRunner) -> None:
    text = readable.env_file.read_text().replace(readable.server.url, "https://falcon.evil.example")
    done = readable.bare("query", "--env-file", str(readable.write_env("custom.env", text)))
    assert_one_error(done, 4, "FALCON_BASE_URL")
    assert not done.requests


# What the tenant says


@pytest.mark.parametrize("status", quick_first(403, 400))
def test_a_wrong_secret_costs_one_request(acme: Any, status: int) -> None:
    shell = acme(alerts=10, wrong_secret=status)
    secret = shell.tenant.client_secret
    shell.write_env("customers/acme.env", shell.env_file.read_text().replace(secret, "w" * len(secret)))
    for command in ("query", "close-hash"):
        done = shell(*COMMANDS[command], "--hash", HASH)
        assert_one_error(done, 4, "login")
        assert [request.endpoint for request in done.requests] == ["token"]


@pytest.mark.slow
def test_a_missing_scope_is_named(acme: Any) -> None:
    blind = acme(alerts=10, scopes="alerts:write")
    assert_one_error(blind("query"), 4, "Alerts: Read")
    dumb = acme(alerts=60, scopes="alerts:read")
    done = dumb("bulk-close", "--product", "epp", "--yes", "--max", "60", "--format", "json")
    assert done.code == 4, done
    assert "Alerts: Write" in done.err
    assert len(done.to("patch")) == 1
    assert done.document["status"] == "failed"
    assert done.document["changed"] == 0


def test_an_address_that_is_not_allowed_is_suspected(acme: Any) -> None:
    done = acme(alerts=10, ip_allowed=False)("query")
    assert_one_error(done, 4, "allow-list")


# What cannot be reached


@pytest.mark.slow
def test_where_nothing_listens_a_few_tries_are_made(readable: CommandRunner) -> None:
    with closed_port() as port:
        text = readable.env_file.read_text().replace(readable.server.url, f"http://127.0.0.1:{port}")
        done = readable.bare("query", "--env-file", str(readable.write_env("deaf.env", text)))
    assert_one_error(done, 5, "5 tries", "FALCON_BASE_URL")


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_that_always_fails_gets_a_bounded_number_of_reads(acme: Any, status: int) -> None:
    shell = acme(alerts=10)
    shell.server.call(
        lambda: shell.tenant.faults.add(Fault(kind="status", endpoint="all", status=status, times=None, skip=1))
    )
    done = shell("query", "--format", "json")
    assert done.code == 5, done
    assert done.document["error"]["code"] == "unreachable"
    assert 2 <= len(done.to("queries")) <= 5


@pytest.mark.slow
def test_a_server_that_never_takes_a_change_gets_few_of_them(acme: Any) -> None:
    shell = acme(alerts=300)
    shell.server.call(lambda: shell.tenant.faults.add(Fault(kind="status", endpoint="patch", status=503, times=None)))
    done = shell(
        *("bulk-close", "--since", "5000d", "--yes", "--max", "300", "--batch-size", "50", "--batch-delay", "0"),
        *("--format", "json"),
    )
    assert done.code == 6, done
    assert done.document["status"] == "partial"
    assert done.document["changed"] == 0
    assert done.document["unknown"] > 0
    assert len(done.to("patch")) <= 15
    assert not shell.changes()
