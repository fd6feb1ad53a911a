"""The checks of doctor that send nothing: the installation, the state folder, files and proxies."""

import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from falcon_bulk.errors import AccessProblem, BadEnvFile, ExitCode
from falcon_bulk.model.doctor import CheckStatus
from falcon_bulk.operations.doctor import local_checks as surroundings

ENV_FILE = """\
FALCON_CLIENT_ID={client_id}
FALCON_CLIENT_SECRET=a-secret-that-is-never-shown
FALCON_BASE_URL=us-2
FALCON_CID={cid}
"""


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A customer's env file, closed to others."""
    path = tmp_path / "acme.env"
    path.write_text(ENV_FILE.format(client_id="1" * 32, cid="c" * 32))
    path.chmod(0o600)
    return path


def installed(folder: Path, name: str, version: str, *requires: str) -> None:
    """A library's entry as an installer leaves it."""
    entry = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    entry.mkdir()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    (entry / "METADATA").write_text("\n".join(lines) + "\n")


# The installation


def test_every_library_is_named_with_its_version() -> None:
    check = surroundings.check_versions()
    assert check.status is CheckStatus.OK
    assert "crowdstrike-falconpy 1.6." in check.what
    assert ", click " in check.what
    assert ", requests " in check.what
    assert "pytest" not in check.what  # what only development needs says nothing about a bug


def test_a_missing_library_fails_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "falcon-bulk", "1.0", "requests>=2", "nowhere-to-be-found>=3", 'unwanted; extra == "dev"')
    monkeypatch.syspath_prepend(str(tmp_path))
    check = surroundings.check_versions()
    assert (check.status, check.exit_code) == (CheckStatus.FAIL, ExitCode.UNEXPECTED)
    assert "nowhere-to-be-found missing" in check.what
    assert "nowhere-to-be-found is missing" in check.hint
    assert "unwanted" not in check.what


def test_another_falconpy_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "crowdstrike-falconpy", "1.7.0")
    monkeypatch.syspath_prepend(str(tmp_path))
    check = surroundings.check_versions()
    assert check.status is CheckStatus.WARN
    assert "crowdstrike-falconpy 1.7.0" in check.what
    assert "1.6.x" in check.hint


# The state folder


@contextmanager
def nothing_can_be_written() -> Iterator[None]:
    """A limit that root is held to as well."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_a_missing_state_folder_is_created_and_is_empty(tmp_path: Path) -> None:
    check = surroundings.check_state_folder(tmp_path / "state")
    assert check.status is CheckStatus.OK
    assert "writable" in check.what
    assert "journals: 0, runs: 0" in check.what
    assert list((tmp_path / "state").iterdir()) == []


def test_a_state_folder_that_is_not_writable_is_an_access_problem(tmp_path: Path) -> None:
    with nothing_can_be_written(), pytest.raises(AccessProblem, match="Cannot write to") as caught:
        surroundings.check_state_folder(tmp_path)
    assert "FALCON_BULK_STATE_DIR" in caught.value.hint


def test_little_disk_space_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "MIN_FREE_BYTES", 2**63)
    check = surroundings.check_state_folder(tmp_path)
    assert check.status is CheckStatus.WARN
    assert "Little space" in check.hint


# The env file


def test_the_keys_of_an_env_file_are_named_and_none_of_its_values(acme: Path) -> None:
    check = surroundings.check_env_file(acme, {}, None)
    assert check.status is CheckStatus.OK
    assert "FALCON_CLIENT_ID, FALCON_CLIENT_SECRET, FALCON_BASE_URL, FALCON_CID" in check.what
    assert "a-secret" not in check.what


def test_credentials_of_the_process_environment_are_named_by_their_keys() -> None:
    environ = {"FALCON_CLIENT_ID": "1" * 32, "FALCON_CLIENT_SECRET": "a-secret-that-is-never-shown", "FALCON_CID": ""}
    check = surroundings.check_env_file(None, environ, None)
    assert check.status is CheckStatus.OK
    assert check.what == "none; process environment: FALCON_CLIENT_ID, FALCON_CLIENT_SECRET"


def test_a_missing_file_raises_the_error_of_the_settings(tmp_path: Path) -> None:
    missed = BadEnvFile("There is no customer acme.")
    for path in (None, tmp_path / "acme.env"):
        with pytest.raises(BadEnvFile) as caught:
            surroundings.check_env_file(path, {}, missed)
        assert caught.value is missed


def test_files_with_the_same_credentials_fail_because_changes_are_refused(acme: Path) -> None:
    other = acme.with_name("globex.env")
    other.write_text(ENV_FILE.format(client_id="2" * 32, cid="c" * 32))
    other.chmod(0o600)
    check = surroundings.check_env_file(acme, {}, None)
    assert (check.status, check.exit_code) == (CheckStatus.FAIL, ExitCode.ACCESS)
    assert "globex" in check.what
    assert "Changes are refused" in check.hint


# The way to the network


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, "no proxy, no custom CA file"),
        ({"HTTPS_PROXY": "http://jane:hunter22@proxy.example:3128"}, "HTTPS_PROXY=http://proxy.example:3128"),
        ({"https_proxy": "http://proxy.example"}, "HTTPS_PROXY=http://proxy.example"),
        ({"ALL_PROXY": "jane:hunter22@proxy.example:3128"}, "ALL_PROXY=proxy.example:3128"),
        ({"HTTP_PROXY": "http://jane:hunter22@[proxy"}, "HTTP_PROXY=(cannot be read)"),
        ({"HTTP_PROXY": "http://jane:hunter22@proxy:port"}, "HTTP_PROXY=(cannot be read)"),
        ({"NO_PROXY": ".acme.example,127.0.0.1"}, "NO_PROXY=.acme.example,127.0.0.1"),
    ],
)
def test_a_proxy_is_named_without_its_login(environ: Mapping[str, str], shown: str) -> None:
    check = surroundings.check_network(environ)
    assert (check.status, check.what) == (CheckStatus.OK, shown)


def test_a_ca_file_that_exists_is_fine_and_a_missing_one_is_a_warning(acme: Path) -> None:
    bundles = {"REQUESTS_CA_BUNDLE": str(acme), "CURL_CA_BUNDLE": str(acme)}
    assert surroundings.check_network(bundles).status is CheckStatus.OK
    check = surroundings.check_network(bundles | {"CURL_CA_BUNDLE": "/nowhere/ca.pem"})
    assert check.status is CheckStatus.WARN
    assert check.hint == "CURL_CA_BUNDLE names a file that does not exist."
