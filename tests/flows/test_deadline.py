"""A server that answers without end, a byte at a time, does not hold whoever calls it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from config import clock
from escalation import hooks
from escalation.channels.base import ChannelError
from escalation.channels.webhook import Webhook
from escalation.oncall import fetching
from tests.messages import page


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of one that never comes to the end of its headers."""
    ended = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError):
            caller, _ = listening.accept()
            with caller:
                caller.sendall(b"HTTP/1.1 200 OK\r\nX-Never-Ending: ")
                while not ended.wait(0.05):
                    caller.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    ended.set()
    thread.join()
    listening.close()


def post_page(url: str) -> None:
    Webhook("secret", timeout_seconds=0.3).send(url, page())


@pytest.mark.parametrize(
    "call", [lambda url: hooks.post(url, b"{}", {}), lambda url: fetching.fetch(url, {}), post_page]
)
def test_a_call_ends_though_the_answer_does_not(
    dripping: str, monkeypatch: pytest.MonkeyPatch, call: Callable[[str], object]
) -> None:
    monkeypatch.setattr(hooks, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(fetching, "SECONDS_MAX", 0.3)
    began = clock.monotonic_seconds()
    with pytest.raises(ChannelError, match="could not be reached"):
        call(dripping)
    assert clock.monotonic_seconds() - began < 5
