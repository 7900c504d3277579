"""Everything else, by the library Apprise: ntfy, Telegram, Teams, Discord, Pushover, Matrix, Signal and a hundred more.

An address is an Apprise URL. It holds tokens, so of it nothing but the service's name is ever said.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from config import clock
from escalation.channels import action_links, push_text
from escalation.channels.action_links import Links
from escalation.channels.base import ChannelError, Message, Purpose, Sent

TIMEOUT_SECONDS = 10.0
PASSING = frozenset({408, 425, 429})

_STATUS = re.compile(r"error\s*=\s*([0-9]{3})\b|\(([0-9]{3})\)|HTTP[ /:]*([0-9]{3})\b")
_loading = threading.Lock()

_quiet = logging.getLogger("apprise")  # it logs addresses; failures are ChannelErrors here
_quiet.propagate = False
_quiet.addHandler(logging.NullHandler())


class Apprise:
    """`links` makes the addresses that act; without it a message only leads to the incident."""

    name = "apprise"

    def __init__(
        self,
        links: Links | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._links, self._timeout_seconds, self._now = links, timeout_seconds, now

    def send(self, address: str, message: Message) -> Sent:
        self._notify(address, message)
        # A message in a room is followed by another when somebody takes the incident, and when it ends.
        is_for_a_room = message.purpose is Purpose.ANNOUNCEMENT
        return Sent(ref={"status": message.standing.status}) if is_for_a_room else Sent()

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        """What was sent cannot be edited; what has changed is said once."""
        if not ref or ref.get("status") == message.standing.status:
            return Sent(ref=ref)
        self._notify(address, message)
        return Sent(ref={"status": message.standing.status})

    def _notify(self, address: str, message: Message) -> None:
        library = _library()
        carrier = library.Apprise(asset=library.AppriseAsset(app_id="Tocsin", app_desc="Tocsin", app_url=""))
        service = urlsplit(address).scheme
        if not carrier.add(address):
            reason = f"Apprise knows no such service as {service}://, or its address is not whole."
            raise ChannelError(reason, permanent=True, of_address=True, code="address")
        actions = self._links.actions(message, self._now()) if self._links else action_links.NONE
        result = carrier.notify(
            title=push_text.title(message),
            body=push_text.body(message, actions),
            notify_type=library.NotifyType.FAILURE if message.purpose is Purpose.PAGE else library.NotifyType.INFO,
            body_format=library.NotifyFormat.TEXT,
            timeout=self._timeout_seconds,
            log_level=logging.WARNING,
        )
        if not result:
            raise _error(service, result)


def _library() -> Any:
    """Taken in when it is first used: it reads a hundred modules."""
    with _loading, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        apprise.Apprise.instantiate("json://localhost", suppress_exceptions=True)
        return apprise


def _error(service: str, result: Any) -> ChannelError:
    """Apprise says only that it failed; what the service answered stands in what it would have logged."""
    matches = [match for entry in result.logs() if (match := _STATUS.search(str(entry.message)))]
    status = int(next(filter(None, matches[-1].groups()))) if matches else 0
    if result.timeout_count or not 100 <= status < 600:
        text = f"{service} did not answer, or not in a way that could be read."
        return ChannelError(text, permanent=False, code="timeout" if result.timeout_count else "network")
    permanent = 400 <= status < 500 and status not in PASSING
    return ChannelError(f"{service} refused it (HTTP {status}).", permanent=permanent, code=str(status))
