"""A message as signed JSON to somebody else's program."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from config import clock
from escalation import deadline
from escalation.channels import wording
from escalation.channels.base import ChannelError, Message, Sent

TIMEOUT_SECONDS = 10.0  # from the first byte sent to the answer's headers, however slowly those come
VERSION = 1
SIGNATURE_HEADER = "Tocsin-Signature"


class Webhook:
    """Addresses are http(s) URLs. Anything but a 2xx is a refusal. Redirects are not followed: one could carry a page to
    an address that nobody configured.

    The header `Tocsin-Signature: t=1762225200,v1=9f86…` is the HMAC-SHA256 in hex, under `secret`, of the seconds `t`,
    a full stop and the body. A receiver compares it and refuses an old `t`.
    """

    name = "webhook"

    def __init__(
        self, secret: str, *, timeout_seconds: float = TIMEOUT_SECONDS, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._secret, self._timeout_seconds, self._now = secret, timeout_seconds, now
        self._trusted = ssl.create_default_context()  # what this machine trusts, a team's own authority among it

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
        if not _is_usable(url):
            # What is wrong with it would quote it, and it may carry a secret.
            reason = "A webhook's address must be a URL that begins with https:// or http://."
            raise ChannelError(reason, permanent=True, code="address")
        body = json.dumps(content, ensure_ascii=False).encode(errors="replace")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tocsin",
            SIGNATURE_HEADER: signature(body, int(self._now().timestamp()), self._secret),
        }
        try:
            # A connection of its own for each, which is what the deadline cuts off.
            with (
                deadline.within(self._timeout_seconds) as bounds,
                httpx.Client(verify=self._trusted, timeout=self._timeout_seconds, follow_redirects=False) as client,
                client.stream("POST", url, content=body, headers=headers, extensions=dict(bounds)) as answer,
            ):
                if answer.is_success:
                    return
                said = f"The webhook answered {answer.status_code}."
                raise refusal(said, answer.status_code, answer.headers.get("Retry-After", ""))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as unusable:
            reason = "The webhook's address is not usable."
            raise ChannelError(reason, permanent=True, code="address") from unusable
        except httpx.HTTPError as broken:
            reason = f"The webhook could not be reached ({type(broken).__name__})."
            raise ChannelError(reason, permanent=False, code="network") from broken


def _is_usable(url: str) -> bool:
    """The client takes a space in a host for the network's fault, and would be asked again and again."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x20]", url)
    except ValueError:
        return False


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


def refusal(said: str, status: int, retry_after: str) -> ChannelError:
    """What an endpoint's answer means, which is no 2xx; `retry_after` is its header, or empty."""
    return ChannelError(
        said,
        permanent=status < 500 and status not in (408, 425, 429),
        code=str(status),
        retry_after_seconds=float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None,
    )
