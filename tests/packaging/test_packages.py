"""What is published: the sdist and the wheel hold what they should, and the wheel runs where nothing else is."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
NEVER = (".env", ".sqlite3", ".pyc", ".log")
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
    """The command, installed from the wheel into an environment of its own."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([python, "-m", "pip", "install", *quiet, _only(packages, "*.whl")], check=True)
    return folder / "bin" / "falcon-bulk"


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_the_wheel_holds_the_package_and_nothing_beside_it(packages: Path) -> None:
    with zipfile.ZipFile(_only(packages, "*.whl")) as wheel:
        names = [PurePosixPath(name) for name in wheel.namelist()]
    code = [name for name in names if name.parts[0] == "falcon_bulk"]
    data = [name.parts[1:] for name in names if name.parts[0].endswith(".data")]
    assert data == [("data", "share", "man", "man1", "falcon-bulk.1")]
    apart = {
        name.parts[0].partition("-")[0] + PurePosixPath(name.parts[0]).suffix for name in names if name not in code
    }
    assert apart <= {"falcon_bulk.dist-info", "falcon_bulk.data"}, "only the package, its metadata and its man page"
    assert {name.suffix for name in code} <= KINDS
    sources = (ROOT / "src").rglob("*")
    expected = {path.relative_to(ROOT / "src").as_posix() for path in sources if path.suffix in KINDS}
    assert {name.as_posix() for name in code} == expected


def test_the_sdist_holds_what_a_packager_needs_and_nothing_of_a_customer(packages: Path) -> None:
    with tarfile.open(_only(packages, "*.tar.gz")) as sdist:
        names = {"/".join(PurePosixPath(name).parts[1:]) for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", ".env.example"} <= names
    assert "tests/packaging/test_packages.py" in names, "the tests go with it"
    strange = {name for name in names if name.endswith(NEVER) or name.startswith((".git/", ".venv", ".hypothesis"))}
    assert not strange
    assert {name for name in names if name.startswith(("customers/", "reports/"))} <= {
        "customers/README.md",
        "reports/README.md",
    }


def test_the_installed_wheel_gives_the_tour_in_a_clean_environment(installed: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "FALCON_BULK_STATE_DIR": str(tmp_path / "state")}
    tour = subprocess.run(
        [installed, "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
    )
    assert tour.returncode == 0, tour.stderr[-2_000:]
    assert "close-hash" in tour.stdout + tour.stderr
    assert "Traceback" not in tour.stderr


def test_the_installed_command_says_its_version(installed: Path, packages: Path) -> None:
    said = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True).stdout
    assert _only(packages, "*.whl").name.split("-")[1] in said
