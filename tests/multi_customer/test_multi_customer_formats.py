"""A round in every form that a round can have, and what no round can be: said before anybody is contacted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from falcon_emulator import Server
from tests.support.command import CommandRunner
from tests.support.many_tenants import NAMES, all_patches, make_tenants
from tests.support.sampling import quick_first

FIRST, SECOND = NAMES[:2]
ROUND = "--all-customers"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    """Two customers that tests only read."""
    with Server(make_tenants(2, alerts=60)) as server:
        yield CommandRunner(tmp_path_factory.mktemp("round"), server)


def alone_of(serving: CommandRunner, name: str, argv: tuple[str, ...]) -> list[dict[str, object]]:
    return list(json.loads(serving(*argv, "--format", "json", customer=name).out))


@pytest.mark.parametrize(
    ("argv", "said"),
    quick_first(
        ("bulk-close --severity low", "Add --dry-run --plan DIR"),
        ("apply plans --yes", "--yes needs a bound for several customers"),
        ("apply empty --yes --max 5", "There is no plan in empty"),
        ("bulk-close --severity low --dry-run --plan a-file", "a-file is not a folder"),
        ("bulk-close --ids-file a-file --dry-run", "--ids-file is for one customer"),
        ("close-hash --severity low --dry-run", "close-hash needs a hash"),
        quick=2,
    ),
)
def test_what_no_multi_customer_run_can_be_is_refused_before_anybody_is_contacted(
    serving: CommandRunner, argv: str, said: str
) -> None:
    for folder in ("empty", "plans"):
        (serving.folder / folder).mkdir(exist_ok=True)
    (serving.folder / "a-file").write_text("")
    if argv.startswith("apply plans"):
        made = serving.bare("bulk-close", "--severity", "low", "--dry-run", "--plan", "plans", ROUND)
        assert made.code == 0, made
    before = len(serving.requests())
    done = serving.bare(*argv.split(), *([] if argv.startswith("apply") else [ROUND]))
    assert done.code == 2, done
    assert said in done.err
    assert len(serving.requests()) == before


@pytest.mark.slow
def test_the_alerts_of_a_multi_customer_run_come_in_one_table_and_the_customer_that_failed_is_named_beside_it(
    serving: CommandRunner,
) -> None:
    text = serving.env_texts[SECOND]
    serving.write_env(f"customers/{SECOND}.env", text.replace(serving.tenants[SECOND].client_secret, "wrong" * 8))
    try:
        done = serving.bare("query", "--limit", "3", "--format", "csv", ROUND)
    finally:
        serving.write_env(f"customers/{SECOND}.env", text)
    header, *rows = done.text.splitlines()
    assert header.startswith("customer,")
    assert [row.split(",")[0] for row in rows] == [FIRST] * 3
    assert f"Error: {SECOND}: " in done.err
    assert done.code != 0


@pytest.mark.slow
def test_chosen_fields_of_a_multi_customer_run_are_in_each_form_what_one_customer_shows(serving: CommandRunner) -> None:
    argv = ("query", "--all", "--fields", "composite_id,severity")
    alone = {name: alone_of(serving, name, argv) for name in (FIRST, SECOND)}
    document = serving.bare(*argv, "--format", "json", ROUND).document
    assert {part["customer"]: part["result"]["alerts"] for part in document["customers"]} == alone
    lines = serving.bare(*argv, "--format", "jsonl", ROUND).documents
    assert [(line["customer"], line["alert"]) for line in lines] == [
        (name, alert) for name, alerts in alone.items() for alert in alerts
    ]


@pytest.mark.slow
def test_a_hash_is_planned_for_each_customer_and_one_that_has_it_not_can_be_told(
    serving: CommandRunner, tmp_path: Path
) -> None:
    nowhere = ("close-hash", "--hash", "ab" * 32, "--dry-run", "--fail-on-empty", "--format", "json", ROUND)
    done = serving.bare(*nowhere)
    assert {part["exit_code"] for part in done.document["customers"]} == {9}
    assert done.code == 9
    shared = next(iter(serving.hashes()))
    done = serving.bare("close-hash", "--hash", shared, "--dry-run", "--plan", str(tmp_path / "plans"), ROUND)
    assert done.code == 0, done
    assert sorted(path.stem for path in (tmp_path / "plans").iterdir()) == sorted((FIRST, SECOND))
    assert all_patches(serving) == 0
