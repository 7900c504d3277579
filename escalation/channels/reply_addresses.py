"""Addresses that letters are answered to: signed, for one page, for a day. Pure.

`reply+2s-t2k9nf-MAC@pager.example.org` acts as whoever page 100 went to, on what its letter told of. Everything in it
is lower case and case tells nothing: some mail systems write addresses so.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from escalation.channels.action_links import GOOD_FOR, MAC_BYTES

ORIGIN = "X-Tocsin"  # the header that says which Tocsin wrote a letter
REPLY = "reply"  # stands before the plus; no integration's key is that short

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAG = re.compile(r"([1-9a-z][0-9a-z]{0,11})-([1-9a-z][0-9a-z]{5,6})-([a-z2-7]{26})")


@dataclass(frozen=True, slots=True)
class ReplyTo:
    page_id: int
    expires_at: datetime


class ReplyAddresses:
    """`secret` signs nothing else. `domain` is the one whose mail comes to this Tocsin."""

    def __init__(self, domain: str, secret: str) -> None:
        self._domain, self._secret = domain, secret

    def of_page(self, page_id: int, now: datetime) -> str:
        return self.written(ReplyTo(page_id, now + GOOD_FOR))

    def written(self, to: ReplyTo) -> str:
        body = f"{_base36(to.page_id)}-{_base36(int(to.expires_at.timestamp()))}"
        return f"{REPLY}+{body}-{self._mac(body)}@{self._domain}"

    def read(self, tag: str) -> ReplyTo | None:
        """What stands behind the plus, whether it is still good or not; None for what is not ours."""
        match = _TAG.fullmatch(tag.lower())
        if match is None or not hmac.compare_digest(self._mac(f"{match[1]}-{match[2]}"), match[3]):
            return None
        return ReplyTo(int(match[1], 36), datetime.fromtimestamp(int(match[2], 36), UTC))

    def _mac(self, body: str) -> str:
        digest = hmac.new(self._secret.encode(), body.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:MAC_BYTES]).decode().rstrip("=").lower()


def _base36(number: int) -> str:
    found = ""
    while number:
        number, digit = divmod(number, 36)
        found = _DIGITS[digit] + found
    return found or "0"
