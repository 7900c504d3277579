"""What Twilio reports of a message or a call after it took it over: the status callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urlsplit

from escalation.channels import reply_words, twilio, twilio_errors
from escalation.channels.base import Fate, Receipt, ReplyRefusedError

PATHS = {"sms": "/replies/sms/status", "voice": "/replies/voice/status"}

_TEXTS = {
    "sent": Fate.UNDERWAY,  # the carrier has it; whether the telephone does is told later, or never
    "delivered": Fate.DELIVERED,
    "read": Fate.DELIVERED,
    "undelivered": Fate.FAILED,
    "failed": Fate.FAILED,
    "canceled": Fate.FAILED,
}
_CALLS = {
    "completed": Fate.DELIVERED,
    "busy": Fate.FAILED,
    "no-answer": Fate.FAILED,
    "failed": Fate.FAILED,
    "canceled": Fate.FAILED,
}
_CALL_WORDS = {
    "busy": "the line was busy",
    "no-answer": "nobody answered",
    "failed": "the call could not be placed",
    "canceled": "the call was cancelled",
}
_MAILBOX = ("machine", "fax")  # how what Twilio says of a mailbox begins


def callback_url(base_url: str, channel: str, page_id: int) -> str:
    """Where Twilio reports. The page is named because a receipt may come before the message's SID is written down."""
    return f"{base_url.rstrip('/')}{PATHS[channel]}?{urlencode({'page': page_id})}"


def parse(channel: str, url: str, form: Mapping[str, str], signature: str, auth_token: str) -> Receipt | None:
    """What is reported; None for a step on the way that decides nothing. `url` is the one Twilio called.

    Raises ReplyRefusedError unless Twilio signed it.
    """
    twilio.check_signature(url, form, signature, auth_token)
    sid = form.get("MessageSid" if channel == "sms" else "CallSid", "")
    if not twilio.is_sid(sid):
        raise ReplyRefusedError("Twilio's request names no message and no call.")
    page_id = reply_words.number(parse_qs(urlsplit(url).query).get("page", [""])[0])
    fate, code, reason = _text(form) if channel == "sms" else _call(form)
    if fate is None:
        return None
    return Receipt(
        channel=channel,
        provider_id=sid,
        page_id=page_id,
        fate=fate,
        code=code if fate is Fate.FAILED else "",
        reason=reason if fate is Fate.FAILED else "",
        of_address=fate is Fate.FAILED and code.isdecimal() and twilio_errors.is_of_address(int(code)),
    )


def _text(form: Mapping[str, str]) -> tuple[Fate | None, str, str]:
    status, error = form.get("MessageStatus", ""), twilio.number(form.get("ErrorCode", ""))
    words = twilio_errors.words(error) if error else "the carrier gave no reason"
    return _TEXTS.get(status), str(error or status), words


def _call(form: Mapping[str, str]) -> tuple[Fate | None, str, str]:
    status, error = form.get("CallStatus", ""), twilio.number(form.get("ErrorCode", ""))
    if form.get("AnsweredBy", "").startswith(_MAILBOX):
        return Fate.FAILED, "mailbox", "a mailbox picked up"
    words = _CALL_WORDS.get(status, "")
    if error:
        words = f"{words}: {twilio_errors.words(error)}"
    elif sip := twilio.number(form.get("SipResponseCode", "")) if status == "failed" else 0:
        words = f"{words} (SIP {sip})"
    return _CALLS.get(status), str(error or status), words
