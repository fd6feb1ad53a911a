"""A mail server on loopback that keeps or refuses what it receives."""

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Self

PASSWORD = "s3cret-of-the-mailbox"


class Mailbox:
    """A mail server. messages: those received. refusing: the answer to MAIL FROM, '' to accept."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusing = ""
        mailbox = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                mailbox._converse(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        port = self._server.server_address[1]
        return f"mailto://ann:{PASSWORD}@127.0.0.1:{port}?from=bulk@acme.example&to=soc@acme.example"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _converse(self, session: socketserver.StreamRequestHandler) -> None:
        def say(line: str) -> None:
            session.wfile.write(f"{line}\r\n".encode())

        say("220 acme.example")
        for raw in session.rfile:
            word = raw.split()[0].upper()
            if word == b"EHLO":
                say("250-acme.example\r\n250 AUTH PLAIN LOGIN")
            elif word == b"AUTH":
                say("235 welcome")
            elif word == b"MAIL":
                say(self.refusing or "250 ok")
            elif word == b"DATA":
                say("354 go on")
                lines = iter(session.rfile.readline, b".\r\n")
                data = b"".join(line[1:] if line.startswith(b".") else line for line in lines)
                self.messages.append(message_from_bytes(data, policy=policy.default))
                say("250 kept")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")


def body(message: EmailMessage) -> str:
    """Return the part that a mail program shows: HTML if there is some."""
    part = message.get_body(("html", "plain"))
    assert part is not None
    return str(part.get_content())


def attachments(message: EmailMessage) -> dict[str, bytes]:
    return {str(part.get_filename()): bytes(part.get_payload(decode=True)) for part in message.iter_attachments()}
