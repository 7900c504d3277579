"""Fetching the little that senders make Tocsin fetch: certificates, and the confirmation of a subscription.

Whoever calls has looked at the address; no redirect leads elsewhere from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from config.errors import UnavailableError

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0  # SNS waits 15 for the answer to its request
BYTES_MAX = 65_536
KEPT_MAX = 16

Fetch = Callable[[str], bytes]


def get(address: str) -> bytes:
    """The body of a 200. Raises UnavailableError: the sender shall try again."""
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    host = httpx.URL(address).host
    taken = b""
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=False) as client,
            client.stream("GET", address) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise UnavailableError(f"{host} answered {answer.status_code}. Send it again.")
            for piece in answer.iter_bytes():
                taken += piece
                if len(taken) > BYTES_MAX:
                    raise UnavailableError(f"{host} sent more than {BYTES_MAX} bytes. Send it again.")
    except httpx.HTTPError as broken:
        raise UnavailableError(f"{host} could not be asked ({type(broken).__name__}). Send it again.") from broken
    return taken


class Kept:
    """The same, asked once an address: a certificate stays what it is. The oldest of too many is forgotten."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def __call__(self, address: str) -> bytes:
        found = self._kept.get(address)
        if found is None:
            found = self._fetch(address)
            with self._lock:
                while len(self._kept) >= KEPT_MAX:
                    del self._kept[next(iter(self._kept))]
                self._kept[address] = found
        return found
