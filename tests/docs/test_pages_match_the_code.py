"""What the pages list is what there is."""

import re
from pathlib import Path

from falcon_bulk.config.env_keys import KEYS, PROCESS_ONLY_KEYS
from falcon_bulk.config.regions import CLOUDS
from falcon_bulk.errors import ExitCode
from falcon_bulk.operations.changes.guardrails import GUARDRAILS

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def first_cells(text: str) -> list[str]:
    """The first cell of each row of the tables, without heads and marks of code."""
    rows = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return [cell.replace("`", "") for cell in rows if not cell.startswith("-")]


def test_the_environment_page_has_every_key() -> None:
    named = set(first_cells(page("environment.md")))
    assert set(KEYS) | set(PROCESS_ONLY_KEYS) <= named


def test_the_template_of_an_env_file_has_every_key() -> None:
    template = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:# )?(FALCON_\w+)=", template, re.MULTILINE)) == set(KEYS)


def test_the_exit_codes_are_all_explained() -> None:
    explained = {int(code) for cell in first_cells(page("exit-codes.md"))[1:] for code in cell.split(", ")}
    assert explained == set(map(int, ExitCode))


def test_the_guardrails_stand_in_the_order_in_which_they_hold() -> None:
    text = page("changing-alerts.md").partition("## Guardrails")[2].partition("\n## ")[0]
    assert first_cells(text)[1:] == list(GUARDRAILS)


def test_setup_has_the_console_and_the_region_of_every_cloud() -> None:
    rows = re.findall(r"^\| (falcon\S+) \| `(\S+)` \|$", page("setup.md"), re.MULTILINE)
    assert {region: console for console, region in rows} == {name: cloud.console for name, cloud in CLOUDS.items()}


def test_the_architecture_page_has_every_folder() -> None:
    folders = {folder.name for folder in (ROOT / "src" / "falcon_bulk").iterdir() if folder.is_dir()}
    named = re.findall(r"^\| `(\w+)/` \|", page("architecture.md"), re.MULTILINE)
    assert set(named) == folders - {"__pycache__"}


def test_the_walk_from_a_hash_to_the_request_names_files_and_functions_that_exist() -> None:
    walk = page("architecture.md").partition("## From `--hash`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+? \| (`.+?`) \| (`.+?`) \|$", walk, re.MULTILINE)
    assert len(rows) == walk.count("\n| ") - 1
    for files, functions in rows:
        source = "".join(
            (ROOT / "src" / "falcon_bulk" / name).read_text(encoding="utf-8") for name in re.findall(r"`(.+?)`", files)
        )
        for function in re.findall(r"`(.+?)`", functions):
            for part in function.split("."):
                assert re.search(rf"(def|class) {part}\b", source), (files, function)


def test_the_index_leads_to_every_page() -> None:
    linked = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#:]+)\)", page("README.md"))}
    pages = {path.resolve() for path in (ROOT / "docs").rglob("*.md")} - {(ROOT / "docs" / "README.md").resolve()}
    assert pages <= linked, sorted(path.name for path in pages - linked)
