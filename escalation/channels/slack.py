"""Slack: the living message of an incident, direct messages to the people paged, and what is shown to one person.

What people press and type comes in by `slack_inbound`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse, WebClient
from slack_sdk.webhook import WebhookClient

from config.clock import monotonic_seconds
from escalation.channels import slack_blocks, slack_parts, slack_waits
from escalation.channels.base import ChannelError, Message, Sent
from escalation.channels.slack_inbound import text_at
from escalation.channels.slack_waits import Waits

API_URL = "https://slack.com/api/"
TIMEOUT_SECONDS = 10
NAME_CHARACTERS_MAX = 200  # of a message or a channel, as Slack calls them: its own have about 20

# Slack's error codes: whether trying the same again is pointless. What is not listed is tried again.
PERMANENT: dict[str, bool] = {
    "access_denied": True,
    "account_inactive": True,
    "as_user_not_supported": True,
    "cannot_dm_bot": True,
    "cant_update_message": True,
    "channel_not_found": True,
    "edit_window_closed": True,
    "ekm_access_denied": True,
    "invalid_arguments": True,
    "invalid_auth": True,
    "is_archived": True,
    "is_inactive": True,
    "message_not_found": True,
    "messages_tab_disabled": True,
    "missing_scope": True,
    "msg_too_long": True,
    "no_permission": True,
    "no_such_subteam": True,
    "no_text": True,
    "not_allowed_token_type": True,
    "not_authed": True,
    "not_in_channel": True,
    "org_login_required": True,
    "permission_denied": True,
    "plan_upgrade_required": True,
    "restricted_action": True,
    "team_access_not_granted": True,
    "token_expired": True,
    "token_revoked": True,
    "user_disabled": True,
    "user_not_found": True,
    "user_not_in_channel": True,
    "users_not_found": True,
    "accesslimited": False,
    "fatal_error": False,
    "internal_error": False,
    "ratelimited": False,
    "rate_limited": False,
    "request_timeout": False,
    "service_unavailable": False,
    "team_added_to_org": False,
}
SCOPES = {
    "chat:write": "to post and edit messages",
    "commands": "for /incident",
}
SCOPES_FOR_MORE = {
    "chat:write.public": "to post in channels that it was not invited to",
    "usergroups:write": "to keep a usergroup in step with who is on call",
}
_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}")  # what is not one is the SDK's own words, or a proxy's

# Slack dislikes how the message is laid out: the same words without blocks still reach the person.
LAYOUT_REFUSED = frozenset({"invalid_attachments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})

# The SDK logs every failure as an error of its own. Here a failure is a ChannelError, and whoever catches it decides
# what is worth a line.
_quiet = logging.getLogger("tocsin.slack_sdk")
_quiet.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Identity:
    """What Slack says of the bot's token."""

    team: str
    user: str
    url: str
    scopes: frozenset[str]


class Slack:
    """Addresses are `#channel`, a channel id, or a member id; a member gets a direct message from the app."""

    name = "slack"

    def __init__(
        self, token: str, *, api_url: str = API_URL, timeout_seconds: int = TIMEOUT_SECONDS, mentions: bool = False
    ) -> None:
        """`mentions`: announcements name whoever has been paged, so that they hear of it in the channel too."""
        # No retry handlers: when to try again is the engine's decision, and each try is on the record.
        self._client = WebClient(
            token=token, base_url=api_url, timeout=timeout_seconds, retry_handlers=[], logger=_quiet
        )
        self._api_host = urlsplit(api_url).hostname or ""
        self._timeout_seconds = timeout_seconds
        self._mentions = mentions
        self._waits = Waits(monotonic_seconds)

    def send(self, address: str, message: Message) -> Sent:
        return self._deliver(self._client.chat_postMessage, message, channel=address, unfurl_links=False)

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        """Edit the message that `ref` names; without one there is nothing to edit."""
        if not ref:
            return Sent()
        self._deliver(self._client.chat_update, message, channel=ref["channel"], ts=ref["ts"])
        return Sent(provider_id=ref["ts"], ref=ref)

    def answer_ephemeral(self, channel: str, user: str, text: str) -> None:
        """Tell `user` alone, in `channel`. `text` is Tocsin's own sentence and is escaped here."""
        said = slack_blocks.escaped_text(text)
        self._call(self._client.chat_postEphemeral, channel=channel, user=user, text=said)

    def respond(self, response_url: str, body: dict[str, Any]) -> None:
        """Answer what somebody pressed or typed, where they did, for up to half an hour after it."""
        hook = WebhookClient(response_url, timeout=self._timeout_seconds, retry_handlers=[], logger=_quiet)
        try:
            answer = hook.send_dict(body)
        except (OSError, HTTPException, ValueError, SlackClientError) as broken:
            raise ChannelError(f"Slack took no answer: {broken}", permanent=False, code="network") from broken
        if answer.status_code != 200:
            code = f"http_{answer.status_code}"
            raise ChannelError(f"Slack took no answer: {code}", permanent=answer.status_code < 500, code=code)

    def is_slacks(self, url: str) -> bool:
        """Whether an address to answer on is one of Slack's, or of what stands in for it."""
        try:
            split = urlsplit(url)
        except ValueError:
            return False
        host = split.hostname or ""
        return bool(host) and (
            host == self._api_host or (split.scheme == "https" and host.endswith((".slack.com", ".slack-gov.com")))
        )

    def open_view(self, trigger_id: str, view: dict[str, Any]) -> str:
        """Open a modal; its id. The trigger is good for three seconds, and once."""
        answer = self._call(self._client.views_open, trigger_id=trigger_id, view=view)
        return text_at(answer.data, "view", "id")

    def update_view(self, view_id: str, view: dict[str, Any]) -> None:
        self._call(self._client.views_update, view_id=view_id, view=view)

    def set_usergroup(self, usergroup: str, members: Sequence[str]) -> None:
        """These members and no others. Slack refuses none at all."""
        self._call(self._client.usergroups_users_update, usergroup=usergroup, users=list(members))

    def identity(self) -> Identity:
        """Who the token makes us, and what it lets us do. Raises ChannelError if it is no good."""
        answer = self._call(self._client.auth_test)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        scopes = frozenset(each.strip() for each in str(headers.get("x-oauth-scopes", "")).split(",") if each.strip())
        return Identity(text_at(answer.data, "team"), text_at(answer.data, "user"), text_at(answer.data, "url"), scopes)

    def check_app_token(self, app_token: str) -> None:
        """Whether Slack would open a connection for Socket Mode. Raises ChannelError if not."""
        self._call(self._client.apps_connections_open, app_token=app_token)

    def send_test(self, address: str, action_id: str) -> None:
        """A message that is about nothing, with a button."""
        said = "This is a test of Tocsin. Press the button: that proves the way back."
        pressed = slack_parts.button("It works", action_id, "0")
        blocks = [slack_parts.section(said), {"type": "actions", "elements": [pressed]}]
        self._call(self._client.chat_postMessage, channel=address, text=said, blocks=blocks)

    def _deliver(self, method: Callable[..., SlackResponse], message: Message, **where: Any) -> Sent:
        if not self._mentions:
            message = replace(message, mentions=())
        try:
            answer = self._call(method, **where, **slack_blocks.render(message))
        except ChannelError as error:
            if error.code not in LAYOUT_REFUSED:
                raise
            answer = self._call(method, **where, text=slack_blocks.plain_text(message), blocks=[], attachments=[])
        ts = text_at(answer.data, "ts")[:NAME_CHARACTERS_MAX]
        return Sent(provider_id=ts, ref={"channel": text_at(answer.data, "channel")[:NAME_CHARACTERS_MAX], "ts": ts})

    def _call(self, method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
        lane = slack_waits.lane(method.__name__, str(arguments.get("channel", "")))
        if seconds := self._waits.left(lane):
            raise ChannelError(
                f"Slack asked to wait {seconds:.0f} s more.",
                permanent=False,
                code="ratelimited",
                retry_after_seconds=seconds,
            )
        try:
            return _call(method, **arguments)
        except ChannelError as error:
            if error.code in slack_waits.CODES:
                self._waits.begin(lane, error.retry_after_seconds)
            raise


def _call(method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
    try:
        return method(**arguments)
    except SlackApiError as refused:
        raise _error(refused.response) from refused
    except (AttributeError, KeyError, TypeError, RecursionError) as garbled:
        # The SDK takes it for granted that JSON is an object. A proxy's need not be.
        raise ChannelError("Slack's answer was not readable.", permanent=False, code="garbled") from garbled
    except (OSError, HTTPException) as broken:
        raise ChannelError(f"Slack could not be reached: {broken}", permanent=False, code="network") from broken
    except (SlackClientError, ValueError) as unusable:
        raise ChannelError(f"Slack could not be asked: {unusable}", permanent=True, code="request") from unusable


def _error(response: SlackResponse) -> ChannelError:
    """What Slack's refusal means. Its own errors come with status 200; others are from a proxy or a failing edge."""
    status, code = response.status_code, text_at(response.data, "error")
    if not _CODE.fullmatch(code):
        code = f"http_{status}"
    retry_after = _seconds({k.lower(): v for k, v in response.headers.items()}.get("retry-after"))
    permanent = PERMANENT.get(code, code in LAYOUT_REFUSED or 400 <= status < 500)
    if status == 429 or status >= 500:
        permanent = False
    return ChannelError(f"Slack refused it: {code}", permanent=permanent, code=code, retry_after_seconds=retry_after)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdecimal() else None
