"""Text messages, and the answers to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from escalation.channels import reply_words, text, twilio, twilio_receipts
from escalation.channels.base import Message, Reply, ReplyRefusedError, Sent, Verb


class Sms:
    """Addresses are E.164 numbers. `base_url` is where Twilio finds this Tocsin; without one it reports nothing."""

    name = "sms"

    def __init__(self, account: twilio.Account, base_url: str = "") -> None:
        self._account, self._base_url = account, base_url

    def send(self, address: str, message: Message) -> Sent:
        reports = bool(self._base_url and message.page_id)
        callback = twilio_receipts.callback_url(self._base_url, self.name, message.page_id or 0) if reports else ""
        return Sent(provider_id=self._account.text(address, text.sms(message), callback=callback))

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        """A text message cannot be edited."""
        return Sent()


# Twilio acts on these by itself: after STOP it sends that telephone nothing from this sender, until START.
STOP_WORDS = frozenset({"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START_WORDS = frozenset({"start", "yes", "unstop"})


def parse_reply(url: str, form: Mapping[str, str], signature: str, auth_token: str) -> Reply:
    """A text message that came in. `url` is the one Twilio was told to call.

    Raises ReplyRefusedError unless Twilio signed it. `context` has the `message_sid` that names a repeated delivery.
    """
    twilio.check_signature(url, form, signature, auth_token)
    sender, typed = form.get("From", ""), form.get("Body", "")
    if not sender:
        raise ReplyRefusedError("Twilio's request names no sender.")
    if (verb := _opting(typed, form.get("OptOutType", ""))) is not None:
        return Reply("sms", sender, verb, text=typed[: reply_words.TEXT_CHARACTERS_MAX])
    words = reply_words.read(typed)
    context: dict[str, Any] = {"message_sid": form.get("MessageSid", ""), "rest": words.rest, "all": words.everything}
    return Reply("sms", sender, words.verb, words.number, typed[: reply_words.TEXT_CHARACTERS_MAX], context)


def _opting(typed: str, said_by_twilio: str) -> Verb | None:
    """`said_by_twilio`: what it took the message for, where its advanced opt-out is on."""
    word = typed[: reply_words.TEXT_CHARACTERS_MAX].strip().strip(".!\"'").lower()
    if said_by_twilio == "STOP" or word in STOP_WORDS:
        return Verb.STOP
    return Verb.START if said_by_twilio == "START" or word in START_WORDS else None
