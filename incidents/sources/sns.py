"""Amazon SNS' own proof: its signature by a certificate of AWS, and where a subscription is confirmed. Pure.

Nothing in a request is believed about where to look: certificates and confirmations are fetched from AWS' hosts alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from incidents.sources import cloudwatch, parts, reading
from incidents.sources.base import PayloadRefusedError
from incidents.sources.signatures import GENUINE, Sent

AGE_MAX = timedelta(minutes=75)  # SNS itself gives up after an hour

_HOST = re.compile(r"sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def check(sent: Sent, topic: str, now: datetime) -> str:
    """An envelope must be AWS', and `topic`'s if one is given; raw delivery, which nobody signs, is good without one.

    Raises what `fetch` does when the certificate cannot be had.
    """
    envelope = cloudwatch.enveloped(sent.body)
    if envelope is None:
        return (
            "it is delivered raw, and so not signed, while this integration takes its own topic only"
            if topic
            else GENUINE
        )
    if topic and parts.text(envelope, "TopicArn") != topic:
        return "it is of another topic"
    moment = reading.moment(envelope.get("Timestamp"))
    if moment is None or abs(now - moment) > AGE_MAX:
        return "it was sent more than an hour from now"
    address = parts.text(envelope, "SigningCertURL")
    if not is_aws(address) or not urlsplit(address).path.endswith(".pem"):
        return "the certificate that it names is not AWS'"
    return _verified(envelope, sent, address)


def is_aws(address: str) -> bool:
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        return False
    return (
        url.scheme == "https"
        and _HOST.fullmatch(url.hostname or "") is not None
        and port in (None, 443)
        and "@" not in url.netloc
    )


def confirmation(payload: Any) -> str:
    """Where the subscription is confirmed by a GET; empty for any other message. Refused if it is not AWS' host."""
    if parts.text(payload, "Type") != "SubscriptionConfirmation":
        return ""
    address = parts.text(payload, "SubscribeURL")
    if not is_aws(address):
        raise PayloadRefusedError("SubscribeURL", "is not an https address of AWS' SNS")
    return address


def canonical(envelope: Mapping[str, Any]) -> bytes:
    """What SNS signs: name and value of each of these fields that is there, a line each."""
    names = _NOTIFICATION if parts.text(envelope, "Type") == "Notification" else _CONFIRMATION
    lines = [line for name in names if isinstance(envelope.get(name), str) for line in (name, envelope[name])]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")


def _verified(envelope: Mapping[str, Any], sent: Sent, address: str) -> str:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    algorithm: Any = {"1": hashes.SHA1, "2": hashes.SHA256}.get(parts.text(envelope, "SignatureVersion"))
    if algorithm is None:
        return "its SignatureVersion is neither 1 nor 2"
    try:
        signature = base64.b64decode(parts.text(envelope, "Signature"), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not signature:
        return "it has no Signature"
    try:
        key = x509.load_pem_x509_certificate(sent.fetch(address)).public_key()
    except ValueError:
        return "what its SigningCertURL gives is no certificate"
    if not isinstance(key, rsa.RSAPublicKey):
        return "its certificate has no RSA key"
    try:
        key.verify(signature, canonical(envelope), padding.PKCS1v15(), algorithm())
    except InvalidSignature:
        return "its Signature is not of this message"
    return GENUINE
