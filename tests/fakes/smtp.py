"""A mail server on loopback that keeps what it is given (aiosmtpd)."""

from __future__ import annotations

import email
import email.policy
import socket
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class FakeMailServer:
    """`letters` in order of arrival. `answers` maps a command (RCPT, DATA) to the line it is answered with next.

    With `user` and `password` it demands them, in plain text as only loopback may.
    """

    def __init__(self, *, user: str = "", password: str = "") -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, str] = {}
        self._login = (user, password)
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=_free_port(),
            authenticator=self._authenticate if user else None,
            auth_require_tls=False,
        )

    def __enter__(self) -> FakeMailServer:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        user, password = self._login
        login = f"{user}:{password}@" if user else ""
        return f"smtp://{login}127.0.0.1:{self._controller.port}"

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in self.letters if address in letter["To"]]

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self._login[0] and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if "RCPT" in self.answers:
            return self.answers.pop("RCPT")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.answers:
            return self.answers.pop("DATA")
        content = envelope.content
        letter = email.message_from_bytes(content if isinstance(content, bytes) else b"", policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, way: str, login: Any) -> AuthResult:
        given = (login.login.decode(), login.password.decode()) if isinstance(login, LoginPassword) else ("", "")
        return AuthResult(success=given == self._login, handled=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
