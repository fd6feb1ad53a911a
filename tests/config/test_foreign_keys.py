"""Keys of other tools and pasted values in env files: honoured, refused or named, never ignored in silence."""

from pathlib import Path

import pytest

from falcon_bulk.config.settings import Settings, load_settings
from falcon_bulk.errors import BadEnvFile

GIVEN = {"FALCON_CLIENT_ID": "id", "FALCON_CLIENT_SECRET": "secret"}


def loaded(folder: Path, lines: dict[str, str], environ: dict[str, str] | None = None) -> Settings:
    path = folder / "acme.env"
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="utf-8")
    path.chmod(0o600)
    return load_settings(
        env_file=path, customer=None, customers_dir=folder / "customers", environ=environ or {}, cwd=folder
    )


@pytest.mark.parametrize("key", ["FALCON_CLOUD", "FALCON_CLOUD_REGION"])
def test_another_tools_region_is_honoured_in_a_file(tmp_path: Path, key: str) -> None:
    settings = loaded(tmp_path, GIVEN | {key: "eu-1"}, environ={"FALCON_CLOUD": "us-gov-1"})
    assert settings.base_url == "https://api.eu-1.crowdstrike.com"
    assert settings.warnings == ()


@pytest.mark.parametrize("key", ["FALCON_CLOUD", "FALCON_CLOUD_REGION"])
def test_a_region_that_contradicts_the_base_url_is_refused(tmp_path: Path, key: str) -> None:
    same = GIVEN | {"FALCON_BASE_URL": "https://api.us-2.crowdstrike.com", key: "us-2"}
    assert loaded(tmp_path, same).base_url == "https://api.us-2.crowdstrike.com"
    with pytest.raises(BadEnvFile, match=f"FALCON_BASE_URL and {key} contradict each other"):
        loaded(tmp_path, same | {key: "us-1"})


def test_a_region_that_is_none_is_refused_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(BadEnvFile, match="FALCON_CLOUD is neither a region nor a URL"):
        loaded(tmp_path, GIVEN | {"FALCON_CLOUD": "mars 1"})


def test_keys_of_other_tools_are_named_with_ours(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GIVEN | {"CS_BASE_URL": "us-2", "FLCON_CID": "a1"})
    path = tmp_path / "acme.env"
    assert settings.warnings == (
        f"{path}: CS_BASE_URL is ignored; falcon-bulk reads FALCON_BASE_URL.",
        f"{path}: FLCON_CID is ignored; falcon-bulk reads FALCON_CID.",
    )
    with pytest.raises(BadEnvFile, match="FALCON_CLIENT_ID is missing, and CS_CLIENT_ID is not read") as caught:
        loaded(tmp_path, {"CS_CLIENT_ID": "id", "FALCON_CLIENT_SECRET": "secret"})
    assert caught.value.hint == "Rename CS_CLIENT_ID to FALCON_CLIENT_ID."


@pytest.mark.parametrize("key", ["CS_CLOUD", "CS_BASE_URL", "FALCON_REGION"])
def test_a_key_of_another_tool_is_named_also_beside_ours(tmp_path: Path, key: str) -> None:
    settings = loaded(tmp_path, GIVEN | {"FALCON_BASE_URL": "eu-1", key: "us-2"})
    assert settings.warnings == (f"{tmp_path / 'acme.env'}: {key} is ignored; falcon-bulk reads FALCON_BASE_URL.",)


@pytest.mark.parametrize(
    "key", ["FALCON_CLIENTSECRET", "falcon_client_secret", "FALCON_SECRET", "FALCON_CLIENT_SECERT"]
)
def test_a_misspelt_key_is_named_where_the_right_one_is_missing(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadEnvFile, match=f"FALCON_CLIENT_SECRET is missing, and {key} is not read") as caught:
        loaded(tmp_path, {"FALCON_CLIENT_ID": "id", key: "value"})
    assert caught.value.hint == f"Rename {key} to FALCON_CLIENT_SECRET."


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("\u201csecret\u201d", "has curly quotes"),
        ("secret;", "ends with a semicolon"),
    ],
)
@pytest.mark.parametrize("key", ["FALCON_CLIENT_ID", "FALCON_CLIENT_SECRET", "FALCON_BASE_URL"])
def test_what_pasting_adds_is_named_before_the_login(tmp_path: Path, key: str, value: str, problem: str) -> None:
    with pytest.raises(BadEnvFile, match=f"{key} {problem}") as caught:
        loaded(tmp_path, GIVEN | {key: value})
    assert "secret" not in caught.value.message.removeprefix(str(tmp_path))


def test_blanks_inside_quotes_are_named(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GIVEN | {"FALCON_CLIENT_SECRET": "' secret '"})
    assert settings.warnings == (f"{tmp_path / 'acme.env'}: FALCON_CLIENT_SECRET has blanks inside its quotes.",)
