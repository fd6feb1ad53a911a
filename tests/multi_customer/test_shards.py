"""--shard: every customer is in exactly one share, and stays there; a share without customers is done."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.cli.shards import Shard, parse_shard
from falcon_bulk.errors import UsageProblem
from tests.support.command import CommandRunner, serve_customers
from tests.support.sampling import quick_first

pytestmark = pytest.mark.slow

NAMES = ("acme", "acme-lab", "globex", "initech")
TOTAL = 3


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    with serve_customers(tmp_path_factory.mktemp("shards"), *NAMES, alerts=40) as shell:
        yield shell


def shares() -> dict[int, list[str]]:
    return {number: [name for name in NAMES if Shard(number, TOTAL).has(name)] for number in range(1, TOTAL + 1)}


@given(name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True), total=st.integers(1, 50))
def test_a_customer_is_in_exactly_one_share(name: str, total: int) -> None:
    assert sum(Shard(number, total).has(name) for number in range(1, total + 1)) == 1


def test_two_hundred_customers_are_spread_evenly_enough() -> None:
    sizes = [sum(Shard(number, 8).has(f"customer-{one:03}") for one in range(200)) for number in range(1, 9)]
    assert min(sizes) >= 15
    assert max(sizes) <= 35


def test_shares_are_the_same_on_every_machine_and_in_every_version() -> None:
    found = {name: number for name in NAMES for number in range(1, 9) if Shard(number, 8).has(name)}
    assert found == {"acme": 1, "acme-lab": 8, "globex": 8, "initech": 4}


@pytest.mark.parametrize("value", ["", "0/3", "4/3", "1", "1/", "/3", "-1/3", "1/0", "1/1001", "a/b", "1/3/5", "१/३"])
def test_what_is_no_share_is_refused(value: str) -> None:
    with pytest.raises(UsageProblem, match="is not a value of --shard"):
        parse_shard(value)


@pytest.mark.parametrize("command", quick_first("summary", "query --all", "hash-summary", "overview", "runs"))
def test_the_shares_together_are_all_customers(serving: CommandRunner, command: str) -> None:
    seen: list[str] = []
    for number, wanted in shares().items():
        done = serving.bare(*command.split(), "--all-customers", "--shard", f"{number}/{TOTAL}", "--format", "json")
        assert done.code == 0, done
        assert f"--shard {number}/{TOTAL} takes {len(wanted)} of 4 customers" in done.err
        found = sorted(part["customer"] for part in done.document["customers"]) if wanted else []
        assert found == wanted
        assert wanted or not done.out
        seen += found
    assert sorted(seen) == sorted(NAMES)


def test_a_share_without_customers_contacts_nobody_and_succeeds(serving: CommandRunner) -> None:
    empty = next(number for number in range(1, 51) if not any(Shard(number, 50).has(name) for name in NAMES))
    before = serving.request_count()
    done = serving.bare("summary", "--all-customers", "--shard", f"{empty}/50")
    assert (done.code, done.out) == (0, b"")
    assert serving.request_count() == before


def test_each_share_saves_its_own_plans(serving: CommandRunner, tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    for number, wanted in shares().items():
        before = set(folder.glob("*.plan"))
        command = ("bulk-close", "--severity", "low", "--all-customers", "--dry-run", "--plan", str(folder))
        assert serving.bare(*command, "--shard", f"{number}/{TOTAL}").code == 0
        assert {path.stem for path in set(folder.glob("*.plan")) - before} == set(wanted)


def test_a_share_of_named_or_tagged_customers_is_taken(serving: CommandRunner) -> None:
    number, wanted = next((number, names) for number, names in shares().items() if "acme" in names)
    done = serving.bare("customers", "check", "--customer-tag", "none", "--shard", f"{number}/{TOTAL}")
    assert done.code == 0, done
    assert "takes 0 of 4 customers" in done.err
    done = serving.bare("summary", "--customer", "acme,globex", "--shard", f"{number}/{TOTAL}", "--format", "json")
    assert [part["customer"] for part in done.document["customers"]] == [
        name for name in ("acme", "globex") if name in wanted
    ]


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (("query", "--customer", "acme", "--shard", "1/2"), "--shard takes a share of several customers"),
        (("query", "--shard", "1/2"), "--shard takes a share of several customers"),
        (("query", "--all-customers", "--shard", "3/2"), "is not a value of --shard"),
        (("query", "--all-customers", "--shard", "1/2", "--shard", "2/2"), "given twice"),
    ],
)
def test_a_share_of_nothing_is_a_usage_problem(serving: CommandRunner, argv: tuple[str, ...], problem: str) -> None:
    done = serving.bare(*argv)
    assert (done.code, problem in done.err) == (2, True), done


@pytest.mark.parametrize("number", range(1, TOTAL + 1))
def test_a_run_of_rules_takes_no_share(serving: CommandRunner, number: int) -> None:
    done = serving.bare("rules", "run", "--dry-run", "--all-customers", "--shard", f"{number}/{TOTAL}")
    assert done.code == 2
    assert "--shard does not go with this command" in done.err
