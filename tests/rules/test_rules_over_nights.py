"""Fourteen nights of `rules run` over twenty customers, with intrusions among what thirty rules close.

Every intrusion shares a hash, a name or a pattern with a rule and differs in parent, folder, command line, user or
severity. On the way a rule expires, one is revoked, one is contradicted, one surges, a run is undone, an analyst works,
and a customer is down.
"""

import random
import re
from collections import Counter
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from falcon_emulator import Server, Tenant
from tests.support.alert_groups import AlertGroupBuilder, Fields, Group
from tests.support.command import CommandResult, CommandRunner
from tests.support.json_schemas import assert_valid
from tests.support.many_tenants import NAMES
from tests.support.rule_builders import add_group, edit, rule, rule_file, today, write_rules

NIGHTS = 14
RULES = 30
EXPIRES_AFTER = 6
REVOKED_ON = 8
CONTRADICTED_ON = 10
SURGE_ON = 5
UNDONE_ON = 7
DOWN_ON = 4

EXPIRING, REVOKED, CONTRADICTED, SURGING, NOT_FOR_FIRST = 1, 2, 3, 4, 5
FIRST, SECOND, THIRD = NAMES[:3]

RULE_IN_COMMENT = re.compile(r", rule (tool-\d+);")

INTRUSIONS: dict[str, Fields] = {
    "parent": {"parent": "winword.exe"},
    "folder": {"path": "\\Device\\HarddiskVolume3\\Users\\eve\\AppData\\Local\\Temp\\tool.exe"},
    "command line": {"cmdline": "tool.exe /download http://198.51.100.7/x"},
    "user": {"user_name": "eve"},
    "severity": {"severity": 79, "severity_name": "High"},
}


class Planted(NamedTuple):
    """An alert of a night. why: in what an intrusion differs, '' for an ordinary alert."""

    composite_id: str
    customer: str
    rule: int
    night: int
    why: str


def ordinary(number: int) -> Fields:
    """Return the fields of the ordinary alerts of a rule."""
    return {
        "name": f"Tool {number} was flagged",
        "display_name": f"Tool {number} was flagged",
        "pattern_id": 70_000 + number,
        "path": f"\\Device\\HarddiskVolume3\\Program Files\\Vendor {number}\\tool.exe",
        "parent": "services.exe",
        "cmdline": f"tool.exe /silent /job {number}",
        "user_name": "SYSTEM",
        "severity": 40,
        "severity_name": "Medium",
        "global_prevalence": "uncommon",
    }


def builder(number: int, story: str) -> AlertGroupBuilder:
    """Return a builder of alerts of a rule: every third has a hash of its own, the others none."""
    made = AlertGroupBuilder(story, lambda _rng, _count: ordinary(number), hashed=False)
    if number % 3 == 0:
        made.sha256 = f"{number:064x}"
    return made


def rule_text(number: int, night: int) -> str:
    subject: dict[str, Any] = {"name": [f"Tool {number} was *"]}
    if number % 3 == 0:
        subject = {"sha256": [f"{number:064x}"]}
    elif number % 3 == 1:
        subject = {"pattern-id": [str(70_000 + number)]}
    return rule(
        f"tool-{number}",
        match=subject,
        expect={
            "path": [f"\\Program Files\\Vendor {number}\\*"],
            "parent": ["services.exe"],
            "cmdline": ["tool.exe /silent*"],
            "user": ["SYSTEM"],
            "max-severity": "medium",
        },
        customers=["*", f"!{FIRST}"] if number == NOT_FOR_FIRST else ["*"],
        expires=today() + timedelta(days=EXPIRES_AFTER if number == EXPIRING else 90),
        close={"resolution": "false_positive", "max-per-run": 30},
        revoked=today() + timedelta(days=night) if number == REVOKED and night >= REVOKED_ON else None,
    )


class Nights:
    """The nights of a team: alerts arrive, the rules run, and what was closed is held against what may be."""

    def __init__(self, shell: CommandRunner) -> None:
        self.shell = shell
        self.rng = random.Random("nights")
        self.planted: list[Planted] = []
        self.may_stay_new: set[str] = set()
        self.analysts: set[str] = set()

    def arrive(self, night: int) -> None:
        """Have alerts of all kinds arrive at all customers."""
        for customer in NAMES:
            documents: list[Fields] = []
            kinds: list[tuple[int, str]] = []
            for number in range(RULES):
                made = builder(number, f"{customer} {night} {number}")
                count = self.rng.choice((0, 0, 0, 1, 2))
                made.ordinary(40 if (night, number, customer) == (SURGE_ON, SURGING, SECOND) else count)
                kinds += [(number, "")] * len(made.documents)
                if self.rng.random() < 0.05:
                    why = self.rng.choice(list(INTRUSIONS))
                    made.outlier(why, **INTRUSIONS[why])
                    kinds.append((number, why))
                documents += made.documents
            ids = add_group(self.shell, Group("night", documents, {}, {}), customer) if documents else []
            self.planted += [
                Planted(one, customer, number, night, why) for one, (number, why) in zip(ids, kinds, strict=True)
            ]

    def run(self, night: int) -> CommandResult:
        write_rules(self.shell, rule_file(*(rule_text(number, night) for number in range(RULES))))
        return self.shell.bare(
            "rules",
            "run",
            "--all-customers",
            *("--parallel-customers", "8"),
            *("--yes", "--max", "500"),
            *("--batch-delay", "0"),
            *("--format", "json"),
            env={"TEST_DAYS_LATER": str(night)},
            patience=240,
        )

    def state(self, one: Planted) -> tuple[str, int]:
        """Return the status of an alert, and how many comments of rules it has."""
        state = self.shell.tenants[one.customer].store.by_id[one.composite_id].state
        return state.status, sum(", rule tool-" in comment.value for comment in state.comments)

    def check(self, night: int) -> Counter[str]:
        """Hold every alert against what may have become of it; return how many were closed or not, by kind."""
        found: Counter[str] = Counter()
        states = self.shell.server.call(lambda: [self.state(planted_alert) for planted_alert in self.planted])
        for one, (status, comments) in zip(self.planted, states, strict=True):
            if one.composite_id in self.analysts:
                continue
            if one.why:
                assert (status, comments) == ("new", 0), f"an intrusion ({one.why}) was closed: {one}"
                found["intrusions"] += 1
            elif self.closes(one, night):
                assert (status, comments) == ("closed", 1), f"night {night}: {one}"
                found["closed"] += 1
            elif one.composite_id not in self.may_stay_new:
                assert (status, comments) == ("new", 0), f"night {night}: {one}"
                found["kept"] += 1
        return found

    def closes(self, one: Planted, night: int) -> bool:
        """Return whether an ordinary alert must be closed by now."""
        if one.composite_id in self.may_stay_new or (one.rule == NOT_FOR_FIRST and one.customer == FIRST):
            return False
        end = {EXPIRING: EXPIRES_AFTER + 1, REVOKED: REVOKED_ON, CONTRADICTED: CONTRADICTED_ON}.get(one.rule, NIGHTS)
        was_down = one.customer == THIRD and one.night == DOWN_ON
        first_run = one.night + 1 if was_down else one.night
        return first_run < end and first_run <= night


@pytest.mark.slow
def test_no_intrusion_is_closed_in_fourteen_nights_and_all_else_once(tmp_path: Any) -> None:
    tenants = [Tenant(alerts=5, seed=seed, customer=name) for seed, name in enumerate(NAMES)]
    with Server(tenants) as server:
        shell = CommandRunner(tmp_path, server)
        nights = Nights(shell)
        for night in range(NIGHTS):
            nights.arrive(night)
            if night == DOWN_ON:
                shell.write_customer(THIRD, FALCON_CLIENT_SECRET="wrong")
            if night == UNDONE_ON:
                undo_last(nights, SECOND)
            if night == CONTRADICTED_ON:
                contradict(nights)
            if night == 3:
                take_up(nights)
            done = nights.run(night)
            attention = night in (DOWN_ON, SURGE_ON) or night >= CONTRADICTED_ON
            # what surged is still there the nights after: it is held until somebody looks
            assert done.code == (6 if attention or night > SURGE_ON else 0), done
            if night == SURGE_ON:
                nights.may_stay_new |= {
                    planted_alert.composite_id
                    for planted_alert in nights.planted
                    if (planted_alert.rule, planted_alert.customer) == (SURGING, SECOND)
                    and nights.state(planted_alert)[0] == "new"
                    and not planted_alert.why
                }
                assert len(nights.may_stay_new) >= 40
            if night > SURGE_ON:
                nights.may_stay_new |= {
                    planted_alert.composite_id
                    for planted_alert in nights.planted
                    if (planted_alert.rule, planted_alert.customer, planted_alert.night) == (SURGING, SECOND, night)
                    and not planted_alert.why
                }
            if night == DOWN_ON:
                shell.write_customer(THIRD)
            found = nights.check(night)
        assert found["intrusions"] > 200
        assert found["closed"] > 2_000
        assert found["kept"] > 100
        before = [len(shell.patches(name)) for name in NAMES]
        again = nights.run(NIGHTS - 1)
        assert {customer["result"]["planned"] for customer in again.document["customers"]} == {0}
        assert [len(shell.patches(name)) for name in NAMES] == before, "twice in a row does nothing the second time"
        check_report(nights)


def check_report(nights: Nights) -> None:
    """Hold the report on all nights against the tenants: what carries a rule's comment, and what nothing fitted."""
    later = {"TEST_DAYS_LATER": str(NIGHTS - 1)}
    text = rule_file(
        *(rule_text(number, NIGHTS - 1) for number in range(RULES)), rule("never", match={"sha256": ["f" * 64]})
    )
    write_rules(nights.shell, text)
    reading = ("rules", "report", "--all-customers", "--since", "30d", "--format", "json")
    unseen = nights.shell.bare(*reading, env=later).document["unused"]
    assert (unseen["rules"], [entry["rule"] for entry in unseen["not_judged"]]) == ([], ["never"])
    more = ("--yes", "--max", "500", "--batch-delay", "0", "--format", "json")
    nights.shell.bare("rules", "run", "--all-customers", *more, env=later, patience=240)
    new = nights.shell.bare(*reading, env=later).document["unused"]
    assert (new["rules"], [entry["rule"] for entry in new["not_judged"]]) == ([], ["never"])
    later = {"TEST_DAYS_LATER": str(NIGHTS - 1 + 7)}
    nights.shell.bare("rules", "run", "--all-customers", *more, env=later, patience=240)
    document = assert_valid(nights.shell.bare(*reading, env=later).document)
    assert document["unused"] == {"rules": ["never"], "values": [], "not_judged": []}
    comments: Counter[tuple[str, str]] = Counter()
    for name in NAMES:
        alerts = nights.shell.server.call(lambda name=name: list(nights.shell.tenants[name].store.by_id.values()))
        for alert in alerts:
            comments.update(
                (found[1], name) for comment in alert.state.comments if (found := RULE_IN_COMMENT.search(comment.value))
            )
    closed = {
        (one["id"], customer["customer"]): customer["closed"]
        for one in document["rules"]
        for customer in one["customers"]
    }
    assert {key: number for key, number in closed.items() if number} == dict(comments)
    states = {one["id"]: one["state"] for one in document["rules"] if one["state"] != "live"}
    assert states == {
        f"tool-{EXPIRING}": "expired",
        f"tool-{REVOKED}": "revoked",
        f"tool-{CONTRADICTED}": "suspended",
    }
    ended = {one["id"]: one["would_have_closed"] for one in document["rules"] if one["would_have_closed"]}
    assert set(ended) == {f"tool-{EXPIRING}", f"tool-{REVOKED}"}
    surging = next(one for one in document["rules"] if one["id"] == f"tool-{SURGING}")
    assert surging["surges"] >= 1
    assert surging["held"]["surge"] >= 40


def undo_last(nights: Nights, customer: str) -> None:
    """Undo the newest run of a customer: what it closed comes back, and no rule closes it again."""
    done = nights.shell("undo", "latest", customer=customer)
    assert done.code == 2, "a question needs a terminal"
    rows = nights.shell.json("runs", "list", customer=customer)["runs"]
    run_id = next(row["run_id"] for row in rows if row["changed"])
    changed = {
        record["composite_id"]
        for record in nights.shell.json("runs", "show", run_id, customer=customer)["alerts"]
        if record["outcome"] == "changed"
    }
    assert nights.shell("undo", run_id, "--yes", "--max", "500", "--batch-delay", "0", customer=customer).code == 0
    nights.analysts |= changed


def contradict(nights: Nights) -> None:
    """An analyst marks an intrusion at one customer: its rule is suspended everywhere from this night on."""
    made = builder(CONTRADICTED, "a real one").outlier("parent", **INTRUSIONS["parent"])
    assert CONTRADICTED % 3 == 0, "a rule of a hash: what shares the hash contradicts it"
    (bad,) = add_group(nights.shell, made.group(), NAMES[-1])
    edit(nights.shell, [bad], NAMES[-1], status="closed", tags=["true_positive"])


def take_up(nights: Nights) -> None:
    """An analyst takes up some alerts of this night: these are nobody else's."""
    mine = [
        planted_alert
        for planted_alert in nights.planted
        if planted_alert.night == 3 and planted_alert.customer == FIRST
    ][:5]
    edit(nights.shell, [one.composite_id for one in mine], FIRST, status="in_progress", assign="Ann")
    nights.analysts |= {one.composite_id for one in mine}
