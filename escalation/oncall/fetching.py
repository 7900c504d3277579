"""Getting a calendar that somebody else keeps: bounded in time and size, and not led to where only we can reach."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from config import clock
from escalation import deadline as bounded
from escalation.channels.base import ChannelError

BYTES_MAX = 2_000_000
TIMEOUT_SECONDS = 5.0  # of each step: to connect, and to the next bytes
SECONDS_MAX = 12.0  # of all of it; the claim's lease is longer
REDIRECTS_MAX = 3
ASKS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}  # what was answered -> how to ask by it


@dataclass(frozen=True, slots=True)
class Fetched:
    """`text` None: it has not changed."""

    text: bytes | None
    validators: Mapping[str, str]  # to be handed in next time


def fetch(url: str, validators: Mapping[str, str]) -> Fetched:
    """Raises ChannelError, whose message is for people and does not quote the address: it may be a secret."""
    deadline = clock.monotonic_seconds() + SECONDS_MAX
    headers = {"User-Agent": "tocsin", "Accept": "text/calendar, */*;q=0.5"}
    asked = headers | {ASKS[name]: value for name, value in validators.items() if name in ASKS}
    try:
        with (
            bounded.within(SECONDS_MAX) as bounds,
            httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
        ):
            for _ in range(REDIRECTS_MAX + 1):
                with client.stream("GET", url, headers=asked, extensions=dict(bounds)) as answer:
                    if answer.status_code == 304:
                        return Fetched(None, validators)
                    if not answer.has_redirect_location:
                        return _read(answer, deadline)
                    url = _led_to(url, answer.headers["Location"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as broken:
        raise _error(f"It could not be reached ({type(broken).__name__}).") from broken
    raise _error(f"It leads on more than {REDIRECTS_MAX} times.")


def _read(answer: httpx.Response, deadline: float) -> Fetched:
    if answer.status_code != 200:
        raise _error(f"Its server answered {answer.status_code}.")
    read = bytearray()
    for piece in answer.iter_bytes():
        read += piece
        if len(read) > BYTES_MAX:
            raise _error(f"It is larger than {BYTES_MAX // 1_000_000} MB.")
        if clock.monotonic_seconds() > deadline:
            raise _error(f"It did not arrive within {SECONDS_MAX:.0f} s.")
    return Fetched(bytes(read), {name: answer.headers[name][:500] for name in ASKS if name in answer.headers})


def _led_to(url: str, location: str) -> str:
    """An administrator chose the first address; whoever answers there must not choose one inside our network. What the
    name means may change until we connect: this keeps out mistakes and the simple tricks."""
    target = urljoin(url, location)
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _error("It leads to what is no web address.")
    if parts.hostname != urlsplit(url).hostname and any(
        not address.is_global for address in _addresses(parts.hostname)
    ):
        raise _error("It leads to an address inside a private network.")
    return target


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError as unknown:
        raise _error("It leads to a name that is not known.") from unknown
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def _error(message: str) -> ChannelError:
    return ChannelError(message, permanent=False, code="calendar")
