"""The sdist and the wheel: their contents, and the installed command with and without extras."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from falcon_emulator import Server, Tenant

ROOT = Path(__file__).parents[2]
NEVER = (".env", ".sqlite3", ".pyc", ".log")
PACKAGES = ("falcon_bulk", "falcon_emulator")
KINDS = {".py", ".j2", ".css", ".json", ".csv", ".typed"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with an sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    built = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(built, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def installed(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel without extras into an environment of its own."""
    return install(tmp_path_factory.mktemp("clean"), str(_only(packages, "*.whl")))


@pytest.fixture(scope="session")
def installed_with_emulator(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel with the extra `emulator` into an environment of its own."""
    return install(tmp_path_factory.mktemp("emulator"), f"{_only(packages, '*.whl')}[emulator]")


def install(folder: Path, requirement: str) -> Path:
    """Make a virtual environment, install `requirement` with the tested versions, and return its falcon-bulk."""
    venv.create(folder)
    quiet = ("--quiet", "--constraint", str(ROOT / "constraints.txt"))
    subprocess.run([*pip_of(folder), "install", *quiet, requirement], check=True)
    return folder / "bin" / "falcon-bulk"


def pip_of(environment: Path) -> list[str]:
    """Return the command line of pip for an environment that has none of its own."""
    python = str(environment / "bin" / "python")
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]


def run(command: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in `folder`, with nothing of this process's environment."""
    environment = {"PATH": os.defpath, "HOME": str(folder), "FALCON_BULK_STATE_DIR": str(folder / "state")}
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_the_wheel_holds_the_two_packages_and_nothing_else(packages: Path) -> None:
    with zipfile.ZipFile(_only(packages, "*.whl")) as wheel:
        names = [PurePosixPath(name) for name in wheel.namelist()]
    code = [name for name in names if name.parts[0] in PACKAGES]
    data = [name.parts[1:] for name in names if name.parts[0].endswith(".data")]
    assert data == [("data", "share", "man", "man1", "falcon-bulk.1")]
    apart = {
        name.parts[0].partition("-")[0] + PurePosixPath(name.parts[0]).suffix for name in names if name not in code
    }
    assert apart <= {"falcon_bulk.dist-info", "falcon_bulk.data"}, "only the packages, their metadata and the man page"
    assert {name.suffix for name in code} <= KINDS
    sources = (ROOT / "src").rglob("*")
    expected = {path.relative_to(ROOT / "src").as_posix() for path in sources if path.suffix in KINDS}
    assert {name.as_posix() for name in code} == expected
    data_files = {
        "falcon_emulator/mapping.csv",
        "falcon_emulator/catalog/patterns.csv",
        "falcon_bulk/schemas/run-1.json",
    }
    assert data_files <= expected


def test_the_sdist_holds_what_a_packager_needs_and_nothing_of_a_customer(packages: Path) -> None:
    with tarfile.open(_only(packages, "*.tar.gz")) as sdist:
        names = {"/".join(PurePosixPath(name).parts[1:]) for name in sdist.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "Makefile",
        ".env.example",
        "constraints.txt",
    } <= names
    assert "tests/packaging/test_packages.py" in names, "the tests go with it"
    strange = {name for name in names if name.endswith(NEVER) or name.startswith((".git/", ".venv", ".hypothesis"))}
    assert not strange
    assert {name for name in names if name.startswith(("customers/", "reports/"))} <= {
        "customers/README.md",
        "reports/README.md",
    }


def test_the_wheel_with_the_extra_gives_the_tour_in_a_clean_environment(
    installed_with_emulator: Path, tmp_path: Path
) -> None:
    tour = run(installed_with_emulator, tmp_path, "demo")
    assert tour.returncode == 0, tour.stderr[-2_000:]
    assert "close-hash" in tour.stdout + tour.stderr
    assert "Traceback" not in tour.stderr


def test_the_wheel_without_extras_brings_no_web_server(installed: Path) -> None:
    listing = [*pip_of(installed.parents[1]), "list", "--format", "json"]
    found = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    names = {package["name"].lower() for package in json.loads(found)}
    assert {"falcon-bulk", "crowdstrike-falconpy"} <= names
    assert "aiohttp" not in names


@pytest.mark.parametrize("arguments", [("demo",), ("emulator", "serve"), ("emulator", "switches")], ids=" ".join)
def test_without_the_extra_the_emulator_says_how_to_get_it(
    installed: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = run(installed, tmp_path, *arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == "Error: The emulator needs aiohttp.\nHint: pip install 'falcon-bulk[emulator]'\n"


def test_without_extras_the_command_queries_closes_and_undoes(installed: Path, tmp_path: Path) -> None:
    tenant = Tenant(alerts=400, seed=7)
    alerts = tenant.store.newest_first
    counts = Counter(sha256 for alert in alerts for sha256 in alert.evidence.own_hashes())
    sha256 = counts.most_common(1)[0][0]
    before = {alert.composite_id: alert.state.status for alert in alerts}
    with Server(tenant) as server:
        env_file = tmp_path / "acme.env"
        env_file.touch(mode=0o600)
        env_file.write_text(tenant.env_text(server.url))
        customer = ("--env-file", str(env_file))

        counted = run(installed, tmp_path, "query", *customer, "--hash", sha256, "--all", "--count")
        assert (counted.returncode, counted.stdout.strip()) == (0, str(counts[sha256])), counted.stderr

        consent = ("--yes", "--max", "400")
        closing = ("close-hash", *customer, "--hash", sha256, *consent, "--format", "json")
        closed = run(installed, tmp_path, *closing)
        assert closed.returncode == 0, closed.stderr
        result = json.loads(closed.stdout)
        changed = {alert.composite_id for alert in alerts if alert.state.status != before[alert.composite_id]}
        assert result["changed"] == len(changed) > 0

        undone = run(installed, tmp_path, "undo", *customer, result["run_id"], *consent)
        assert undone.returncode == 0, undone.stderr
        assert {alert.composite_id: alert.state.status for alert in alerts} == before


def test_the_installed_command_prints_its_version(installed: Path, packages: Path) -> None:
    version = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True).stdout
    assert _only(packages, "*.whl").name.split("-")[1] in version
