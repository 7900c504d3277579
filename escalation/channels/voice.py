"""Calls that read a page aloud, and the keys pressed in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from escalation.channels import reply_words, twilio, twilio_receipts, twiml
from escalation.channels.base import Message, Reply, ReplyRefusedError, Sent, Verb

ACTION_PATH = "/replies/voice"

KEYS: dict[str, Verb] = {
    twiml.ACKNOWLEDGE_KEY: Verb.ACKNOWLEDGE,
    twiml.ESCALATE_KEY: Verb.ESCALATE,
    twiml.REPEAT_KEY: Verb.HELP,
}


class Voice:
    """Addresses are E.164 numbers. `base_url` is where Twilio finds this Tocsin."""

    name = "voice"

    def __init__(self, account: twilio.Account, base_url: str) -> None:
        self._account, self._base_url = account, base_url

    def send(self, address: str, message: Message) -> Sent:
        said = twiml.call(message, action_url(self._base_url, message))
        callback = twilio_receipts.callback_url(self._base_url, self.name, message.page_id) if message.page_id else ""
        return Sent(provider_id=self._account.call(address, said, callback=callback))

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        """A call cannot be edited."""
        return Sent()


def action_url(base_url: str, message: Message) -> str:
    """Where Twilio sends the key pressed. It signs the whole address, so that what it carries can be trusted."""
    carried: dict[str, Any] = {"page": message.page_id or "", "incident": message.brief.incident_id}
    if message.others:
        carried["all"] = 1
    return f"{base_url.rstrip('/')}{ACTION_PATH}?{urlencode(carried)}"


def parse_reply(url: str, form: Mapping[str, str], signature: str, auth_token: str) -> Reply:
    """A key pressed in a call that Tocsin made, or that somebody made to it. `url` is the one Twilio called.

    Verb.HELP, which any other key means too, asks to hear the page again. `context` has `page_id` (None in a call that
    came in) and `call_sid`. Raises ReplyRefusedError unless Twilio signed it.
    """
    twilio.check_signature(url, form, signature, auth_token)
    called_by_us = form.get("Direction", "").startswith("outbound")
    sender = form.get("To" if called_by_us else "From", "")
    if not sender:
        raise ReplyRefusedError("Twilio's request names no telephone.")
    query, keys = parse_qs(urlsplit(url).query), form.get("Digits", "")
    verb, number = KEYS.get(keys, Verb.HELP), reply_words.number(query.get("incident", [""])[0])
    if number is None and verb is Verb.ESCALATE:
        verb = Verb.HELP  # there is no incident to escalate in a call that came in
    context: dict[str, Any] = {
        "page_id": reply_words.number(query.get("page", [""])[0]),
        "call_sid": form.get("CallSid", ""),
    }
    if query.get("all") and verb is Verb.ACKNOWLEDGE and context["page_id"] is not None:
        number, context["all"] = None, True  # everything that this call told of
    return Reply("voice", sender, verb, number, keys, context)
