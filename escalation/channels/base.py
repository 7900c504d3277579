"""What every channel is: a thing that hands one message to a provider and says how that went."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from escalation.brief import Brief, Standing


class Purpose(StrEnum):
    PAGE = "page"  # needs acknowledgement
    NOTIFICATION = "notification"  # does not
    ANNOUNCEMENT = "announcement"  # to a room, not to a person


# What opens a channel: said to whoever finds that it is not configured.
OPENED_BY = {
    "slack": "Set TOCSIN_SLACK_BOT_TOKEN and what goes with it",
    "sms": "Set the TOCSIN_TWILIO_… settings",
    "voice": "Set the TOCSIN_TWILIO_… settings",
    "email": "Set TOCSIN_SMTP_URL",
}

WITH_RECEIPTS = frozenset({"sms", "voice"})  # whose providers report later whether a message arrived


@dataclass(frozen=True, slots=True)
class Answering:
    """A message that answers somebody's letter: which one, and by what they may answer again."""

    in_reply_to: str = ""  # its Message-ID, which may be written as it is; empty: it has none
    page_id: int = 0  # whose letter they answered
    expires_at: int = 0  # seconds since 1970: as of that letter's address, which is no longer good for answering again

    def to_json(self) -> dict[str, Any]:
        return {"in_reply_to": self.in_reply_to, "page_id": self.page_id, "expires_at": self.expires_at}


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the engine asks for it; `text` and the channels render it."""

    purpose: Purpose
    brief: Brief
    standing: Standing
    to_name: str = ""  # the responder's name; empty for an announcement
    level: int = 0  # the escalation level that asked for it
    page_id: int | None = None
    repeat: bool = False  # sent again because nobody knows whether the first try arrived
    last_resort: bool = False
    others: tuple[
        Brief, ...
    ] = ()  # further incidents that this one message tells of, worst first; `brief` is the worst
    note: str = ""  # a notification that is not the incident's own (a hand-off, an engine alarm) says it here
    subject: str = ""  # what a letter with such a note is called
    answering: Answering | None = None
    mentions: tuple[str, ...] = ()  # of an announcement: the addresses, on its channel, of who has been paged


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it over. That is not an acknowledgement, whatever its receipts say later."""

    provider_id: str = ""  # Twilio's SID, Slack's ts, the SMTP message id
    ref: dict[str, str] = field(default_factory=dict)  # what `update` needs to edit the message; empty if it can't be


class ChannelError(Exception):
    """The provider did not take the message.

    `permanent`: trying the same address again cannot help (a number that is not one, a revoked token).
    `of_address`: it is the address that will never do, and not this message, the account or the provider.
    `retry_after_seconds`: the provider said when to try again.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        of_address: bool = False,
        code: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.of_address = of_address
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class Channel(Protocol):
    """`send` blocks until the provider answered or a bounded time-out (10 s) passed, and raises ChannelError only."""

    name: str

    def send(self, address: str, message: Message) -> Sent: ...

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        """Edit a message sent earlier; channels that cannot, do nothing and return an empty Sent."""
        ...


class Verb(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    LIST = "list"
    HELP = "help"
    STOP = "stop"  # no more text messages to this telephone
    START = "start"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person answered on a channel, not yet acted on and not yet tied to a responder."""

    channel: str
    sender: str  # a Slack user id, an E.164 number, an e-mail address
    verb: Verb
    number: int | None = None  # the incident; None: the newest page to this sender that is still open
    text: str = ""  # as typed
    context: dict[str, Any] = field(default_factory=dict)  # response_url, trigger_id, channel and ts of the message


class Fate(StrEnum):
    """What became of a message after the provider took it over. It only ever goes forward; the last two are ends."""

    UNDERWAY = "underway"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider reports of a message. It never acknowledges."""

    channel: str
    provider_id: str
    fate: Fate
    page_id: int | None = None  # as the report's address names it; the message's id may not be written down yet
    code: str = ""  # of a failure
    reason: str = ""  # of a failure, in words for people
    of_address: bool = False  # it is the address that will never do

    def to_json(self) -> dict[str, Any]:
        return {"fate": self.fate.value, "code": self.code, "reason": self.reason, "of_address": self.of_address}


class ReplyRefusedError(Exception):
    """The request is not provably from the provider, or too old. Answered 401 and not acted on."""
