"""Twilio's API as far as Tocsin uses it, and the requests that Twilio sends when people answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACCOUNT_SID = "AC" + "a" * 32
AUTH_TOKEN = "fake-auth-token"
SENDER = "+15005550006"

# Twilio's own test numbers, and what it refuses messages and calls to them with.
REFUSED_NUMBERS = {
    "+15005550001": ("21211", "21217", "not a valid phone number"),
    "+15005550002": ("21612", "21214", "cannot be reached"),
    "+15005550003": ("21408", "21215", "permission has not been enabled for the region"),
    "+15005550004": ("21610", "21216", "is blocked or has unsubscribed"),
    "+15005550009": ("21614", "21217", "is not a mobile number"),
}


@dataclass(frozen=True)
class TextMessage:
    to: str
    sender: str
    body: str
    sid: str
    callback: str = ""  # where its receipts go


@dataclass(frozen=True)
class PhoneCall:
    to: str
    sender: str
    twiml: str
    sid: str
    callback: str = ""

    @property
    def spoken(self) -> str:
        return " ".join(say.text or "" for say in ET.fromstring(self.twiml).iter("Say"))

    @property
    def action_url(self) -> str:
        """Where a pressed key goes; empty if the call asks for none."""
        gather = ET.fromstring(self.twiml).find("Gather")
        return "" if gather is None else gather.attrib["action"]


class TwilioRefusedError(Exception):
    def __init__(self, status: int, code: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.code = status, code

    def to_json(self) -> dict[str, Any]:
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": str(self), "more_info": more, "status": self.status}


class FakeTwilio:
    """`texts` and `calls` in order of arrival."""

    def __init__(self) -> None:
        self.texts: list[TextMessage] = []
        self.calls: list[PhoneCall] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def create(self, kind: str, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Twilio's answer as JSON to a new message ("sms") or call ("voice"). Raises TwilioRefusedError."""
        with self._lock:
            expected = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
            if authorization != f"Basic {expected}":
                raise TwilioRefusedError(401, 20003, "Authenticate")
            to, sender = form.get("To", ""), form.get("From") or form.get("MessagingServiceSid", "")
            _check_numbers(kind, to, sender)
            callback = form.get("StatusCallback", "")
            if re.match(r"https?://(localhost|127\.)", callback):
                raise TwilioRefusedError(400, 21609 if kind == "sms" else 21205, "The StatusCallback URL is not valid.")
            if kind == "sms":
                return self._text(to, sender, form.get("Body", ""), callback)
            return self._call(to, sender, form.get("Twiml", ""), callback)

    def _text(self, to: str, sender: str, body: str, callback: str) -> dict[str, Any]:
        if not body:
            raise TwilioRefusedError(400, 21602, "Message body is required.")
        if len(body) > 1600:
            raise TwilioRefusedError(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        made = TextMessage(to, sender, body, f"SM{next(self._numbers):032x}", callback)
        self.texts.append(made)
        return _created(made.sid, to, sender) | {"body": body, "num_segments": "1"}

    def _call(self, to: str, sender: str, twiml: str, callback: str) -> dict[str, Any]:
        if not twiml or len(twiml) > 4000:
            raise TwilioRefusedError(400, 21205, "Twiml must have between 1 and 4000 characters.")
        ET.fromstring(twiml)
        made = PhoneCall(to, sender, twiml, f"CA{next(self._numbers):032x}", callback)
        self.calls.append(made)
        return _created(made.sid, to, sender)


def _check_numbers(kind: str, to: str, sender: str) -> None:
    if not to:
        raise TwilioRefusedError(400, 21604, "A 'To' phone number is required.")
    if not sender:
        raise TwilioRefusedError(400, 21603, "A 'From' phone number is required.")
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", to):
        raise TwilioRefusedError(
            400, 21211 if kind == "sms" else 21217, f"The number {to} is not a valid phone number."
        )
    if to in REFUSED_NUMBERS:
        text_code, call_code, reason = REFUSED_NUMBERS[to]
        raise TwilioRefusedError(400, int(text_code if kind == "sms" else call_code), f"The number {to} {reason}.")


def _created(sid: str, to: str, sender: str) -> dict[str, Any]:
    return {"sid": sid, "status": "queued", "to": to, "from": sender, "account_sid": ACCOUNT_SID, "error_code": None}


# What Twilio sends


def incoming_text(body: str, *, sender: str) -> dict[str, str]:
    sid = "SM" + hashlib.sha256(f"{sender} {body}".encode()).hexdigest()[:32]
    return {"From": sender, "To": SENDER, "Body": body, "MessageSid": sid, "AccountSid": ACCOUNT_SID, "NumMedia": "0"}


def pressed_key(key: str, *, phone: str, outbound: bool = True) -> dict[str, str]:
    """The key somebody pressed in a call that was made to them, or with `outbound` false in one they made."""
    called, caller = (phone, SENDER) if outbound else (SENDER, phone)
    direction = "outbound-api" if outbound else "inbound"
    return {"To": called, "From": caller, "Direction": direction, "Digits": key, "CallSid": "CA" + "1" * 32}


def text_status(sid: str, status: str, code: str = "") -> dict[str, str]:
    """A status callback of a text message."""
    failed = {"ErrorCode": code} if code else {}
    return {"MessageSid": sid, "SmsSid": sid, "MessageStatus": status, "SmsStatus": status, **failed}


def call_status(sid: str, status: str, **more: str) -> dict[str, str]:
    """A status callback of a call."""
    return {"CallSid": sid, "CallStatus": status, "CallDuration": "0", "SequenceNumber": "0", **more}


def signature(url: str, form: Mapping[str, str], auth_token: str = AUTH_TOKEN) -> str:
    """Twilio's scheme: an HMAC-SHA1 over the URL and each parameter in order of name."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()
