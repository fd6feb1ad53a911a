"""Whose credentials are used: one source, never a mixture, and no secret in anything that is shown."""

import copy
import dataclasses
import getpass
import pickle
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from falcon_bulk.config.operator import MAX_LENGTH, login_name, operator_problem
from falcon_bulk.config.secret import Secret
from falcon_bulk.config.setting_readers import read_only
from falcon_bulk.config.settings import Settings, load_settings
from falcon_bulk.config.settings_source import PROCESS_ENVIRONMENT
from falcon_bulk.errors import BadEnvFile, ExitCode, FalconBulkError, UsageProblem

SECRET = "s3ntinel-of-acme"
OTHER = {
    "FALCON_CLIENT_ID": "globex-id",
    "FALCON_CLIENT_SECRET": "globex-secret",
    "FALCON_BASE_URL": "eu-1",
    "FALCON_CID": "9" * 32,
    "FALCON_MEMBER_CID": "8" * 32,
    "FALCON_CUSTOMER": "globex",
    "FALCON_OPERATOR": "Gil",
    "FALCON_TAGS": "emea",
}


def an_env_file(folder: Path, name: str = "acme.env", **keys: str) -> Path:
    values = {"FALCON_CLIENT_ID": "acme-id", "FALCON_CLIENT_SECRET": SECRET} | keys
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join(f"{key}='{value}'\n" for key, value in values.items()), encoding="utf-8")
    path.chmod(0o600)
    return path


def loaded(
    cwd: Path,
    *,
    env_file: Path | str | None = None,
    customer: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    return load_settings(
        env_file=Path(env_file) if env_file is not None else None,
        customer=customer,
        customers_dir=Path("customers"),
        environ=environ or {},
        cwd=cwd,
    )


def refusal(cwd: Path, **how: object) -> FalconBulkError:
    with pytest.raises(FalconBulkError) as caught:
        loaded(cwd, **how)  # type: ignore[arg-type]
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + caught.value.hint
    return caught.value


# Which source


def test_a_named_file_alone_gives_everything(tmp_path: Path) -> None:
    path = an_env_file(tmp_path)
    an_env_file(tmp_path, ".env", FALCON_CID="7" * 32)
    settings = loaded(tmp_path, env_file=path, environ=OTHER)
    assert settings == Settings(
        customer="acme",
        client_id="acme-id",
        client_secret=Secret(SECRET),
        base_url="https://api.crowdstrike.com",
        member_cid="",
        cids=(),
        operator=login_name(),
        source=str(path),
        named=True,
        secret_set=datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat(),
    )


def test_a_customer_is_short_for_its_file(tmp_path: Path) -> None:
    path = an_env_file(tmp_path / "customers")
    assert loaded(tmp_path, customer="acme", environ=OTHER) == loaded(tmp_path, env_file=path)
    assert loaded(tmp_path, customer="acme", env_file="customers/acme.env").source == str(path)


def test_two_different_files_are_a_usage_problem(tmp_path: Path) -> None:
    an_env_file(tmp_path / "customers")
    other = an_env_file(tmp_path / "customers", "globex.env")
    for named in (other, tmp_path / "absent.env", "~nobody-of-acme/x", "a\0b"):
        assert isinstance(refusal(tmp_path, customer="acme", env_file=named), UsageProblem)


def test_without_a_name_the_process_environment_comes_first(tmp_path: Path) -> None:
    an_env_file(tmp_path, ".env", FALCON_CID="7" * 32)
    settings = loaded(tmp_path, environ=OTHER)
    assert settings == Settings(
        customer="globex",
        client_id="globex-id",
        client_secret=Secret("globex-secret"),
        base_url="https://api.eu-1.crowdstrike.com",
        member_cid="8" * 32,
        cids=("9" * 32,),
        operator="Gil",
        source=PROCESS_ENVIRONMENT,
        named=False,
        tags=("emea",),
    )


@pytest.mark.parametrize("key", ["FALCON_CLIENT_ID", "FALCON_CLIENT_SECRET"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_incomplete_credentials_in_the_process_environment_are_ignored(
    tmp_path: Path, key: str, value: str | None
) -> None:
    environ = {name: text for name, text in OTHER.items() if name != key} | ({} if value is None else {key: value})
    path = an_env_file(tmp_path, ".env")
    settings = loaded(tmp_path, environ=environ)
    assert (settings.source, settings.named, settings.customer) == (str(path), False, "default")
    assert (settings.client_id, settings.cids, settings.tags) == ("acme-id", (), ())
    path.unlink()
    error = refusal(tmp_path, environ=environ)
    assert isinstance(error, BadEnvFile)
    assert key in error.message
    assert ".env does not exist" in error.message
    assert "customers add NAME" in error.hint


@pytest.mark.parametrize("key", ["FALCON_CLIENT_ID", "FALCON_CLIENT_SECRET"])
@pytest.mark.parametrize("value", ["", "   "])
def test_a_blank_credential_is_named_and_never_taken_from_elsewhere(tmp_path: Path, key: str, value: str) -> None:
    path = an_env_file(tmp_path, **{key: value})
    error = refusal(tmp_path, env_file=path, environ=OTHER)
    assert error.message == f"{path}: {key} is blank."
    assert error.exit_code == ExitCode.ACCESS


def test_a_missing_credential_is_named(tmp_path: Path) -> None:
    path = tmp_path / "acme.env"
    path.write_text("FALCON_CLIENT_ID=acme-id\n")
    path.chmod(0o600)
    assert "FALCON_CLIENT_SECRET is missing" in refusal(tmp_path, env_file=path, environ=OTHER).message


def test_an_unsafe_dot_env_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    an_env_file(tmp_path, ".env").chmod(0o644)
    assert "mode 644" in refusal(tmp_path).message


# Customers


@pytest.mark.parametrize(
    "name", ["../acme", "acme/x", "", ".", "..", ".env", "-x", "a" * 65, "a.b", "a b", "acme\n", "é"]
)
def test_an_invalid_name_is_a_usage_problem(tmp_path: Path, name: str) -> None:
    an_env_file(tmp_path)
    assert isinstance(refusal(tmp_path, customer=name), UsageProblem)


def test_similar_names_are_suggested_for_an_unknown_customer(tmp_path: Path) -> None:
    for name in ("acme.env", "globex.env", "initech.env", "not a name.env", "README.md"):
        an_env_file(tmp_path / "customers", name)
    error = refusal(tmp_path, customer="ACMEE")
    assert isinstance(error, BadEnvFile)
    assert error.hint == "Did you mean acme?"
    assert "falcon-bulk customers" in refusal(tmp_path, customer="zzz").hint


def test_without_a_customers_folder_the_hint_says_how_to_start(tmp_path: Path) -> None:
    assert "customers add acme" in refusal(tmp_path, customer="acme").hint


@pytest.mark.parametrize(
    ("file", "keys", "name"),
    [
        ("acme.env", {}, "acme"),
        ("acme", {}, "acme"),
        (".env", {}, "default"),
        ("acme.env", {"FALCON_CUSTOMER": " Globex-2_b "}, "Globex-2_b"),
        ("acme.env", {"FALCON_CUSTOMER": ""}, "acme"),
        ("acme.prod.env", {"FALCON_CUSTOMER": "acme"}, "acme"),
    ],
)
def test_the_customer_is_the_one_in_the_file_or_the_files_stem(
    tmp_path: Path, file: str, keys: dict[str, str], name: str
) -> None:
    assert loaded(tmp_path, env_file=an_env_file(tmp_path, file, **keys)).customer == name


@pytest.mark.parametrize(("file", "keys"), [("acme.prod.env", {}), ("acme.env", {"FALCON_CUSTOMER": "Acme Inc."})])
def test_an_invalid_customer_name_is_refused(tmp_path: Path, file: str, keys: dict[str, str]) -> None:
    error = refusal(tmp_path, env_file=an_env_file(tmp_path, file, **keys))
    assert isinstance(error, BadEnvFile)
    assert "FALCON_CUSTOMER" in error.hint


def test_the_process_environment_without_a_customer_is_called_default(tmp_path: Path) -> None:
    environ = {key: value for key, value in OTHER.items() if key != "FALCON_CUSTOMER"}
    assert loaded(tmp_path, environ=environ).customer == "default"


def test_a_file_with_another_customers_name_gives_a_warning(tmp_path: Path) -> None:
    an_env_file(tmp_path / "customers", FALCON_CUSTOMER="globex")
    settings = loaded(tmp_path, customer="acme")
    assert settings.customer == "globex"
    assert "globex, not acme" in settings.warnings[0]


# The values


def test_cids_are_split_lowered_and_freed_of_their_checksum(tmp_path: Path) -> None:
    cids = "ABCDEF0123456789abcdef0123456789-1F, beef  beef-A0,cid0"
    path = an_env_file(tmp_path, FALCON_CID=cids, FALCON_MEMBER_CID=" ABC123-ff ")
    settings = loaded(tmp_path, env_file=path)
    assert settings.cids == ("abcdef0123456789abcdef0123456789", "beef", "cid0")
    assert settings.member_cid == "abc123"


@pytest.mark.parametrize("value", ["a'+b", "a-b-c", "a;b", "*", "a" * 65, "é", "-1f"])
def test_an_invalid_cid_is_refused(tmp_path: Path, value: str) -> None:
    for key in ("FALCON_CID", "FALCON_MEMBER_CID"):
        assert key in refusal(tmp_path, environ=OTHER | {key: value}).message


def test_several_member_cids_are_refused(tmp_path: Path) -> None:
    assert "more than one" in refusal(tmp_path, env_file=an_env_file(tmp_path, FALCON_MEMBER_CID="a b")).message


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31mb", "a\u202eb", "a\u200bb", "a\x00b", "a\x85b"])
@pytest.mark.parametrize("key", sorted(OTHER))
def test_an_invisible_character_is_refused_and_its_key_named(tmp_path: Path, key: str, value: str) -> None:
    assert key in refusal(tmp_path, environ=OTHER | {key: value}).message


def test_a_secret_keeps_its_outer_blanks_and_an_id_does_not(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, env_file=an_env_file(tmp_path, FALCON_CLIENT_ID=" acme-id ", FALCON_CLIENT_SECRET=" x ")
    )
    assert (settings.client_id, settings.client_secret.reveal()) == ("acme-id", " x ")


def test_a_bad_base_url_names_its_file(tmp_path: Path) -> None:
    path = an_env_file(tmp_path, FALCON_BASE_URL=f"https://u:{SECRET}@acme.example")
    error = refusal(tmp_path, env_file=path)
    assert isinstance(error, BadEnvFile)
    assert error.message.startswith(f"{path}: FALCON_BASE_URL ")


def test_a_custom_host_is_allowed_by_the_process_environment_only(tmp_path: Path) -> None:
    key = "FALCON_BULK_ALLOW_CUSTOM_BASE_URL"
    path = an_env_file(tmp_path, FALCON_BASE_URL="https://acme.example", **{key: "1"})
    refusal(tmp_path, env_file=path)
    refusal(tmp_path, env_file=path, environ={key: "0"})
    settings = loaded(tmp_path, env_file=path, environ={key: "1"})
    assert settings.base_url == "https://acme.example"
    assert settings.warnings == (f"{path}: {key} is ignored: it works only in the process environment.",)


@pytest.mark.parametrize(
    ("file", "process", "expected"),
    [
        ("", "", False),
        ("1", "", True),
        ("", "yes", True),
        ("on", "0", True),
        ("off", "TRUE", True),
        ("no", "false", False),
    ],
)
def test_either_the_file_or_the_process_environment_forbids_changes(
    tmp_path: Path, file: str, process: str, expected: bool
) -> None:
    path = an_env_file(tmp_path, FALCON_BULK_READ_ONLY=file)
    environ = {"FALCON_BULK_READ_ONLY": process}
    assert loaded(tmp_path, env_file=path, environ=environ).read_only is expected
    assert read_only(environ) is (process not in ("", "0", "false"))


def test_a_switch_that_is_neither_yes_nor_no_is_refused(tmp_path: Path) -> None:
    path = an_env_file(tmp_path)
    assert "neither yes nor no" in refusal(tmp_path, env_file=path, environ={"FALCON_BULK_READ_ONLY": "ja"}).message
    path = an_env_file(tmp_path, FALCON_BULK_READ_ONLY="ja")
    assert str(path) in refusal(tmp_path, env_file=path).message


def test_unknown_falcon_keys_give_a_warning_and_others_none(tmp_path: Path) -> None:
    path = an_env_file(tmp_path, FALCON_CIDS="abc", FALCON_COLOUR="x", HTTPS_PROXY="y", falcon_operator="z")
    assert loaded(tmp_path, env_file=path).warnings == (
        f"{path}: unknown key FALCON_CIDS is ignored; did you mean FALCON_CID?",
        f"{path}: unknown key FALCON_COLOUR is ignored.",
        f"{path}: unknown key falcon_operator is ignored; did you mean FALCON_OPERATOR?",
    )


def test_in_the_process_environment_only_likely_typos_give_a_warning(tmp_path: Path) -> None:
    settings = loaded(tmp_path, environ=OTHER | {"FALCON_CLOUD": "x", "FALCON_CIDS": "a", "FALCON_BULK_STATE_DIR": "x"})
    assert settings.warnings == (
        "The process environment: unknown key FALCON_CIDS is ignored; did you mean FALCON_CID?",
    )


# The operator


def test_the_operator_is_the_named_one(tmp_path: Path) -> None:
    assert loaded(tmp_path, env_file=an_env_file(tmp_path, FALCON_OPERATOR=" Ann B. ")).operator == "Ann B."


def test_a_long_operator_is_refused(tmp_path: Path) -> None:
    path = an_env_file(tmp_path, FALCON_OPERATOR="x" * (MAX_LENGTH + 1))
    assert "FALCON_OPERATOR is longer than 64" in refusal(tmp_path, env_file=path).message
    assert operator_problem("x" * MAX_LENGTH) == operator_problem("") == ""
    assert "invisible" in operator_problem("a\u202eb")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("ann", "ann"),
        ("", "unknown"),
        ("a\x1bb", "unknown"),
        ("x" * 99, "x" * 64),
        (KeyError("uid"), "unknown"),
        (OSError("no login"), "unknown"),
        (ImportError("pwd"), "unknown"),
    ],
)
def test_an_unprintable_login_name_is_unknown(
    monkeypatch: pytest.MonkeyPatch, answer: str | Exception, expected: str
) -> None:
    def getuser() -> str:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(getpass, "getuser", getuser)
    assert login_name() == expected


# The secret


def test_a_secret_does_not_show_itself(tmp_path: Path) -> None:
    settings = loaded(tmp_path, env_file=an_env_file(tmp_path))
    secret = settings.client_secret
    templates = ("{}", "{!r}", "{!s:>9}", "{:>9}")
    shown = [template.format(thing) for template in templates[:2] for thing in (settings, [secret])]
    shown += [template.format(secret) for template in templates]
    shown += [str(dataclasses.asdict(settings)), f"{secret}"]
    assert not [text for text in shown if SECRET in text]
    assert all("***" in text for text in shown)
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == SECRET


def test_a_secret_is_not_pickled_and_copies_are_itself() -> None:
    secret = Secret(SECRET)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert copy.copy(secret) is copy.deepcopy(secret) is secret


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret(" ")
    assert Secret("a")
