""".env.example: what a newcomer copies."""

import re
from pathlib import Path

import pytest

from falcon_bulk.config.env_file import read_env_file
from falcon_bulk.config.env_keys import CREDENTIALS, KEYS
from falcon_bulk.config.settings import load_settings
from falcon_bulk.errors import BadEnvFile

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")


def a_copy(folder: Path, text: str) -> Path:
    path = folder / "acme.env"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_it_shows_every_key_and_no_other(tmp_path: Path) -> None:
    everything = re.sub(r"^# *(?=FALCON_)", "", EXAMPLE, flags=re.MULTILINE)
    assert set(read_env_file(a_copy(tmp_path, everything))) == set(KEYS)


def test_an_unfilled_copy_says_what_is_missing(tmp_path: Path) -> None:
    path = a_copy(tmp_path, EXAMPLE)
    with pytest.raises(BadEnvFile, match="FALCON_CLIENT_ID is blank"):
        load_settings(env_file=path, customer=None, customers_dir=tmp_path, environ={}, cwd=tmp_path)


def test_a_copy_with_the_credentials_filled_in_is_enough(tmp_path: Path) -> None:
    text = EXAMPLE
    for key in CREDENTIALS:
        text = text.replace(f"{key}=\n", f"{key}=x\n")
    settings = load_settings(
        env_file=a_copy(tmp_path, text), customer=None, customers_dir=tmp_path, environ={}, cwd=tmp_path
    )
    assert (settings.customer, settings.cids, settings.warnings) == ("acme", (), ())
