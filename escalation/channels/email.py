"""E-mail over SMTP: a page as HTML and text."""

from __future__ import annotations

import contextlib
import re
import secrets
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from config import clock
from escalation.channels import action_links, email_text, wording
from escalation.channels.action_links import Links
from escalation.channels.base import ChannelError, Message, Purpose, Sent
from escalation.channels.reply_addresses import ORIGIN, ReplyAddresses, ReplyTo

TIMEOUT_SECONDS = 10.0  # for each step of the conversation
SMTP_PORT, SMTPS_PORT = 587, 465

# Other people's Message-IDs are longer than a line, and folded they are another's.
_UNFOLDED = policy.default.clone(max_line_length=600)
# Narrower than what mail allows (no quoted names, no bare IP addresses): the standard library's header parser fails
# with odd errors on some of the rest.
_ATOMS = r"[\w!#$%&'*+/?^`{|}~-]+(?:\.[\w!#$%&'*+/?^`{|}~-]+)*"
_ADDRESS = re.compile(rf"{_ATOMS}@[\w-]+(?:\.[\w-]+)*")


class Email:
    """`smtp_url` is smtp://user:password@host:587, which is encrypted where the server offers it, or smtps://….

    `origin` is this Tocsin's address: a letter that comes back to it is known by that, and opens no incident.
    `links` makes the addresses that act; without it a letter only leads to the incident. `replies` makes those that
    letters are answered to.
    A password is never sent over an unencrypted connection to another machine.
    """

    name = "email"

    def __init__(
        self,
        smtp_url: str,
        sender: str,
        *,
        links: Links | None = None,
        replies: ReplyAddresses | None = None,
        origin: str = "",
        timeout_seconds: float = TIMEOUT_SECONDS,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        url = urlsplit(smtp_url)
        self._encrypted = url.scheme == "smtps"
        self._host = url.hostname or "localhost"
        self._port = url.port or (SMTPS_PORT if self._encrypted else SMTP_PORT)
        self._user, self._password = unquote(url.username or ""), unquote(url.password or "")
        self._sender, self._timeout_seconds, self._now = sender, timeout_seconds, now
        self._tls = ssl.create_default_context()
        self._links, self._replies, self._origin = links, replies, origin

    def send(self, address: str, message: Message) -> Sent:
        letter = self._letter(address, message)
        try:
            self._hand_over(letter)
        except smtplib.SMTPException as refused:
            raise _error(refused) from refused
        except ssl.SSLCertVerificationError as untrusted:
            text = f"The mail server {self._host} has no certificate that can be trusted: {untrusted}"
            raise ChannelError(text, permanent=True, code="certificate") from untrusted
        except OSError as broken:
            text = f"The mail server {self._host} could not be reached: {broken}"
            raise ChannelError(text, permanent=False, code="network") from broken
        return Sent(provider_id=str(letter["Message-ID"]))

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        """A letter cannot be edited."""
        return Sent()

    def _hand_over(self, letter: EmailMessage) -> None:
        server = self._connection()
        try:
            self._log_in(server)
            server.send_message(letter)
            # The server has it now: a farewell that fails must not make it look unsent.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _connection(self) -> smtplib.SMTP:
        if self._encrypted:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_seconds, context=self._tls)
        return smtplib.SMTP(self._host, self._port, timeout=self._timeout_seconds)

    def _log_in(self, server: smtplib.SMTP) -> None:
        encrypted = self._encrypted
        server.ehlo()
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=self._tls)
            server.ehlo()
            encrypted = True
        if not self._user:
            return
        if not encrypted and self._host not in ("localhost", "127.0.0.1", "::1"):
            text = f"The mail server {self._host} offers no encryption; the password was not sent. Use smtps:// or no user."
            raise ChannelError(text, permanent=True, code="unencrypted")
        server.login(self._user, self._password)

    def _letter(self, address: str, message: Message) -> EmailMessage:
        if not _ADDRESS.fullmatch(address):
            raise ChannelError(
                f"{address!r} is not an e-mail address.", permanent=True, of_address=True, code="address"
            )
        domain = parseaddr(self._sender)[1].rpartition("@")[2] or "localhost"
        letter = EmailMessage(_UNFOLDED if message.answering else policy.default)
        letter["From"], letter["To"] = self._sender, address
        letter["Subject"] = email_text.subject(message)
        letter["Date"] = format_datetime(self._now())
        # Shorter than make_msgid's: some mail programs lose a Message-ID that had to be folded.
        about = f"incident-{message.brief.incident_id}" if wording.is_about_an_incident(message) else "notice"
        letter["Message-ID"] = f"<{about}.{secrets.token_hex(8)}@{domain}>"
        if wording.is_about_an_incident(message):
            # Letters about one incident belong to one thread; this names its first, which need not exist.
            letter["References"] = f"<{about}@{domain}>"
        if self._origin:
            letter[ORIGIN] = self._origin
        # So that an absence notice does not answer.
        letter["Auto-Submitted"] = "auto-replied" if message.answering else "auto-generated"
        if message.answering and message.answering.in_reply_to:
            letter["In-Reply-To"] = message.answering.in_reply_to
            letter["References"] = message.answering.in_reply_to
        if reply_to := self._reply_to(message):
            letter["Reply-To"] = reply_to
        if message.purpose is Purpose.PAGE:
            letter["Importance"] = "high"
        actions = self._links.actions(message, self._now()) if self._links else action_links.NONE
        actions = replace(actions, by_letter=bool(reply_to))
        letter.set_content(email_text.plain(message, actions))
        letter.add_alternative(email_text.rich(message, actions), subtype="html")
        return letter

    def _reply_to(self, message: Message) -> str:
        if self._replies is None:
            return ""
        if answering := message.answering:
            if not answering.page_id:
                return ""
            return self._replies.written(ReplyTo(answering.page_id, datetime.fromtimestamp(answering.expires_at, UTC)))
        if message.page_id is None or wording.speaks_for_itself(message):
            return ""
        return self._replies.of_page(message.page_id, self._now())


def _error(refused: smtplib.SMTPException) -> ChannelError:
    """SMTP's own rule: 5xx is permanent, 4xx is not, and a connection that broke says nothing."""
    code, reason = 0, str(refused)
    if isinstance(refused, smtplib.SMTPResponseException):
        code, reason = refused.smtp_code, _text(refused.smtp_error)
    elif isinstance(refused, smtplib.SMTPRecipientsRefused):  # there is one recipient
        code, answer = next(iter(refused.recipients.values()))
        reason = _text(answer)
    permanent = 500 <= code < 600 or isinstance(refused, smtplib.SMTPNotSupportedError)
    # 5.1.1 and its like are of the mailbox; a bare 550 may be a policy that holds for everybody.
    of_address = permanent and isinstance(refused, smtplib.SMTPRecipientsRefused) and reason.startswith("5.1.")
    said = f"The mail server refused it ({code}): {reason}"[:500]
    return ChannelError(said, permanent=permanent, of_address=of_address, code=str(code))


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
