"""Options that contradict each other are refused with what to do about it, before anybody is contacted."""

from typing import Any

import pytest

from tests.support.command import CommandRunner
from tests.support.process_hooks import install_hook
from tests.support.sampling import quick_first


@pytest.mark.parametrize(
    ("argv", "said"),
    quick_first(
        ("query --customer acme --all-customers", "Conflicting customer options"),
        ("query --env-file customers/acme.env --customer-tag gold", "Conflicting customer options"),
        ("query --customer-tag nobody", "no customer with the tag nobody"),
        ("query --all-customers --customers-dir empty", "No customers in empty"),
        ("query --customer acme --output-format csv", "goes with -o DIR"),
        ("query --customer acme --excel", "--excel goes with CSV"),
        ("query --customer acme --excel --format json -o out.md", "--excel goes with CSV"),
        ("query --customer acme --output-format csv -o out.md", "goes with -o DIR"),
        ("query --customer acme -o ", "--output is blank"),
        ("undo 261124abcdef --customer acme,globex --dry-run", "one customer at a time"),
        ("bulk-close --customer acme --product epp --plan x.plan --yes --max 1", "--plan goes with --dry-run"),
        quick=4,
    ),
)
def test_what_contradicts_itself_is_refused(readable: CommandRunner, argv: str, said: str) -> None:
    readable.write_env("customers/globex.env", readable.env_file.read_text())
    (readable.folder / "empty").mkdir(exist_ok=True)
    try:
        done = readable.bare(*argv.split(" "))
    finally:
        (readable.folder / "customers" / "globex.env").unlink()
    assert done.code == 2, done
    assert said in done.err
    assert "Hint: " in done.err
    assert not done.requests


@pytest.mark.slow
def test_without_a_cid_the_runs_of_a_customer_are_found_by_its_name(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=60)
    lines = shell.env_file.read_text().splitlines()
    without = [line for line in lines if not line.startswith("FALCON_CID=")]
    assert len(without) == len(lines) - 1
    shell.write_env("customers/acme.env", "\n".join(without) + "\n")
    made = shell.json("bulk-close", "--product", "epp", "--override", "all", "--yes", "--max", "1000")
    shell.write_env("customers/globex.env", "\n".join(without).replace("acme", "globex") + "\n")
    assert [run["run_id"] for run in shell.json("runs")["runs"]] == [made["run_id"]]
    assert shell.json("runs", customer="globex")["runs"] == []


@pytest.mark.slow
def test_a_defect_met_at_one_customer_is_its_own(acme: Any) -> None:
    shell: CommandRunner = acme(alerts=60)
    shell.write_env("customers/globex.env", "FALCON_CLIENT_ID=x\n")
    environment = install_hook(shell.folder, "reading")
    environment["PYTHONPATH"] += f":{shell.environment()['PYTHONPATH']}"
    done = shell.bare("hash-summary", "--all-customers", "--format", "json", env=environment)
    parts = {part["customer"]: part["exit_code"] for part in done.document["customers"]}
    assert parts == {"acme": 1, "globex": 4}
    assert done.code == 6
    assert "Traceback" not in done.err
