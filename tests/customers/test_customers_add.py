"""falcon-bulk customers add: asks on a terminal, hides the secret, and writes what was typed."""

import os
import signal
import stat

import pytest

from falcon_bulk.config.env_file import read_env_file
from tests.support.command import CommandResult
from tests.support.managed_customers import ManagedCustomers
from tests.support.sampling import quick_first

ORDER = ("Client ID:", "Client secret (not shown):", "Region", "CID", "Operator", "Tags")
SECRET = 'It\'s # a "$ecret" \\n=%~ü'


def test_the_file_holds_what_was_typed_and_the_screen_shows_no_secret(msp: ManagedCustomers) -> None:
    with msp.terminal("customers", "add", "umbrella", customer=None) as terminal:
        terminal.answer("Client ID:", "0123abc")
        terminal.answer("Client secret (not shown):", SECRET)
        terminal.answer("Region", "eu-1")
        terminal.answer("CID", "AA11-0F, bb22")
        terminal.answer("Operator", "Ann O'Neil")
        terminal.answer("Tags", "gold emea")
        terminal.answer("Test the login now?", "n")
        done = terminal.finish()
    assert done.code == 0, done
    assert "falcon-bulk customers check umbrella" in done.err
    assert "ecret\\" not in done.err
    assert SECRET not in done.err
    path = msp.folder / "customers" / "umbrella.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_env_file(path) == {
        "FALCON_CLIENT_ID": "0123abc",
        "FALCON_CLIENT_SECRET": SECRET,
        "FALCON_BASE_URL": "eu-1",
        "FALCON_CID": "AA11-0F, bb22",
        "FALCON_OPERATOR": "Ann O'Neil",
        "FALCON_TAGS": "gold emea",
    }
    assert msp.rows(code=0)["umbrella"]["cids"] == ["aa11", "bb22"]


def test_the_suggested_check_of_an_added_customer_works(msp: ManagedCustomers) -> None:
    acme = msp.tenants["acme"]
    with msp.terminal("customers", "add", "acme", "--customers-dir", "eu", customer=None) as terminal:
        terminal.answer("Client ID:", acme.client_id)
        terminal.answer("Client secret (not shown):", acme.client_secret)
        terminal.answer("Region", msp.urls["acme"])
        terminal.answer("CID, commas", "")
        terminal.answer("CID, or Enter again for none", "")
        terminal.answer("Operator", "")
        terminal.answer("Tags", "")
        terminal.answer("Test the login now?", "n")
        done = terminal.finish()
    assert done.code == 0, done
    assert acme.client_secret not in done.err
    assert msp.all_requests() == 0
    suggested = done.err.split("Next:  falcon-bulk ")[1].splitlines()[0]
    assert suggested == "customers check acme --customers-dir eu"
    assert msp.bare(*suggested.split()).code == 0
    assert stat.S_IMODE((msp.folder / "eu").stat().st_mode) == 0o700


def added(msp: ManagedCustomers, secret: str, cid: tuple[str, ...], answer: str) -> CommandResult:
    """Add acme's login under another folder, give the CID's questions these answers and test the login."""
    acme = msp.tenants["acme"]
    with msp.terminal("customers", "add", "acme", "--customers-dir", "eu", customer=None, columns=240) as terminal:
        terminal.answer("Client ID:", acme.client_id)
        terminal.answer("Client secret (not shown):", secret)
        terminal.answer("Region", msp.urls["acme"])
        for question, value in zip(("CID, commas", "CID, or Enter again for none"), cid, strict=False):
            terminal.answer(question, value)
        terminal.answer("Operator", "")
        terminal.answer("Tags", "")
        terminal.answer("Test the login now?", answer)
        return terminal.finish()


def test_the_login_is_tested_and_the_cid_it_sees_is_named(msp: ManagedCustomers) -> None:
    acme = msp.tenants["acme"]
    done = added(msp, acme.client_secret, ("", ""), "")
    assert done.code == 0, done
    assert "credentials of another customer would go unnoticed" in done.err
    assert "works" in done.err
    assert f"FALCON_CID={acme.cid}" in done.err
    assert "FALCON_CID" not in read_env_file(msp.folder / "eu" / "acme.env")
    suggested = done.err.split("Next:  falcon-bulk ")[1].splitlines()[0]
    assert msp.bare(*suggested.split()).code == 0


def test_a_cid_that_is_given_when_asked_again_is_written(msp: ManagedCustomers) -> None:
    acme = msp.tenants["acme"]
    done = added(msp, acme.client_secret, ("", acme.cid), "yes")
    assert done.code == 0, done
    assert "This login sees" not in done.err
    assert read_env_file(msp.folder / "eu" / "acme.env")["FALCON_CID"] == acme.cid


def test_a_login_that_fails_when_tested_leaves_the_file_and_says_so(msp: ManagedCustomers) -> None:
    acme = msp.tenants["acme"]
    done = added(msp, "wrong", (acme.cid,), "y")
    assert done.code == 4, done
    assert "Correct eu/acme.env, then test it again." in done.err
    assert "Test it:  falcon-bulk customers check acme --customers-dir eu" in done.err
    assert (msp.folder / "eu" / "acme.env").exists()


@pytest.mark.parametrize(("keys", "code"), [("\x03", 130), ("\x04", 0)])
def test_the_file_stays_whatever_becomes_of_the_test(msp: ManagedCustomers, keys: str, code: int) -> None:
    with msp.terminal("customers", "add", "umbrella", customer=None) as terminal:
        for question in ORDER:
            terminal.answer(question, "us-1" if question == "Region" else "a1")
        terminal.answer("Test the login now?", "perhaps")
        terminal.wait_for("Answer yes or no.")
        terminal.type(keys)
        done = terminal.finish()
    assert done.code == code, done
    assert ("umbrella.env was written, the login was not tested" in done.err) == (code == 130)
    assert (msp.folder / "customers" / "umbrella.env").exists()
    assert msp.all_requests() == 0


def test_an_invalid_answer_is_asked_for_again(msp: ManagedCustomers) -> None:
    with msp.terminal("customers", "add", "umbrella", customer=None) as terminal:
        terminal.answer("Client ID:", " ")
        terminal.answer("Client ID:", "0123abc")
        terminal.answer("Client secret (not shown):", "   ")
        terminal.answer("Client secret (not shown):", "a\ttab")
        terminal.answer("Client secret (not shown):", "s3cret")
        terminal.answer("Region", "mars-1")
        terminal.answer("Region", "")
        terminal.answer("CID", "not/a/cid")
        terminal.answer("CID, commas", "")
        terminal.answer("CID, or Enter again for none", "")
        terminal.answer("Operator", "x" * 65)
        terminal.answer("Operator", "ann")
        terminal.answer("Tags", "")
        terminal.answer("Test the login now?", "n")
        done = terminal.finish()
    assert done.code == 0, done
    assert read_env_file(msp.folder / "customers" / "umbrella.env") == {
        "FALCON_CLIENT_ID": "0123abc",
        "FALCON_CLIENT_SECRET": "s3cret",
        "FALCON_OPERATOR": "ann",
    }


@pytest.mark.slow
def test_credentials_of_another_customer_are_reported_at_once(msp: ManagedCustomers) -> None:
    acme = msp.tenants["acme"]
    with msp.terminal("customers", "add", "umbrella", customer=None, columns=400) as terminal:
        terminal.answer("Client ID:", acme.client_id)
        terminal.answer("Client secret (not shown):", acme.client_secret)
        terminal.answer("Region", "")
        terminal.answer("CID, commas", "")
        terminal.answer("CID, or Enter again for none", "")
        terminal.answer("Operator", "")
        terminal.answer("Tags", "")
        terminal.answer("Test the login now?", "n")
        done = terminal.finish()
    assert done.code == 4, done
    assert "the same credentials as acme.env" in done.err


@pytest.mark.parametrize("name", quick_first("../acme", "a b", "", ".env", "x" * 65))
def test_an_invalid_name_is_refused_before_anything_is_asked(msp: ManagedCustomers, name: str) -> None:
    done = msp.customers("add", name)
    assert done.code == 2
    assert "is not a valid customer name" in done.err


def test_an_existing_file_is_not_changed(msp: ManagedCustomers) -> None:
    before = msp.env_file.read_bytes()
    with msp.terminal("customers", "add", "acme", customer=None) as terminal:
        done = terminal.finish()
    assert done.code == 4
    assert "already exists" in done.err
    assert "Client ID" not in done.err
    assert msp.env_file.read_bytes() == before


def test_without_a_terminal_nothing_is_asked(msp: ManagedCustomers) -> None:
    done = msp.customers("add", "umbrella", given=b"id\nsecret\n\n\n\n\n")
    assert done.code == 2
    assert "Cannot ask for values: not a terminal." in done.err
    assert not (msp.folder / "customers" / "umbrella.env").exists()


@pytest.mark.parametrize("last", quick_first(*ORDER, quick=2))
def test_ctrl_c_at_any_question_leaves_no_file(msp: ManagedCustomers, last: str) -> None:
    with msp.terminal("customers", "add", "umbrella", customer=None) as terminal:
        for question in ORDER[: ORDER.index(last)]:
            terminal.answer(question, "us-1" if question == "Region" else "a1")
        terminal.wait_for(last)
        terminal.type("\x03")
        done = terminal.finish()
    assert done.code == 130, done
    assert "nothing was written" in done.err
    assert not (msp.folder / "customers" / "umbrella.env").exists()


def test_sigterm_while_the_secret_is_typed_restores_the_echo(msp: ManagedCustomers) -> None:
    import termios

    with msp.terminal("customers", "add", "umbrella", customer=None) as terminal:
        terminal.answer("Client ID:", "a1")
        terminal.wait_for("Client secret (not shown):")
        os.kill(terminal.process.pid, signal.SIGTERM)
        terminal.wait_for("nothing was written")
        echoes = termios.tcgetattr(terminal.descriptor)[3] & termios.ECHO
        done = terminal.finish()
    assert done.code == 143, done
    assert echoes


@pytest.mark.slow
def test_the_end_of_input_leaves_no_file(msp: ManagedCustomers) -> None:
    for before in (0, 1):
        with msp.terminal("customers", "add", "umbrella", customer=None) as terminal:
            for question in ORDER[:before]:
                terminal.answer(question, "a1")
            terminal.wait_for(ORDER[before])
            terminal.type("\x04")
            done = terminal.finish()
        assert done.code == 2, done
        assert not (msp.folder / "customers" / "umbrella.env").exists()
