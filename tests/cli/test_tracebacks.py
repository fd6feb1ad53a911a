"""--debug shows where an unexpected error came from, and neither a secret nor a control character."""

from urllib.parse import quote_plus

import pytest

from falcon_bulk.config.secret import Secret, mask_secrets, register_secret
from tests.support.command import CommandResult, CommandRunner
from tests.support.sampling import quick_first
from tests.support.secret_sentinel import assert_not_leaked, guard

# Stands for any library that raises with what it was given.
BROKEN = """
class OAuth2:
    def __init__(self, **given):
        raise {kind}({words})
def __getattr__(name):
    return OAuth2
"""


def broken(shell: CommandRunner, words: str, *argv: str, kind: str = "RuntimeError") -> CommandResult:
    folder = shell.folder / "broken"
    folder.mkdir(exist_ok=True)
    (folder / "falconpy.py").write_text(BROKEN.format(kind=kind, words=words), encoding="utf-8")
    return shell("query", *argv, env={"PYTHONPATH": f"{folder}:{shell.environment()['PYTHONPATH']}"})


def test_a_traceback_shows_nothing_unseen(readable: CommandRunner) -> None:
    done = broken(readable, r"'\x1b[2J\u202e\x9b31m\x00\nHint: run this'", "--debug")
    assert done.code == 1
    assert "Traceback (most recent call last)" in done.err
    assert r"RuntimeError: \x1b[2J\u202e\x9b31m\x00" in done.err
    assert not set("\x1b\u202e\x9b\x00") & set(done.err)
    assert done.err.splitlines()[-2].startswith("Error: Unexpected RuntimeError.")


@pytest.mark.parametrize("kind", quick_first("RuntimeError", "OSError"))
@pytest.mark.parametrize("words", ["given", "given['client_secret']"])
def test_a_traceback_shows_no_secret(readable: CommandRunner, kind: str, words: str) -> None:
    former, text = readable.tenant.access.client_secret, readable.env_file.read_text()
    try:
        guard(readable)
        done = broken(readable, words, "--debug", kind=kind)
    finally:
        readable.tenant.access.client_secret = former
        readable.write_env("customers/acme.env", text)
    assert done.code == 1
    assert "***" in done.err
    assert "client_secret" in done.err
    assert_not_leaked(readable, done)


def test_with_json_the_document_is_there_beside_the_traceback(readable: CommandRunner) -> None:
    done = broken(readable, "'no'", "--debug", "--format", "json")
    assert (done.code, done.document["exit_code"]) == (1, 1)
    assert "Traceback" in done.err


@pytest.mark.parametrize("value", ["acme-0123'4567\"89", "acme é & = 0123456", "x" * 40])
def test_a_hidden_value_is_masked_however_it_is_written(value: str) -> None:
    Secret(value)
    for text in (value, repr({"secret": value}), f"client_secret={quote_plus(value)}&x=1"):
        assert "***" in mask_secrets(text)
        assert value not in mask_secrets(text)


def test_a_value_that_is_too_short_to_be_a_secret_masks_no_words() -> None:
    register_secret("e")
    register_secret("")
    assert mask_secrets("a sentence") == "a sentence"
