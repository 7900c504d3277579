"""An end to a call over HTTP, however slowly the other side answers.

A client's own timeouts count from one byte to the next: a server that sends its headers one by one holds a sender for
as long as it likes, and eight of those hold up all calls of their kind, a recommended halt's among them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_OPENED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


@contextmanager
def within(seconds: float) -> Iterator[Mapping[str, Any]]:
    """Gives `extensions` for httpx. What is still connected after that time is cut off, which the client sees as an
    error of the network."""
    opened: list[socket.socket] = []
    over = threading.Event()

    def follow(event: str, info: Mapping[str, Any]) -> None:
        if event in _OPENED:
            opened.append(info["return_value"].get_extra_info("socket"))
            if over.is_set():
                cut()

    def cut() -> None:
        over.set()
        for each in opened:
            with contextlib.suppress(OSError):  # it is closed already
                each.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": follow}
    finally:
        timer.cancel()
