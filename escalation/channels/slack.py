"""Slack: the living message of an incident, direct messages to the people paged, and what they press or type."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.web import SlackResponse, WebClient

from escalation.channels import reply_words, slack_blocks, slack_many
from escalation.channels.base import ChannelError, Message, Reply, ReplyRefusedError, Sent, Verb

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
_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}")  # what is not one is the SDK's own words, or a proxy's

# Slack dislikes how the message is laid out: the same words without blocks still reach the person.
LAYOUT_REFUSED = frozenset({"invalid_attachments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})

VERBS: dict[str, Verb] = {
    slack_blocks.ACKNOWLEDGE: Verb.ACKNOWLEDGE,
    slack_blocks.RESOLVE: Verb.RESOLVE,
    slack_blocks.MORE: Verb.MORE,
    slack_many.ACKNOWLEDGE_ALL: Verb.ACKNOWLEDGE,
}

# The SDK logs every failure as an error of its own. Here a failure is a ChannelError, and whoever catches it decides
# what is worth a line.
_quiet = logging.getLogger("tocsin.slack_sdk")
_quiet.setLevel(logging.CRITICAL + 1)


class Slack:
    """Addresses are `#channel`, a channel id, or a member id; a member gets a direct message from the app."""

    name = "slack"

    def __init__(self, token: str, *, api_url: str = API_URL, timeout_seconds: int = TIMEOUT_SECONDS) -> None:
        # No retry handlers: when to try again is the engine's decision, and each try is on the record.
        self._client = WebClient(
            token=token, base_url=api_url, timeout=timeout_seconds, retry_handlers=[], logger=_quiet
        )

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
        _call(self._client.chat_postEphemeral, channel=channel, user=user, text=said)

    def set_usergroup(self, usergroup: str, members: Sequence[str]) -> None:
        """These members and no others. Slack refuses none at all."""
        _call(self._client.usergroups_users_update, usergroup=usergroup, users=list(members))

    def _deliver(self, method: Callable[..., SlackResponse], message: Message, **where: Any) -> Sent:
        try:
            answer = _call(method, **where, **slack_blocks.render(message))
        except ChannelError as error:
            if error.code not in LAYOUT_REFUSED:
                raise
            answer = _call(method, **where, text=slack_blocks.plain_text(message), blocks=[], attachments=[])
        ts = _at(answer.data, "ts")[:NAME_CHARACTERS_MAX]
        return Sent(provider_id=ts, ref={"channel": _at(answer.data, "channel")[:NAME_CHARACTERS_MAX], "ts": ts})


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
    status, code = response.status_code, _at(response.data, "error")
    if not _CODE.fullmatch(code):
        code = f"http_{status}"
    retry_after = _seconds({k.lower(): v for k, v in response.headers.items()}.get("retry-after"))
    permanent = PERMANENT.get(code, code in LAYOUT_REFUSED or 400 <= status < 500)
    if status == 429 or status >= 500:
        permanent = False
    return ChannelError(f"Slack refused it: {code}", permanent=permanent, code=code, retry_after_seconds=retry_after)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdecimal() else None


def parse_reply(headers: Mapping[str, str], body: bytes, now: datetime, signing_secret: str) -> Reply:
    """A pressed button or a typed `/incident …`, from the raw `body`. `context` says where to answer.

    Raises ReplyRefusedError unless the request is signed with `signing_secret` (Slack's scheme v0) and at most five
    minutes from `now`, and readable. An interaction that this does not know is Verb.HELP.
    """
    _check_signature(headers, body, now, signing_secret)
    form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    if "payload" in form:
        return _pressed(form["payload"])
    if not form.get("user_id") or "command" not in form:
        raise ReplyRefusedError("Slack's request is neither a button nor a command.")
    words = reply_words.read(form.get("text", ""))
    context: dict[str, Any] = {
        "response_url": form.get("response_url", ""),
        "trigger_id": form.get("trigger_id", ""),
        "channel": form.get("channel_id", ""),
        "command": form["command"],
        "rest": words.rest,
        "all": words.everything,
    }
    text = form.get("text", "")
    return Reply("slack", form["user_id"], words.verb, words.number, text, context)


class _At(Clock):
    """slack_sdk reads the wall clock unless it is given another."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> float:
        return self._now.timestamp()


def _check_signature(headers: Mapping[str, str], body: bytes, now: datetime, signing_secret: str) -> None:
    if not signing_secret:
        raise ReplyRefusedError("No Slack signing secret is configured, so that no request can be trusted.")
    try:
        genuine = SignatureVerifier(signing_secret, clock=_At(now)).is_valid_request(body, headers)
    except (ValueError, TypeError, OverflowError):  # a timestamp that is none, bytes that are no text
        genuine = False
    if not genuine:
        raise ReplyRefusedError("Slack's request is forged or more than five minutes old.")


def _pressed(payload: str) -> Reply:
    try:
        read = json.loads(payload)
    except (ValueError, RecursionError) as garbled:
        raise ReplyRefusedError("Slack's payload is not JSON.") from garbled
    sender = _at(read, "user", "id")
    if not sender:
        raise ReplyRefusedError("Slack's payload names no user.")
    verb, value = VERBS.get(_at(read, "actions", 0, "action_id")), _at(read, "actions", 0, "value")
    number = (
        int(value) if value.isascii() and value.isdecimal() and len(value) <= reply_words.NUMBER_DIGITS_MAX else None
    )
    if verb is not None and number is None:
        # Without a number the reply would mean the newest page: a broken button must not act on that.
        raise ReplyRefusedError("Slack's button names no incident.")
    context: dict[str, Any] = {
        "response_url": _at(read, "response_url"),
        "trigger_id": _at(read, "trigger_id"),
        "channel": _at(read, "channel", "id") or _at(read, "container", "channel_id"),
        "ts": _at(read, "container", "message_ts") or _at(read, "message", "ts"),
    }
    if _at(read, "actions", 0, "action_id") == slack_many.ACKNOWLEDGE_ALL:
        # Its number is the page whose message told of several incidents.
        context |= {"all": True, "page_id": number}
        number = None
    return Reply("slack", sender, verb or Verb.HELP, number, context=context)


def _at(value: Any, *path: str | int) -> str:
    """The text at `path` in what Slack sent; empty if there is none."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return value if isinstance(value, str) else ""
