"""--notify also sends the result, and never harms the run or shows a secret."""

import re
from html.parser import HTMLParser

import pytest

from falcon_bulk.cli.console import Console
from falcon_bulk.cli.notifications import Notifier
from falcon_bulk.report.sheet import Column, Sheet
from tests.support.command import CommandResult, CommandRunner
from tests.support.mail_server import PASSWORD, Mailbox, attachments, body
from tests.support.sampling import quick_first

CLOSING = ("bulk-close", "--status", "new", "--yes", "--max", "999", "--override", "all")


def shows_no_secret(done: CommandResult) -> bool:
    return PASSWORD.encode() not in done.out and PASSWORD not in done.err


def test_the_result_of_a_change_is_sent_under_its_headline(acme: CommandRunner, mailbox: Mailbox) -> None:
    done = acme("bulk-close", "--product", "epp", "--yes", "--max", "999", "--override", "all", "--notify")
    assert done.code == 0, done
    (message,) = mailbox.messages
    changed = len(acme.changes())
    assert message["Subject"] == f"acme: {changed} of {changed} alerts changed and verified"
    assert message["To"] == "soc@acme.example"
    run = acme.json("runs")["runs"][0]["run_id"]
    assert f"falcon-bulk undo {run}" in body(message)
    assert "<table>" in body(message)
    assert shows_no_secret(done)


def test_without_the_option_nothing_is_sent(acme: CommandRunner, mailbox: Mailbox) -> None:
    assert acme("hash-summary").code == 0
    assert mailbox.messages == []


@pytest.mark.slow
def test_the_subject_of_a_dry_run_says_so(acme: CommandRunner, mailbox: Mailbox) -> None:
    assert acme("bulk-close", "--status", "new", "--dry-run", "--notify").code == 0
    assert "dry run, nothing was sent" in mailbox.messages[0]["Subject"]
    assert acme.changes() == []


@pytest.mark.parametrize("name", quick_first("50% off? #1 ü.md", "report.json"))
def test_the_report_file_is_attached(acme: CommandRunner, mailbox: Mailbox, name: str) -> None:
    assert acme("hash-summary", "-o", name, "--notify", "--format", "csv").code == 0
    (message,) = mailbox.messages
    assert attachments(message) == {name: (acme.folder / name).read_bytes()}


@pytest.mark.slow
def test_every_command_that_changes_or_counts_can_notify(acme: CommandRunner, mailbox: Mailbox) -> None:
    digest = max(acme.hashes(), key=lambda sha256: len(acme.hashes()[sha256]))
    commands = [
        ("close-hash", "--hash", digest, "--yes", "--max", "999", "--override", "all"),
        ("bulk-close", "--status", "in_progress", "--override", "all", "--dry-run", "--plan", "x.plan"),
        ("apply", "x.plan", "--yes"),
        ("summary", "--by", "severity"),
        ("overview",),
        ("report", "--since", "30d", "-o", "report.html"),
    ]
    for number, argv in enumerate(commands, 1):
        done = acme(*argv, "--notify")
        assert done.code == 0, done
        assert len(mailbox.messages) == number
    run = acme.json("runs")["runs"][0]["run_id"]
    assert acme("undo", run, "--yes", "--max", "999", "--notify").code == 0
    assert len(mailbox.messages) == len(commands) + 1


@pytest.mark.slow
def test_a_url_on_the_command_line_is_used_instead(acme: CommandRunner, mailbox: Mailbox) -> None:
    with Mailbox() as other:
        assert acme("hash-summary", f"--notify={other.url}").code == 0
        assert (len(other.messages), len(mailbox.messages)) == (1, 0)
        assert acme("hash-summary", f"--notify={other.url}", "--notify").code == 0
        assert (len(other.messages), len(mailbox.messages)) == (2, 1)


@pytest.mark.slow
def test_a_refused_mail_does_not_fail_the_run_and_the_next_address_is_tried(
    acme: CommandRunner, mailbox: Mailbox
) -> None:
    mailbox.refusing = f"550 {PASSWORD} is not welcome"
    with Mailbox() as other:
        done = acme(*CLOSING, "--notify", f"--notify={other.url}")
        assert len(other.messages) == 1
    assert done.code == 0, done
    assert "The notification could not be sent (E-Mail, 1 of 2)." in done.err
    assert acme.changes()
    assert shows_no_secret(done)


def test_an_unreachable_mail_server_does_not_fail_the_run(acme: CommandRunner) -> None:
    gone = f"mailto://ann:{PASSWORD}@127.0.0.1:9?from=bulk@acme.example&to=soc@acme.example"
    done = acme("hash-summary", f"--notify={gone}", "--debug", "-v", "--format", "json")
    assert done.code == 0
    assert done.document["schema"] == "falcon-bulk/hash-summary/1"
    assert "could not be sent" in done.err
    assert shows_no_secret(done)


@pytest.mark.parametrize(
    "url", quick_first(f"nonsense://ann:{PASSWORD}@host", "x.plan", f"mailto://:{PASSWORD}@", "https://[")
)
def test_an_invalid_url_is_refused_before_anything_is_sent(acme: CommandRunner, url: str) -> None:
    done = acme(*CLOSING, f"--notify={url}")
    assert done.code == 2, done
    assert "not an Apprise URL" in done.err
    assert done.requests == []
    assert shows_no_secret(done)


def test_a_missing_address_is_refused_before_anything_is_sent(acme: CommandRunner) -> None:
    acme.env_file.write_text(acme.tenant.env_text(acme.server.url))
    done = acme(*CLOSING, "--notify")
    assert done.code == 2
    assert "FALCON_NOTIFY" in done.err
    assert done.requests == []


def test_without_apprise_the_error_names_the_extra_before_anything_is_sent(acme: CommandRunner) -> None:
    (acme.folder / "apprise.py").write_text("raise ImportError\n")
    path = f"{acme.folder}:{acme.environment()['PYTHONPATH']}"
    done = acme(*CLOSING, "--notify", env={"PYTHONPATH": path})
    assert done.code == 2, done
    assert "pip install 'falcon-bulk[notify]'" in done.err
    assert done.requests == []


@pytest.mark.slow
def test_a_multi_customer_run_does_not_notify_a_single_customers_addresses(
    acme: CommandRunner, mailbox: Mailbox
) -> None:
    acme.write_env("customers/globex.env", acme.env_file.read_text().replace("CUSTOMER=acme", "CUSTOMER=globex"))
    done = acme.bare("hash-summary", "--all-customers", "--notify")
    assert done.code == 2
    assert "for several customers, in the process environment" in done.err
    assert done.requests == []
    with Mailbox() as ours:
        done = acme.bare("hash-summary", "--all-customers", "--notify", env={"FALCON_NOTIFY": ours.url})
        assert done.code == 0, done
        assert "globex" in body(ours.messages[0])
    assert mailbox.messages == []


def test_a_url_with_a_password_does_not_get_into_a_crontab(acme: CommandRunner, mailbox: Mailbox) -> None:
    schedule = ("schedule", "--weekly", "mon", "07:00", "--", "hash-summary", "--customer", "acme")
    assert b"hash-summary" in acme.bare(*schedule, "--notify").out
    done = acme.bare(*schedule, f"--notify={mailbox.url}")
    assert done.code == 2
    assert shows_no_secret(done)


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](http://evil.example)",
    "![x](http://evil.example/x.png)",
    "<http://evil.example>",
    "http://evil.example www.evil.example ann@evil.example",
    "a|b `c` **d** \\<b\\>e\\</b\\> &lt;b&gt;",
    "x\r\nBcc: eve@evil.example",
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_hostile_text_is_inert_in_the_mail(mailbox: Mailbox) -> None:
    sheets = [
        Sheet("acme: 9 hashes", (Column("names"), Column("files")), [(text, text) for text in HOSTILE], HOSTILE),
        *(Sheet(text, (Column(text),), [(text,)]) for text in HOSTILE),
    ]
    console = Console(quiet=True, verbose=False, progress=False)
    Notifier([mailbox.url], console).send("acme: 9 hashes", sheets, None)
    (message,) = mailbox.messages
    tags = Tags()
    tags.feed(body(message))
    assert "onerror" in body(message)
    assert tags.seen <= {
        "html",
        "head",
        "body",
        "h2",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
        "br",
        "p",
    }
    assert tags.links == []
    assert (message["Bcc"], message["Subject"]) == (None, "acme: 9 hashes")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    "hostile", quick_first(*HOSTILE, "@everyone <!channel> <@U12345> <at>ann</at>", "a\x1b[31m\u202eb", "x" * 9_999)
)
def test_hostile_text_is_inert_in_the_subject(mailbox: Mailbox, hostile: str) -> None:
    console = Console(quiet=True, verbose=False, progress=False)
    Notifier([mailbox.url], console).send(f"acme: {hostile}", [Sheet("", (Column("a"),), [("b",)])], None)
    (message,) = mailbox.messages
    subject = str(message["Subject"])
    assert subject.startswith("acme: ")
    assert len(subject) <= 150
    assert subject.isprintable()
    assert not re.search(r"[<>]|://|@\w|www\.|\]\(|\w\.[a-z]", subject), subject
    assert message["Bcc"] is None


@pytest.mark.slow
def test_hostile_text_of_the_tenant_is_inert_in_the_mail(acme: CommandRunner, mailbox: Mailbox) -> None:
    for alert in acme.tenant.store.newest_first:
        alert.parts = acme.tenant.generator.worlds[alert.cid].hostile[alert.kind].parts(alert.salt)
        alert.hostile = True
    assert acme("hash-summary", "--notify").code == 0
    (message,) = mailbox.messages
    tags = Tags()
    tags.feed(body(message))
    assert "31mred" in body(message)
    assert not tags.seen & {"img", "script", "a", "b", "strong", "code"}
    assert tags.links == []


@pytest.mark.slow
def test_a_long_report_is_shortened_in_the_mail_and_whole_in_the_file(acme: CommandRunner, mailbox: Mailbox) -> None:
    rows = acme.json("summary", "--by", "created_timestamp", "--top", "100", "-o", "all.csv", "--notify")
    assert len(rows["by"]["created_timestamp"]) > 50
    (message,) = mailbox.messages
    assert 50 < body(message).count("<tr>") < 60
    assert "more rows are not shown here" in body(message)
    assert attachments(message)["all.csv"].count(b"\n") > 1 + 50


@pytest.mark.slow
def test_apprise_is_not_imported_without_notify(acme: CommandRunner) -> None:
    (acme.folder / "apprise.py").write_text("raise SystemExit(77)\n")
    path = f"{acme.folder}:{acme.environment()['PYTHONPATH']}"
    assert acme("hash-summary", env={"PYTHONPATH": path}).code == 0
