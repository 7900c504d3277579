"""One Twilio account: what text messages and calls share, and what Twilio's refusals mean."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from escalation.channels import wording
from escalation.channels.base import ChannelError, ReplyRefusedError

API_URL = "https://api.twilio.com"
TIMEOUT_SECONDS = 10.0
REASON_CHARACTERS_MAX = 500
CODE_DIGITS_MAX = 6
MESSAGING_SERVICE_PREFIX = "MG"  # a sender that is a pool of numbers rather than one

# Twilio's error codes, of requests and of delivery receipts: whether trying the same again is pointless.
PERMANENT: dict[int, bool] = {
    10001: True,  # account not active
    10004: False,  # too many calls at once
    14107: False,  # message rate exceeded
    20003: True,  # account and token do not match
    20005: True,  # account suspended
    20404: True,  # no such resource: most likely a wrong account or API URL
    20429: False,  # too many requests
    20500: False,  # Twilio's own failure
    20503: False,  # Twilio unavailable
    21210: True,  # caller number not verified
    21211: True,  # not a phone number
    21212: True,  # sender is not a phone number
    21214: True,  # number cannot be reached
    21215: True,  # calls to this country are not allowed
    21216: True,  # calls to this number are blocked
    21217: True,  # not a phone number that can be called
    21219: True,  # trial account, number not verified
    21408: True,  # messages to this country are not allowed
    21602: True,  # no text
    21603: True,  # no sender
    21604: True,  # no recipient
    21606: True,  # sender cannot send messages
    21608: True,  # trial account, number not verified
    21610: True,  # the person replied STOP
    21611: False,  # the sender's queue is full
    21612: True,  # no route between these two numbers
    21614: True,  # not a mobile number
    21617: True,  # text too long
    30001: False,  # queue overflow
    30002: True,  # account suspended
    30003: False,  # handset unreachable or switched off
    30004: True,  # blocked by the recipient
    30005: True,  # number unknown or out of use
    30006: True,  # landline, or a carrier that cannot be reached
    30007: True,  # filtered by the carrier; the same text would be again
    30008: False,  # the carrier gave no reason
}

_SID = re.compile(r"[A-Za-z0-9]{1,64}")  # Twilio's own have 34

_quiet = logging.getLogger("tocsin.twilio")  # the SDK logs each request's headers; failures are ChannelErrors here
_quiet.setLevel(logging.CRITICAL + 1)


def is_permanent(code: int, status: int = 200) -> bool:
    """Whether trying again cannot help, by Twilio's error `code`, or failing that the HTTP `status`."""
    if status == 429 or status >= 500:
        return False
    return PERMANENT.get(code, 400 <= status < 500 and status != 408)


class Account:
    """`sender` is the number that messages and calls come from, or a messaging service (MG…) for messages."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        *,
        api_url: str = API_URL,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._http = _HttpPerThread(timeout_seconds)
        self._client = Client(account_sid, auth_token, http_client=self._http)
        self._client.api.base_url = api_url
        self._sender = sender

    def text(self, to: str, body: str) -> str:
        """Hand over a text message; its SID. Raises ChannelError."""
        if self._sender.startswith(MESSAGING_SERVICE_PREFIX):
            return self._create(self._client.messages.create, to=to, messaging_service_sid=self._sender, body=body)
        return self._create(self._client.messages.create, to=to, from_=self._sender, body=body)

    def call(self, to: str, twiml: str) -> str:
        """Hand over a call; its SID. Raises ChannelError."""
        return self._create(self._client.calls.create, to=to, from_=self._sender, twiml=twiml)

    def _create(self, create: Callable[..., Any], **arguments: str) -> str:
        try:
            sid = create(**arguments).sid
        except TwilioException as refused:
            raise self._error(refused) from refused
        except OSError as broken:  # every failure of `requests` is one
            raise ChannelError(f"Twilio could not be reached: {broken}", permanent=False, code="network") from broken
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as garbled:
            # The SDK takes it for granted that JSON is an object. A proxy's need not be.
            raise ChannelError("Twilio's answer was not readable.", permanent=False, code="garbled") from garbled
        return sid if isinstance(sid, str) and _SID.fullmatch(sid) else ""

    def _error(self, refused: TwilioException) -> ChannelError:
        status, code = _number(getattr(refused, "status", 0)), _number(getattr(refused, "code", 0))
        # The two kinds of refusal say it in different fields; str() of either may colour it for a terminal.
        reason = getattr(refused, "msg", "") or getattr(refused, "detail", "") or getattr(refused, "title", "")
        return ChannelError(
            wording.one_line(f"Twilio refused it ({code}): {reason}", REASON_CHARACTERS_MAX),
            permanent=is_permanent(code, status),
            code=str(code),
            retry_after_seconds=self._http.retry_after_seconds(),
        )


def _number(given: Any) -> int:
    """A status or an error code; 0 for what is none, as when a proxy answered in Twilio's place."""
    digits = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= CODE_DIGITS_MAX else 0


class _HttpPerThread:
    """twilio's own client, one a thread, each keeping its connection.

    Neither that client, which hands an answer over through an attribute of itself, nor the `requests` session in it
    promises to be shared between threads. The client also drops a refusal's headers, and with them Retry-After.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._own = threading.local()

    def request(self, *arguments: Any, **named: Any) -> Any:
        self._own.retry_after = ""
        if not hasattr(self._own, "client"):
            self._own.client = TwilioHttpClient(timeout=self._timeout_seconds, logger=_quiet, max_retries=0)
        answer = self._own.client.request(*arguments, **named)
        self._own.retry_after = answer.headers.get("Retry-After", "")
        return answer

    def retry_after_seconds(self) -> float | None:
        """What the last answer in this thread asked for."""
        text: str = getattr(self._own, "retry_after", "")
        return float(text) if text.isascii() and text.isdecimal() else None


def check_signature(url: str, form: Mapping[str, str], signature: str, auth_token: str) -> None:
    """Raises ReplyRefusedError unless Twilio signed exactly this `url` (as it was called, with query) and `form`.

    Twilio's scheme has no timestamp: whoever acts on a reply must not mind seeing it twice.
    """
    if not auth_token:
        raise ReplyRefusedError("No Twilio auth token is configured, so that no request can be trusted.")
    try:
        genuine = RequestValidator(auth_token).validate(url, form, signature)
    except (ValueError, TypeError):  # bytes that are no text, a port that is none
        genuine = False
    if not genuine:
        raise ReplyRefusedError("Twilio's request is forged, or TOCSIN_BASE_URL is not the address that it calls.")
