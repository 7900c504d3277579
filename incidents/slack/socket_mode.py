"""Socket Mode: this Tocsin calls Slack and keeps the line open, so that Slack need not reach it.

What comes over the line goes through the same corridor as what comes over HTTP. Any number of engines may each hold a
line (Slack allows ten): Slack gives each thing to one of them, and again to another if it saw no answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException

from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web import WebClient

from config import logs
from escalation.channels import slack_inbound
from escalation.channels.base import ReplyRefusedError
from incidents.slack.corridor import Corridor

TIMEOUT_SECONDS = 10
PING_SECONDS = 2.0  # a line that broke without a word is noticed after five of these, and opened anew
AGAIN_AFTER_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0)
READERS = {"slash_commands": slack_inbound.of_command, "interactive": slack_inbound.of_interaction}

log = logs.get("slack")
_quiet = logging.getLogger("tocsin.slack_socket")  # the SDK logs as errors what it puts right by itself
_quiet.setLevel(logging.CRITICAL + 1)


class Line:
    """Within a `with`: entering returns at once; the line is opened beside, and again whenever it breaks."""

    def __init__(
        self,
        corridor: Corridor,
        app_token: str,
        read_clock: Callable[[], datetime],
        *,
        api_url: str,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        self._corridor = corridor
        self._read_clock = read_clock
        web = WebClient(base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[], logger=_quiet)
        self._client = SocketModeClient(app_token, logger=_quiet, web_client=web, ping_interval=ping_seconds)
        self._client.socket_mode_request_listeners.append(self._heard)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._open, name="slack-socket", daemon=True)

    def __enter__(self) -> Line:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(TIMEOUT_SECONDS)
        self._client.close()

    def _open(self) -> None:
        """Once; from then on the SDK sees to it."""
        tries = 0
        while not self._stopping.is_set():
            try:
                self._client.connect()
            except (OSError, HTTPException, SlackClientError, ValueError, KeyError, TypeError) as error:
                wait = AGAIN_AFTER_SECONDS[min(tries, len(AGAIN_AFTER_SECONDS) - 1)]
                tries += 1
                log.warning("no line to Slack; nobody can answer there", error=str(error), again_in_seconds=wait)
                self._stopping.wait(wait)
            else:
                log.info("line to Slack open")
                return

    def _heard(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        body = None
        if read := READERS.get(request.type):
            try:
                body = self._corridor.take(read(request.payload), self._read_clock())
            except ReplyRefusedError as refused:
                log.warning("not read", type=request.type, why=str(refused))
        try:
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=body))
        except (OSError, SlackClientError) as broken:
            # Slack brings it again, and it is found done.
            log.warning("the line to Slack broke before the answer", error=str(broken))
