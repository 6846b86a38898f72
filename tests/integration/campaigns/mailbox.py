"""A real mail server on this machine, for tests."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from sandbox.embedded.servers import free_port


@dataclass
class Mailbox:
    """Where mail arrives. Recipients in `refused` are answered with that code and text."""

    port: int
    refused: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """Takes a recipient, or not."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Takes a mail."""
        self.mails.append(message_from_bytes(cast("bytes", envelope.content), policy=default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@contextmanager
def mail_server(*, password: str = "", trust: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A server that knows the user `octobatch` where there is a password, and STARTTLS where there is a certificate."""
    mailbox = Mailbox(port=free_port())

    def sign_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"octobatch", password.encode()))

    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=mailbox.port,
        authenticator=sign_in if password else None,
        auth_required=bool(password),
        auth_require_tls=True,
        tls_context=trust,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
