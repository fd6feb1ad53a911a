"""--notify also tells that a command has no result: it could not log in, or its env file is invalid."""

import pytest

from tests.support.command import CommandResult, CommandRunner
from tests.support.mail_server import PASSWORD, Mailbox, body
from tests.support.sampling import quick_first

REPORT = ("hash-summary", "--notify")


def told(done: CommandResult, mailbox: Mailbox, code: int, *texts: str) -> None:
    """Check that a command failed with the code and that one mail says so, with these texts."""
    assert done.code == code, done
    (message,) = mailbox.messages
    assert message["Subject"] == f"acme: {REPORT[0]} failed with exit code {code}"
    for text in texts:
        assert text in body(message)
    assert PASSWORD not in done.err
    assert "could not be" not in done.err


def test_a_wrong_secret_is_told_with_the_hint(acme: CommandRunner, mailbox: Mailbox) -> None:
    acme.write_customer("acme", FALCON_CLIENT_SECRET="wrong", FALCON_NOTIFY=f"'{mailbox.url}'")
    done = acme(*REPORT)
    shown = [line.split(": ", 1)[1] for line in done.err.splitlines() if line.startswith("Error: ")]
    told(done, mailbox, 4, *shown)


def test_an_unreachable_falcon_is_told(acme: CommandRunner, mailbox: Mailbox) -> None:
    acme.write_customer("acme", FALCON_BASE_URL="http://127.0.0.1:9", FALCON_NOTIFY=f"'{mailbox.url}'")
    told(acme(*REPORT), mailbox, 5, "Cannot reach Falcon to log in")


@pytest.mark.parametrize(
    ("values", "text"),
    quick_first(
        ({"FALCON_CID": "not/a/cid"}, "FALCON_CID contains a value that is not a CID"),
        ({"FALCON_CLIENT_SECRET": None}, "FALCON_CLIENT_SECRET is missing"),
        ({"FALCON_BASE_URL": "mars-1"}, "FALCON_BASE_URL"),
    ),
)
def test_an_invalid_env_file_is_told_to_the_addresses_in_it(
    acme: CommandRunner, mailbox: Mailbox, values: dict[str, str | None], text: str
) -> None:
    acme.write_customer("acme", FALCON_NOTIFY=f"'{mailbox.url}'", **values)
    done = acme(*REPORT)
    told(done, mailbox, 4, text)
    assert done.requests == []


@pytest.mark.parametrize("damage", quick_first("mode", "missing", "text"))
def test_an_env_file_that_cannot_be_read_is_told_to_the_addresses_of_the_environment(
    acme: CommandRunner, mailbox: Mailbox, damage: str
) -> None:
    match damage:
        case "mode":
            acme.env_file.chmod(0o644)
        case "missing":
            acme.env_file.unlink()
        case _:
            acme.env_file.write_text("no key\n")
    told(acme(*REPORT, env={"FALCON_NOTIFY": mailbox.url}), mailbox, 4, "acme.env")


def test_without_any_address_it_says_that_nobody_could_be_notified(acme: CommandRunner, mailbox: Mailbox) -> None:
    acme.env_file.chmod(0o644)
    done = acme(*REPORT)
    assert done.code == 4, done
    assert "Nobody could be notified: FALCON_NOTIFY is not set" in done.err
    assert mailbox.messages == []


def test_a_missing_address_is_reported_once(acme: CommandRunner) -> None:
    acme.write_customer("acme")
    done = acme(*REPORT)
    assert done.code == 2
    assert done.err.count("FALCON_NOTIFY is not set") == 1, done


def test_a_change_that_is_refused_is_told(acme: CommandRunner, mailbox: Mailbox) -> None:
    done = acme("bulk-close", "--product", "epp", "--override", "all", "--yes", "--expect", "1", "--notify")
    assert done.code == 7, done
    (message,) = mailbox.messages
    assert message["Subject"] == "acme: bulk-close failed with exit code 7"
    assert "1 were expected" in body(message)


def test_an_unexpected_error_is_told_without_its_text(acme: CommandRunner, mailbox: Mailbox) -> None:
    (acme.folder / "sitecustomize.py").write_text(
        "import falcon_bulk.falcon.tenant as tenant\n"
        f"def broken(*_args, **_more): raise RuntimeError({PASSWORD!r})\n"
        "tenant.Tenant.__init__ = broken\n"
    )
    done = acme(*REPORT, env={"PYTHONPATH": f"{acme.folder}:{acme.environment()['PYTHONPATH']}"})
    told(done, mailbox, 1, "Unexpected RuntimeError.")
    assert PASSWORD not in body(mailbox.messages[0])


def test_a_failure_is_told_once_and_a_refused_mail_changes_no_exit_code(acme: CommandRunner, mailbox: Mailbox) -> None:
    mailbox.refusing = f"550 {PASSWORD} is not welcome"
    acme.write_customer("acme", FALCON_CLIENT_SECRET="wrong", FALCON_NOTIFY=f"'{mailbox.url}'")
    done = acme(*REPORT)
    assert done.code == 4, done
    assert done.err.count("The notification could not be sent") == 1
    assert PASSWORD not in done.err


def test_a_mistake_at_a_terminal_is_told_to_nobody_else(acme: CommandRunner, mailbox: Mailbox) -> None:
    with acme.terminal("bulk-close", "--product", "epp", "--yes", "--notify") as terminal:
        done = terminal.finish()
    assert done.code == 2, done
    assert mailbox.messages == []
