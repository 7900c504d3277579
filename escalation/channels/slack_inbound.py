"""What comes from Slack: a typed command, something pressed, a form sent. Read the same way over HTTP and Socket Mode."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.signature import Clock, SignatureVerifier

from escalation.channels import reply_words, slack_blocks, slack_many
from escalation.channels.base import Reply, ReplyRefusedError, Verb

VALUE_CHARACTERS_MAX = 3000  # of one field of a form: what Slack lets people type at most
ONCE_CHARACTERS_MAX = 190

ACKNOWLEDGING = frozenset({slack_blocks.ACKNOWLEDGE, slack_many.ACKNOWLEDGE_ALL})


class Kind(StrEnum):
    COMMAND = "command"
    PRESS = "press"
    FORM = "form"
    OTHER = "other"  # Slack sends it, and nothing is to be done


@dataclass(frozen=True, slots=True)
class Said:
    """What one person did in Slack. `once` names this very deed: Slack may bring it again."""

    kind: Kind
    user: str
    once: str = ""
    trigger_id: str = ""  # opens a modal within three seconds
    channel: str = ""
    ts: str = ""  # of the message whose button was pressed
    ephemeral: bool = False  # that message is seen by them alone, and cannot be edited
    response_url: str = ""  # takes answers for half an hour
    command: str = ""
    text: str = ""  # typed after the command
    action: str = ""
    value: str = ""
    view_id: str = ""  # of the modal that something was pressed in, or that was sent
    form: str = ""  # the modal's callback_id
    metadata: str = ""  # what the modal carries along
    fields: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)  # block_id -> what was entered or chosen


def read(headers: Mapping[str, str], body: bytes, now: datetime, signing_secret: str) -> Said:
    """The raw `body` of a request. Raises ReplyRefusedError unless it is signed with `signing_secret` (Slack's scheme
    v0), at most five minutes from `now`, and readable."""
    _check_signature(headers, body, now, signing_secret)
    form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    if "payload" not in form:
        return of_command(form)
    try:
        return of_interaction(json.loads(form["payload"]))
    except (ValueError, RecursionError) as garbled:
        raise ReplyRefusedError("Slack's payload is not JSON.") from garbled


def of_command(form: Mapping[str, Any]) -> Said:
    """A slash command's fields."""
    if not form.get("user_id") or "command" not in form:
        raise ReplyRefusedError("Slack's request is neither a button nor a command.")
    return Said(
        kind=Kind.COMMAND,
        user=text_at(form, "user_id"),
        once=_once(text_at(form, "trigger_id")),
        trigger_id=text_at(form, "trigger_id"),
        channel=text_at(form, "channel_id"),
        response_url=text_at(form, "response_url"),
        command=text_at(form, "command"),
        text=text_at(form, "text"),
    )


def of_interaction(payload: Any) -> Said:
    """The payload of an interaction."""
    user = text_at(payload, "user", "id")
    if not user:
        raise ReplyRefusedError("Slack's payload names no user.")
    kinds = {"block_actions": Kind.PRESS, "view_submission": Kind.FORM}
    action = text_at(payload, "actions", 0, "action_id")
    return Said(
        kind=kinds.get(text_at(payload, "type"), Kind.OTHER),
        user=user,
        once=_once(text_at(payload, "trigger_id"), action, text_at(payload, "actions", 0, "action_ts")),
        trigger_id=text_at(payload, "trigger_id"),
        channel=text_at(payload, "channel", "id") or text_at(payload, "container", "channel_id"),
        ts=text_at(payload, "container", "message_ts") or text_at(payload, "message", "ts"),
        ephemeral=_is_ephemeral(payload),
        response_url=text_at(payload, "response_url"),
        action=action,
        value=text_at(payload, "actions", 0, "value"),
        view_id=text_at(payload, "view", "id"),
        form=text_at(payload, "view", "callback_id"),
        metadata=text_at(payload, "view", "private_metadata"),
        fields=_fields(payload),
    )


def reply(said: Said) -> Reply:
    """As an answer like those of other channels. Raises ReplyRefusedError for a button that names no incident."""
    if said.kind is Kind.COMMAND:
        words = reply_words.read(said.text)
        context: dict[str, Any] = {"rest": words.rest, "all": words.everything, "command": said.command}
        return Reply("slack", said.user, words.verb, words.number, said.text, context | _where(said))
    number = number_in(said.value)
    if said.action in ACKNOWLEDGING and number is None:
        # Without a number the reply would mean the newest page: a broken button must not act on that.
        raise ReplyRefusedError("Slack's button names no incident.")
    context = _where(said) | {"ts": said.ts}
    if said.action == slack_many.ACKNOWLEDGE_ALL:
        # Its number is the page whose message told of several incidents.
        context |= {"all": True, "page_id": number}
        number = None
    verb = Verb.ACKNOWLEDGE if said.action in ACKNOWLEDGING else Verb.HELP  # the others open forms
    return Reply("slack", said.user, verb, number, context=context)


def number_in(value: str) -> int | None:
    """The number that a button carries; None if it is none that an incident could have."""
    readable = value.isascii() and value.isdecimal() and len(value) <= reply_words.NUMBER_DIGITS_MAX
    return int(value) if readable else None


def text_at(value: Any, *path: str | int) -> str:
    """The text at `path` in what Slack sent; empty if there is none."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return value if isinstance(value, str) else ""


def _is_ephemeral(payload: Any) -> bool:
    container = payload.get("container")
    return isinstance(container, dict) and container.get("is_ephemeral") is True


def _where(said: Said) -> dict[str, Any]:
    return {"response_url": said.response_url, "trigger_id": said.trigger_id, "channel": said.channel}


def _once(trigger_id: str, *more: str) -> str:
    """Empty where Slack gave no trigger: then nothing tells one deed from the next."""
    return "/".join(part for part in ("slack", trigger_id, *more) if part)[:ONCE_CHARACTERS_MAX] if trigger_id else ""


def _fields(payload: Any) -> dict[str, str | tuple[str, ...]]:
    """What was entered: one element a block, whatever its kind."""
    try:
        blocks = payload["view"]["state"]["values"].items()
    except (KeyError, TypeError, AttributeError):
        return {}
    found: dict[str, str | tuple[str, ...]] = {}
    for block_id, elements in blocks:
        if not isinstance(elements, dict):
            continue
        for element in elements.values():
            if isinstance(element, dict) and isinstance(element.get("selected_options"), list):
                found[block_id] = tuple(text_at(each, "value") for each in element["selected_options"])
            else:
                entered = text_at(element, "value") or text_at(element, "selected_option", "value")
                found[block_id] = entered[:VALUE_CHARACTERS_MAX]
    return found


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
