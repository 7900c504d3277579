"""Shows what would be sent instead of sending it: the demo's stand-in for any channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from escalation.channels import (
    action_links,
    email_text,
    gsm7,
    push_text,
    slack_blocks,
    text,
    twiml,
    voice,
    webhook,
    wording,
)
from escalation.channels.base import Message, Sent

Rendered = dict[str, Any]
Record = Callable[[str, str, Rendered], str]  # channel, address, what it would show -> an id for the record


class Console:
    """Stands for the channel `channel_name`. `record` keeps each message and returns its id.

    An edit is recorded as another message whose `replaces` names the first one's id.
    """

    def __init__(self, channel_name: str, record: Record, *, base_url: str = "") -> None:
        self.name = channel_name
        self._record, self._base_url = record, base_url

    def send(self, address: str, message: Message) -> Sent:
        made = self._record(self.name, address, render(self.name, message, self._base_url))
        return Sent(provider_id=made, ref={"id": made} if self._edits else {})

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        if not (self._edits and ref):
            return Sent()
        shown = render(self.name, message, self._base_url) | {"replaces": ref["id"]}
        return Sent(provider_id=self._record(self.name, address, shown), ref=ref)

    @property
    def _edits(self) -> bool:
        return self.name in ("slack", "webhook")


def render(channel_name: str, message: Message, base_url: str = "") -> Rendered:
    """Exactly what that channel would hand to its provider, and a `line` for a terminal. All of it is JSON."""
    # What a button for all of a message's incidents must carry.
    told: Rendered = {"page": message.page_id} if message.others and message.page_id is not None else {}
    if wording.speaks_for_itself(message):
        told = {"asks": False}  # what it names by the way is not to be answered
    return {"line": text.console_line(message)} | told | RENDERERS[channel_name](message, base_url)


def _sms(message: Message, _: str) -> Rendered:
    body = text.sms(message)
    return {"body": body, "parts": gsm7.parts(body)}


def _voice(message: Message, base_url: str) -> Rendered:
    return {"twiml": twiml.call(message, voice.action_url(base_url, message))}


def _email(message: Message, _: str) -> Rendered:
    return {"subject": email_text.subject(message), "text": email_text.plain(message), "html": email_text.rich(message)}


def _webhook(message: Message, _: str) -> Rendered:
    return {"json": webhook.payload(message, message.purpose.value)}


def _apprise(message: Message, _: str) -> Rendered:
    return {"title": push_text.title(message), "text": push_text.body(message, action_links.NONE)}


RENDERERS: dict[str, Callable[[Message, str], Rendered]] = {
    "slack": lambda message, _: slack_blocks.render(message),
    "sms": _sms,
    "voice": _voice,
    "email": _email,
    "webhook": _webhook,
    "apprise": _apprise,
}
