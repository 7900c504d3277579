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

from config import twilio_senders
from escalation.channels import twilio_errors, wording
from escalation.channels.base import ChannelError, ReplyRefusedError
from escalation.channels.twilio_errors import CALLBACK_REFUSED
from escalation.channels.twilio_errors import is_permanent as is_permanent

API_URL = "https://api.twilio.com"
TIMEOUT_SECONDS = 10.0
REASON_CHARACTERS_MAX = 500
CODE_DIGITS_MAX = 6

_SID = re.compile(r"[A-Za-z0-9]{1,64}")  # Twilio's own have 34

_quiet = logging.getLogger("tocsin.twilio")  # the SDK logs each request's headers; failures are ChannelErrors here
_quiet.setLevel(logging.CRITICAL + 1)


class Account:
    """`sender` is what messages and calls come from, as `config.twilio_senders` reads it."""

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
        self._senders = twilio_senders.read(sender)

    def text(self, to: str, body: str, *, callback: str = "") -> str:
        """Hand over a text message; its SID. `callback` is where Twilio reports on it. Raises ChannelError."""
        chosen = self._senders.texts(to)
        sender = {"messaging_service_sid" if chosen.startswith(twilio_senders.POOL_PREFIX) else "from_": chosen}
        report = {"status_callback": callback} if callback else {}
        return self._created(self._client.messages.create, {"to": to, "body": body, **sender}, report)

    def call(self, to: str, twiml: str, *, callback: str = "") -> str:
        """Hand over a call; its SID. `callback` is where Twilio reports how it ended. Raises ChannelError."""
        sender = self._senders.calls(to)
        if not sender:
            reason = "TOCSIN_TWILIO_FROM names no number that can call; add one as voice=+…"
            raise ChannelError(reason, permanent=True, code="sender")
        report = {"status_callback": callback} if callback else {}
        return self._created(self._client.calls.create, {"to": to, "from_": sender, "twiml": twiml}, report)

    def _created(self, create: Callable[..., Any], arguments: Mapping[str, Any], report: Mapping[str, Any]) -> str:
        try:
            return self._create(create, **arguments, **report)
        except ChannelError as refused:
            if not report or int(refused.code if refused.code.isdecimal() else 0) not in CALLBACK_REFUSED:
                raise
        # Twilio cannot call this Tocsin back, as on a laptop: the page matters more than its receipt.
        return self._create(create, **arguments)

    def _create(self, create: Callable[..., Any], **arguments: Any) -> str:
        try:
            sid = create(**arguments).sid
        except TwilioException as refused:
            raise self._error(refused) from refused
        except OSError as broken:  # every failure of `requests` is one
            raise ChannelError(f"Twilio could not be reached: {broken}", permanent=False, code="network") from broken
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as garbled:
            # The SDK takes it for granted that JSON is an object. A proxy's need not be.
            raise ChannelError("Twilio's answer was not readable.", permanent=False, code="garbled") from garbled
        return sid if isinstance(sid, str) and is_sid(sid) else ""

    def _error(self, refused: TwilioException) -> ChannelError:
        status, code = number(getattr(refused, "status", 0)), number(getattr(refused, "code", 0))
        # The two kinds of refusal say it in different fields; str() of either may colour it for a terminal.
        reason = getattr(refused, "msg", "") or getattr(refused, "detail", "") or getattr(refused, "title", "")
        known = twilio_errors.meaning(code)
        said = f"{known.words}. Twilio's words: {reason}" if known else reason
        return ChannelError(
            wording.one_line(f"Twilio refused it ({code}): {said}", REASON_CHARACTERS_MAX),
            permanent=is_permanent(code, status),
            of_address=twilio_errors.is_of_address(code),
            code=str(code),
            retry_after_seconds=self._http.retry_after_seconds(),
        )


def is_sid(text: str) -> bool:
    return _SID.fullmatch(text) is not None


def number(given: Any) -> int:
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
