"""`allow-hash` on a served tenant: what is created, and above all what is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.allow_list import (
    EVERYWHERE,
    FIRST,
    GROUP,
    OTHER_GROUP,
    SECOND,
    THIRD,
    YES,
    AllowList,
    the_run,
    writes,
)
from tests.support.command import without_styling
from tests.support.sampling import quick_first

Serve = Callable[..., AllowList]


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


# What is created


def test_each_hash_without_an_indicator_gets_one_that_ends_after_ninety_days(acme: Serve) -> None:
    shell = acme()
    argv = ("--platform", "windows,mac", "--global", *YES, "--comment", "Vetted tool", "--operator", "ann")
    document = the_run(shell.allow(FIRST.upper(), SECOND, more=argv))
    assert (document["status"], document["created"], document["verified"]) == ("success", 2, 2)
    assert document["selection"] == f"hash {FIRST} or {SECOND}"
    made = shell.indicators()
    assert set(made) == {FIRST, SECOND}
    for indicator in made.values():
        assert (indicator["type"], indicator["action"], indicator["platforms"]) == (
            "sha256",
            "allow",
            ["windows", "mac"],
        )
        assert (indicator["applied_globally"], indicator["host_groups"]) == (True, [])
        assert indicator["description"] == f"Vetted tool (by ann, falcon-bulk {document['run_id']})"
        ends = datetime.fromisoformat(indicator["expiration"]) - datetime.now(UTC)
        assert timedelta(days=89, hours=23) < ends <= timedelta(days=90)
    assert {entry["indicator_id"] for entry in document["hashes"]} == {indicator["id"] for indicator in made.values()}


@pytest.mark.slow
def test_host_groups_and_no_end_are_what_is_asked_for(acme: Serve) -> None:
    shell = acme()
    argv = ("--platform", "linux", "--host-group", f"{GROUP},{OTHER_GROUP.upper()}", "--no-expiry", *YES)
    assert the_run(shell.allow(FIRST, more=argv))["indicator"]["expiration"] is None
    made = shell.indicators()[FIRST]
    assert (made["applied_globally"], made["host_groups"]) == (False, [GROUP, OTHER_GROUP])
    assert "expiration" not in made


@pytest.mark.slow
def test_hashes_come_from_files_and_from_standard_input_too(acme: Serve) -> None:
    shell = acme()
    (shell.folder / "vetted.csv").write_text(f"name,sha256\na,{FIRST}\nb,{SECOND}\n")
    document = the_run(shell("allow-hash", "--hash-file", "vetted.csv", *EVERYWHERE, *YES, "--format", "json"))
    assert document["created"] == 2
    piped = ("allow-hash", "--hash", FIRST, "--hash-file", "-", *EVERYWHERE, *YES, "--format", "json")
    document = the_run(shell(*piped, given=f"{THIRD}\n{FIRST}\n".encode()))
    assert (document["created"], document["skipped"]) == (1, {"already": 1})
    asking = shell("allow-hash", "--hash-file", "-", *EVERYWHERE, given=FIRST.encode())
    assert (asking.code, asking.requests) == (2, [])


@pytest.mark.slow
def test_hundreds_of_hashes_go_in_some_requests(acme: Serve) -> None:
    shell = acme()
    hashes = [f"{number:064x}" for number in range(450)]
    done = shell.allow(*hashes)
    document = the_run(done)
    assert (document["created"], document["verified"], document["batches"]) == (450, 450, 3)
    assert writes(done) == ["POST"] * 3
    assert set(shell.indicators()) == set(hashes)
    again = the_run(shell.allow(*hashes))
    assert (again["status"], again["skipped"]) == ("nothing_to_do", {"already": 450})


# What is only shown


def test_a_dry_run_sends_no_write_and_says_what_would_be_done(acme: Serve) -> None:
    shell = acme()
    done = shell("allow-hash", "--hash", FIRST, *EVERYWHERE, "--no-expiry", "--dry-run")
    assert (done.code, writes(done), shell.indicators()) == (0, [], {})
    for words in (
        "CREATE 1 of 1 allow-list indicators",
        "never",
        "closes no alert",
        "not by behaviour",
        "a hole",
        FIRST,
    ):
        assert words in done.text, words
    document = the_run(shell.allow(FIRST, more=(*EVERYWHERE, "--dry-run")))
    assert (document["status"], document["not_sent"]) == ("dry_run", 1)


@pytest.mark.slow
@pytest.mark.parametrize("argv", [("--global",), ("--host-group", GROUP, "--no-expiry")])
def test_an_allowance_with_an_end_or_with_host_groups_is_no_hole(acme: Serve, argv: tuple[str, ...]) -> None:
    done = acme()("allow-hash", "--hash", FIRST, "--platform", "windows", *argv, "--dry-run")
    assert done.code == 0
    assert "closes no alert" in done.text
    assert "hole" not in done.text


@pytest.mark.slow
def test_the_question_wants_the_customer_and_the_number(acme: Serve) -> None:
    shell = acme()
    for typed, code in (("globex 1", 3), ("acme 1", 0)):
        with shell.terminal("allow-hash", "--hash", FIRST, *EVERYWHERE) as terminal:
            terminal.wait_for("to CREATE 1 allow-list indicator:")
            terminal.type(f"{typed}\n")
            done = terminal.finish()
        assert done.code == code, done
        assert writes(done) == ([] if code else ["POST"])


# What is there already


@pytest.mark.parametrize(
    ("existing", "counted", "says"),
    quick_first(
        ({}, ("skipped", "already"), "allow globally on windows"),
        ({"platforms": ["mac"]}, ("held", "narrower"), "not on windows"),
        ({"host_groups": [GROUP]}, ("held", "narrower"), "not globally"),
        ({"expiration": in_days(30)}, ("held", "narrower"), "only until"),
        ({"action": "no_action"}, ("held", "no-action"), "no_action globally on windows"),
        ({"platforms": ["windows", "linux"], "expiration": in_days(400)}, ("skipped", "already"), "linux until"),
        quick=2,
    ),
)
def test_what_is_there_is_never_overwritten(
    acme: Serve, existing: dict[str, Any], counted: tuple[str, str], says: str
) -> None:
    shell = acme()
    identifier = shell.plant(FIRST, **existing)
    before = shell.indicators()[FIRST]
    document = the_run(shell.allow(FIRST, SECOND))
    kind, word = counted
    assert document[kind] == {word: 1}
    assert says in document["hashes"][0]["reason"]
    assert document["hashes"][0]["indicator_id"] == identifier
    assert (document["created"], shell.indicators()[FIRST]) == (1, before)


@pytest.mark.slow
def test_the_same_command_again_finds_all_done(acme: Serve) -> None:
    shell = acme()
    the_run(shell.allow(FIRST))
    done = shell.allow(FIRST)
    assert the_run(done)["status"] == "nothing_to_do"
    assert writes(done) == []


@pytest.mark.parametrize("action", quick_first("prevent", "detect", "prevent_no_ui"))
def test_one_that_detects_or_prevents_refuses_the_whole_run(acme: Serve, action: str) -> None:
    shell = acme()
    identifier = shell.plant(SECOND, action=action, severity="high")
    for action_set in (YES, ("--dry-run",)):
        done = shell.allow(FIRST, SECOND, more=(*EVERYWHERE, *action_set))
        assert (done.code, writes(done)) == (7, [])
        for words in (SECOND, action, identifier):
            assert words in done.document["error"]["message"]
        assert FIRST not in done.document["error"]["message"]
    assert set(shell.indicators()) == {SECOND}


@pytest.mark.slow
def test_one_that_detects_on_mobile_devices_only_is_named_as_such(acme: Serve) -> None:
    shell = acme()
    shell.plant(FIRST, action="allow", mobile_action="detect", severity="high")
    done = shell.allow(FIRST, more=(*EVERYWHERE, *YES))
    assert (done.code, writes(done)) == (7, [])
    assert "allow globally on windows, detect on mobile devices" in done.document["error"]["message"]


# What is refused


@pytest.mark.parametrize(
    ("argv", "says"),
    quick_first(
        ((*EVERYWHERE,), "needs a hash"),
        (("--hash", FIRST, "--global"), "--platform"),
        (("--hash", FIRST, "--platform", "windows"), "--host-group"),
        (("--hash", FIRST, *EVERYWHERE, "--host-group", GROUP), "--host-group"),
        (("--hash", FIRST, "--platform", "windows", "--host-group", "Servers"), "32 hex digits"),
        (("--hash", FIRST, "--platform", "amiga", "--global"), "amiga"),
        (("--hash", "abc", *EVERYWHERE), "SHA256"),
        (("--hash", FIRST, *EVERYWHERE, "--expires", "2020-01-01"), "not in the future"),
        (("--hash", FIRST, *EVERYWHERE, "--expires", "soon"), "'soon'"),
        (("--hash", FIRST, *EVERYWHERE, "--expires", "7d", "--no-expiry"), "contradict"),
        (("--hash", FIRST, *EVERYWHERE, "--comment", "a" * 1024), "1,024"),
        quick=2,
    ),
)
def test_what_cannot_be_meant_is_refused_before_any_request(acme: Serve, argv: tuple[str, ...], says: str) -> None:
    done = acme()("allow-hash", *argv, *YES)
    assert (done.code, done.requests) == (2, []), done
    assert says in done.err


@pytest.mark.slow
def test_consent_is_asked_for_as_for_alerts(acme: Serve) -> None:
    shell = acme()
    for more, says in (((), "--yes"), (("--yes",), "--expect")):
        done = shell("allow-hash", "--hash", FIRST, *EVERYWHERE, *more)
        assert (done.code, done.requests) == (2, [])
        assert says in done.err
    bound = shell("allow-hash", "--hash", FIRST, *EVERYWHERE, "--yes", "--expect", "2")
    assert (bound.code, writes(bound)) == (7, [])
    assert "1 indicator would be changed" in bound.err
    locked = shell("allow-hash", "--hash", FIRST, *EVERYWHERE, *YES, env={"FALCON_BULK_READ_ONLY": "1"})
    assert (locked.code, locked.requests) == (7, [])
    assert shell.indicators() == {}


@pytest.mark.slow
def test_it_works_on_one_customer_at_a_time(acme: Serve) -> None:
    shell = acme()
    shell.write_env("customers/globex.env", shell.env_file.read_text())
    done = shell.bare("allow-hash", "--hash", FIRST, *EVERYWHERE, *YES, "--all-customers")
    assert (done.code, done.requests) == (2, [])
    assert "one customer at a time" in done.err


# A parent CID


@pytest.mark.parametrize("listed", quick_first("all", "parent", "none"))
def test_credentials_that_see_several_cids_are_refused(acme: Serve, listed: str) -> None:
    shell = acme(children=2)
    text = shell.env_file.read_text()
    cids = {"all": text, "parent": text.replace("," + ",".join(shell.tenant.children), "")}
    none = "".join(line for line in text.splitlines(True) if "FALCON_CID" not in line)
    shell.write_env("customers/acme.env", cids.get(listed, none))
    for action_set in (YES, ("--dry-run",)):
        done = shell.allow(FIRST, more=(*EVERYWHERE, *action_set))
        assert (done.code, writes(done), done.to("indicators")) == (4, [], []), done
        assert done.document["error"]["code"] == "wrong_tenant"
    assert shell.indicators() == {}


@pytest.mark.slow
def test_a_child_s_own_token_allows_for_the_child_alone(acme: Serve) -> None:
    shell = acme(children=2)
    child = shell.tenant.children[0]
    lines = [line for line in shell.env_file.read_text().splitlines(True) if "FALCON_CID" not in line]
    shell.write_env("customers/acme.env", "".join(lines) + f"FALCON_CID={child}\nFALCON_MEMBER_CID={child}\n")
    assert the_run(shell.allow(FIRST))["cid"] == child
    (made,) = shell.server.call(lambda: list(shell.tenant.indicators.by_id.values()))
    assert made.cid == child


def test_on_a_narrow_terminal_no_hash_is_cut(acme: Serve) -> None:
    shell = acme()
    with shell.terminal("allow-hash", "--hash", f"{FIRST},{SECOND}", *EVERYWHERE, columns=80, lines=24) as terminal:
        terminal.answer("to CREATE 2 allow-list indicators:", "acme 2")
        done = terminal.finish()
    assert done.code == 0, done
    before, after = without_styling(done.out).split("to CREATE 2 allow-list indicators:")
    for digest in (FIRST, SECOND):
        assert digest in before
        assert digest in after
