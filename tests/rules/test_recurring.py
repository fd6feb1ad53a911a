"""`rules report --recurring`: what people close as benign again and again, without a rule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.rules.conftest import Acme
from tests.support.alert_groups import AlertGroupBuilder, Fields
from tests.support.command import CommandRunner
from tests.support.json_schemas import assert_valid
from tests.support.rule_builders import add_group, rule, rule_file, updater_alert, write_rules

pytestmark = pytest.mark.slow

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def day(ago: int) -> str:
    """Return noon of some days ago, as Falcon sends times."""
    return f"{NOON - timedelta(days=ago):%Y-%m-%dT%H:%M:%S}.000000000Z"


def close_by_hand(
    shell: CommandRunner,
    story: str,
    per_day: dict[int, int],
    *,
    customer: str = "acme",
    resolution: str,
    **changed: Any,
) -> Fields:
    """Have alerts of a program arrive that somebody closed on the same days; return the last one.

    per_day: how many of them, by how many days ago.
    """
    builder = AlertGroupBuilder(story, updater_alert, hashed=changed.pop("hashed", True))
    for ago, count in per_day.items():
        builder.ordinary(count, status="closed", created_timestamp=day(ago), **changed)
    group = builder.group()
    ids = add_group(shell, group, customer)

    def resolve() -> None:
        for composite_id in ids:
            alert = shell.tenants[customer].store.by_id[composite_id]
            alert.state = msgspec.structs.replace(alert.state, tags=(resolution,))

    shell.server.call(resolve)
    return group.documents[-1]


def recurring(shell: CommandRunner, *more: str, code: int = 0) -> dict[str, Any]:
    done = shell.bare("rules", "report", "--all-customers", "--recurring", "--format", "json", *more)
    assert done.code == code, done
    found: dict[str, Any] = assert_valid(done.document)["recurring"]
    return found


def some_rules(shell: CommandRunner, **match: Any) -> None:
    write_rules(shell, rule_file(rule(match=match or {"sha256": ["a" * 64]})))


def test_what_was_closed_on_three_days_is_listed_with_its_draft_most_work_first(acme: Acme) -> None:
    shell = acme("acme", "globex", alerts=0)
    some_rules(shell)
    few = close_by_hand(shell, "few", {3: 1, 2: 1, 1: 1}, resolution="ignored")
    many = close_by_hand(shell, "many", {5: 4, 4: 4}, resolution="false_positive")
    close_by_hand(shell, "many", {3: 2}, customer="globex", resolution="ignored")
    close_by_hand(shell, "two days", {2: 9, 1: 9}, resolution="false_positive")
    found = recurring(shell)
    assert [group["sha256"] for group in found["groups"]] == [many["sha256"], few["sha256"]]
    first = found["groups"][0]
    assert (first["alerts"], first["days"], first["customers"]) == (10, 3, {"acme": 8, "globex": 2})
    assert (first["last_resolution"], first["last_closed"][:10]) == ("ignored", day(3)[:10])
    assert first["draft"] == ["rules", "draft", "--customer", "acme", "--hash", many["sha256"]]
    drafted = shell.bare(*first["draft"])
    assert drafted.code == 0, drafted
    assert many["sha256"] in drafted.text
    table = shell.bare("rules", "report", "--all-customers", "--recurring").text
    assert f"falcon-bulk rules draft --customer acme --hash {few['sha256']}" in table


def test_alerts_without_a_hash_are_grouped_by_name_and_file_name(acme: Acme) -> None:
    shell = acme(alerts=0)
    some_rules(shell)
    by_name = {"name": "Script's check", "display_name": "", "path": "/opt/acme/nightly.sh"}
    close_by_hand(shell, "a", {3: 1, 2: 1, 1: 1}, resolution="ignored", hashed=False, **by_name)
    close_by_hand(
        shell, "b", {3: 2, 2: 2, 1: 2}, resolution="ignored", hashed=False, **by_name | {"name": "ScriptCheck"}
    )
    close_by_hand(shell, "c", {3: 3, 2: 3, 1: 3}, resolution="ignored", hashed=False, **by_name | {"filename": ...})
    plain, quoted = recurring(shell)["groups"]
    assert (plain["name"], plain["filename"], plain["alerts"]) == ("ScriptCheck", "nightly.sh", 6)
    assert plain["draft"][4:] == ["--name", "ScriptCheck", "--filter", "filename:'nightly.sh'"]
    assert shell.bare(*plain["draft"]).code == 0
    assert (quoted["name"], quoted["draft"]) == ("Script's check", [])


def test_what_a_rule_closes_is_not_listed(acme: Acme) -> None:
    shell = acme(alerts=0)
    document = close_by_hand(shell, "few", {3: 1, 2: 1, 1: 1}, resolution="ignored")
    some_rules(shell, sha256=[document["sha256"]])
    assert recurring(shell)["groups"] == []
    some_rules(shell)
    assert len(recurring(shell)["groups"]) == 1


def test_a_true_positive_anywhere_makes_a_group_disputed(acme: Acme) -> None:
    shell = acme("acme", "globex", alerts=0)
    some_rules(shell)
    document = close_by_hand(shell, "few", {3: 1, 2: 1, 1: 1}, resolution="ignored")
    close_by_hand(shell, "few", {9: 1}, customer="globex", resolution="true_positive", cmdline="updater.exe /evil")
    found = recurring(shell)
    assert found["groups"] == []
    (disputed,) = found["disputed"]
    assert (disputed["sha256"], disputed["true_positives"], disputed["draft"]) == (document["sha256"], 1, [])


def test_a_customer_that_cannot_be_read_is_named(acme: Acme) -> None:
    shell = acme("acme", "globex", alerts=0)
    some_rules(shell)
    close_by_hand(shell, "few", {3: 1, 2: 1, 1: 1}, resolution="ignored")
    shell.write_customer("globex", FALCON_CLIENT_SECRET="x" * 40)
    found = recurring(shell, code=6)
    assert [one["customer"] for one in found["unread"]] == ["globex"]
    assert len(found["groups"]) == 1


def test_alerts_from_before_the_period_do_not_count(acme: Acme) -> None:
    shell = acme(alerts=0)
    some_rules(shell)
    close_by_hand(shell, "few", {12: 1, 2: 1, 1: 1}, resolution="ignored")
    assert recurring(shell, "--since", "7d")["groups"] == []
    assert len(recurring(shell, "--since", "30d")["groups"]) == 1
