"""A message as signed JSON to somebody else's program."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.request
from collections.abc import Callable
from datetime import datetime
from email.message import Message as Headers
from http.client import HTTPException, InvalidURL
from typing import IO, Any
from urllib.error import HTTPError

from config import clock
from escalation.channels import wording
from escalation.channels.base import ChannelError, Message, Sent

TIMEOUT_SECONDS = 10.0
VERSION = 1
SIGNATURE_HEADER = "Tocsin-Signature"


class Webhook:
    """Addresses are http(s) URLs. Anything but a 2xx is a refusal, and redirects are not followed.

    The header `Tocsin-Signature: t=1762225200,v1=9f86…` is the HMAC-SHA256 in hex, under `secret`, of the seconds `t`,
    a full stop and the body. A receiver compares it and refuses an old `t`.
    """

    name = "webhook"

    def __init__(
        self, secret: str, *, timeout_seconds: float = TIMEOUT_SECONDS, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._secret, self._timeout_seconds, self._now = secret, timeout_seconds, now
        self._opener = urllib.request.build_opener(_NoRedirect)

    def send(self, address: str, message: Message) -> Sent:
        self._post(address, payload(message, message.purpose.value))
        return Sent(ref={"url": address})

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        """Tell the receiver of an earlier message how the incident stands now."""
        if not ref:
            return Sent()
        self._post(address, payload(message, "update"))
        return Sent(ref=ref)

    def _post(self, url: str, content: dict[str, Any]) -> None:
        if not url.startswith(("https://", "http://")):
            raise ChannelError(
                "A webhook's address must begin with https:// or http://.", permanent=True, code="address"
            )
        body = json.dumps(content, ensure_ascii=False).encode(errors="replace")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tocsin",
            SIGNATURE_HEADER: signature(body, int(self._now().timestamp()), self._secret),
        }
        try:
            request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the scheme is checked above
            with self._opener.open(request, timeout=self._timeout_seconds):
                return
        except HTTPError as refused:
            with refused:
                said = f"The webhook answered {refused.code}."
                raise refusal(said, refused.code, refused.headers.get("Retry-After", "")) from refused
        except (ValueError, InvalidURL) as unusable:
            # What is wrong with it would quote it, and it may carry a secret.
            reason = "The webhook's address is not usable."
            raise ChannelError(reason, permanent=True, code="address") from unusable
        except (OSError, HTTPException) as broken:
            reason = f"The webhook could not be reached: {broken}"
            raise ChannelError(reason, permanent=False, code="network") from broken


def payload(message: Message, event: str) -> dict[str, Any]:
    """What the receiver gets: `event` is page, notification, announcement or update.

    A message about no incident has null for `incident` and `standing`; all it says is in `subject`, `note` and `url`.
    """
    about_one = wording.is_about_an_incident(message)
    return {
        "version": VERSION,
        "event": event,
        "incident": message.brief.to_json() if about_one else None,
        "standing": message.standing.to_json() if about_one else None,
        "to": message.to_name,
        "level": message.level,
        "page_id": message.page_id,
        "repeat": message.repeat,
        "last_resort": message.last_resort,
        "note": message.note,
        "subject": message.subject,
        "url": message.brief.url,
    }


def signature(body: bytes, at_seconds: int, secret: str) -> str:
    digest = hmac.new(secret.encode(), b"%d." % at_seconds + body, hashlib.sha256).hexdigest()
    return f"t={at_seconds},v1={digest}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could carry a page to an address that nobody configured; it counts as a refusal."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Headers, newurl: str
    ) -> None:
        return None


def refusal(said: str, status: int, retry_after: str) -> ChannelError:
    """What an endpoint's answer means, which is no 2xx; `retry_after` is its header, or empty."""
    return ChannelError(
        said,
        permanent=status < 500 and status not in (408, 425, 429),
        code=str(status),
        retry_after_seconds=float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None,
    )
