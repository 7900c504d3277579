"""Whether a request is its sender's, by what each sender signs it with. Pure.

Everything is compared in constant time, and over the bytes as they came: a body that was read and written again is
another one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

AGE_SECONDS_MAX = 300  # of a signature with a time in it, in both directions

GENUINE = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came."""

    headers: Mapping[str, str]  # by their names in lower case
    body: bytes
    fetch: Callable[[str], bytes]  # a certificate from its address


class Check(Protocol):
    """`secret` is what the integration is given in tocsin.yaml. Gives what is wrong, in words; GENUINE if nothing is."""

    def __call__(self, sent: Sent, secret: str, now: datetime, /) -> str: ...


def bearer(sent: Sent, secret: str, now: datetime) -> str:
    """Of senders that sign nothing: `Authorization: Bearer SECRET`, or the secret as the password of Basic."""
    del now
    scheme, _, rest = sent.headers.get("authorization", "").strip().partition(" ")
    if scheme.casefold() == "basic":
        try:
            rest = base64.b64decode(rest, validate=True).decode("utf-8", "replace").partition(":")[2]
        except binascii.Error:
            return "the Authorization header is not Basic as it says"
    elif scheme.casefold() != "bearer":
        return "it has no Authorization header, which this integration asks for"
    return GENUINE if _same(rest.strip(), secret) else "the secret in its Authorization header is another one"


def of_generic(sent: Sent, secret: str, now: datetime) -> str:
    """As GitHub signs, which many imitate, or as those who sign nothing show it."""
    return github(sent, secret, now) if "x-hub-signature-256" in sent.headers else bearer(sent, secret, now)


def github(sent: Sent, secret: str, now: datetime) -> str:
    """`X-Hub-Signature-256: sha256=HEX`; the older SHA-1 beside it is not looked at."""
    del now
    return _signed(sent, "x-hub-signature-256", "sha256=" + _hex(secret, sent.body))


def gitlab(sent: Sent, secret: str, now: datetime) -> str:
    """GitLab signs nothing and sends the secret itself."""
    del now
    return _signed(sent, "x-gitlab-token", secret)


def sentry(sent: Sent, secret: str, now: datetime) -> str:
    """The time in the header beside it is not signed, so nothing is made of it."""
    del now
    return _signed(sent, "sentry-hook-signature", _hex(secret, sent.body))


def grafana(sent: Sent, secret: str, now: datetime) -> str:
    """Grafana 12 and later. With a time header, the time is signed too, and may not be old."""
    moment = sent.headers.get("x-grafana-alerting-timestamp", "").strip()
    signed = sent.body
    if moment:
        if not (moment.isascii() and moment.isdigit() and len(moment) < 12):
            return "its time header is no number of seconds"
        if abs(now.timestamp() - int(moment)) > AGE_SECONDS_MAX:
            return "it was signed more than five minutes from now"
        signed = moment.encode() + b":" + sent.body
    return _signed(sent, "x-grafana-alerting-signature", _hex(secret, signed))


def _signed(sent: Sent, header: str, expected: str) -> str:
    given = sent.headers.get(header, "").strip()
    if not given:
        return f"it has no {header.title()} header"
    return GENUINE if _same(given, expected) else f"its {header.title()} is not of this body and this secret"


def _hex(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    """Bytes on both sides: texts with other than ASCII letters cannot be compared so."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
