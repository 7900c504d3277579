"""Links in messages that do something: signed, for one page, one incident and one verb, for a day. Pure.

`/act/a.12.42.1764203174.MAC` acknowledges incident 42 as whoever page 12 went to. Opening it does nothing yet: mail
scanners open every link. It asks, and the button on that page does it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from escalation.channels import wording
from escalation.channels.base import Message

PATH = "/act"
GOOD_FOR = timedelta(hours=24)
MAC_BYTES = 16

_TOKEN = re.compile(r"([ale])\.([1-9][0-9]{0,17})\.([1-9][0-9]{0,17})\.([1-9][0-9]{9,10})\.([A-Za-z0-9_-]{22})")


class Deed(StrEnum):
    """The letter that stands for it in the link."""

    ACKNOWLEDGE = "a"
    ACKNOWLEDGE_ALL = "l"  # everything that the message told of
    ESCALATE = "e"


@dataclass(frozen=True, slots=True)
class Link:
    deed: Deed
    page_id: int
    incident_id: int
    expires_at: datetime

    @property
    def token_body(self) -> str:
        return f"{self.deed.value}.{self.page_id}.{self.incident_id}.{int(self.expires_at.timestamp())}"


@dataclass(frozen=True, slots=True)
class Actions:
    """Whole addresses; empty: there is none."""

    acknowledge: str = ""  # of all that the message tells of, where it tells of several
    escalate: str = ""
    by_letter: bool = False  # the letter itself may be answered


NONE = Actions()


class Links:
    """`secret` signs nothing else. `base_url` is where people's browsers find this Tocsin."""

    def __init__(self, base_url: str, secret: str) -> None:
        self._base_url, self._secret = base_url.rstrip("/"), secret

    def actions(self, message: Message, now: datetime) -> Actions:
        """What the receiver may do from this message; nothing where it asks nothing, or is nobody's page."""
        if message.page_id is None or wording.speaks_for_itself(message) or not wording.asks(message):
            return NONE
        first = Deed.ACKNOWLEDGE_ALL if message.others else Deed.ACKNOWLEDGE
        escalates = wording.needs_answer(message.standing) and not message.others
        return Actions(
            acknowledge=self._url(first, message, now),
            escalate=self._url(Deed.ESCALATE, message, now) if escalates else "",
        )

    def read(self, token: str) -> Link | None:
        """What it says, whether it is still good or not; None for what is not ours."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        expires_at = datetime.fromtimestamp(int(match[4]), UTC)
        link = Link(Deed(match[1]), int(match[2]), int(match[3]), expires_at)
        return link if hmac.compare_digest(self._mac(link), match[5]) else None

    def _url(self, deed: Deed, message: Message, now: datetime) -> str:
        link = Link(deed, message.page_id or 0, message.brief.incident_id, now + GOOD_FOR)
        return f"{self._base_url}{PATH}/{link.token_body}.{self._mac(link)}"

    def _mac(self, link: Link) -> str:
        digest = hmac.new(self._secret.encode(), link.token_body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:MAC_BYTES]).decode().rstrip("=")
