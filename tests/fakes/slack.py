"""Slack's Web API as far as Tocsin uses it, and the requests that Slack sends when people press and type."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tests.fakes import slack_views

_triggers = itertools.count(1)

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-fake"
APP_TOKEN = "xapp-fake"


@dataclass
class Post:
    """One message as it stands now; `versions` are its earlier contents."""

    address: str  # as it was asked for: a channel's name, or a member's id
    channel: str  # Slack's id for it
    ts: str
    content: dict[str, Any]
    versions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return str(self.content.get("text", ""))

    @property
    def color(self) -> str:
        return str(next((a.get("color") for a in self.content.get("attachments", [])), ""))

    @property
    def buttons(self) -> list[str]:
        return [button["text"]["text"] for button in _buttons(self.content)]

    @property
    def shown(self) -> str:
        """Everything a reader sees, one text a line."""
        return "\n".join(_texts([self.content.get("blocks", []), self.content.get("attachments", [])]))


class FakeSlack:
    """`posts` in order of arrival, `ephemerals` as (channel, user, text)."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.ephemerals: list[tuple[str, str, str]] = []
        self.usergroups: dict[str, list[str]] = {}
        self.views: dict[str, dict[str, Any]] = {}  # modals by id, as they stand now; the newest is the last
        self.answers: list[tuple[str, dict[str, Any]]] = []  # what was posted to a response_url
        self.scopes = "chat:write,commands,chat:write.public"
        self.missing_channels: set[str] = set()
        self.tokens = {TOKEN, APP_TOKEN}
        self.socket_url = ""  # of Socket Mode; empty: it is not switched on
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._used_triggers: set[str] = set()

    def answer(self, method: str, arguments: dict[str, Any], token: str) -> dict[str, Any]:
        """Slack's answer as JSON; its own errors are `ok: false` with status 200."""
        with self._lock:
            if token not in self.tokens:
                return _error("not_authed" if not token else "invalid_auth")
            if method not in METHODS:
                return _error("unknown_method")
            if problem := _problem(arguments):
                return _error(problem)
            return METHODS[method](self, arguments)

    def post(self, channel: str, ts: str) -> Post | None:
        return next((post for post in self.posts if (post.channel, post.ts) == (channel, ts)), None)

    def post_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        address = str(arguments.get("channel", ""))
        if not address or address in self.missing_channels:
            return _error("channel_not_found")
        made = Post(address, channel_id(address), f"1700000000.{next(self._numbers):06d}", arguments)
        self.posts.append(made)
        return {"ok": True, "channel": made.channel, "ts": made.ts, "message": {"text": made.text, "ts": made.ts}}

    def update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel, ts = str(arguments.get("channel", "")), str(arguments.get("ts", ""))
        if not channel.startswith(("C", "D", "G")):  # chat.update takes ids alone
            return _error("channel_not_found")
        post = self.post(channel, ts)
        if post is None:
            return _error("message_not_found")
        post.versions.append(post.content)
        post.content = post.content | arguments
        return {"ok": True, "channel": channel, "ts": ts, "text": post.text}

    def post_ephemeral(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if not arguments.get("user"):
            return _error("user_not_in_channel")
        self.ephemerals.append((str(arguments["channel"]), str(arguments["user"]), str(arguments.get("text", ""))))
        return {"ok": True, "message_ts": f"1700000000.{next(self._numbers):06d}"}

    def update_usergroup(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Slack takes ids with commas between them, and refuses an empty list."""
        usergroup, users = str(arguments.get("usergroup", "")), str(arguments.get("users", ""))
        if not users:
            return _error("no_users_provided")
        if not usergroup.startswith("S"):
            return _error("no_such_subteam")
        self.usergroups[usergroup] = users.split(",")
        return {"ok": True, "usergroup": {"id": usergroup, "users": users.split(",")}}

    def open_view(self, arguments: dict[str, Any]) -> dict[str, Any]:
        trigger, view = str(arguments.get("trigger_id", "")), arguments.get("view")
        if trigger in self._used_triggers or not trigger.startswith("T"):
            return _error("exchanged_trigger_id" if trigger in self._used_triggers else "invalid_trigger")
        if problem := slack_views.problem(view):
            return _error("invalid_arguments") | {"response_metadata": {"messages": [problem]}}
        self._used_triggers.add(trigger)
        view_id = f"V{next(self._numbers)}"
        self.views[view_id] = dict(view or {})
        return {"ok": True, "view": {"id": view_id, **self.views[view_id]}}

    def update_view(self, arguments: dict[str, Any]) -> dict[str, Any]:
        view_id, view = str(arguments.get("view_id", "")), arguments.get("view")
        if view_id not in self.views:
            return _error("not_found")
        if problem := slack_views.problem(view):
            return _error("invalid_arguments") | {"response_metadata": {"messages": [problem]}}
        self.views[view_id] = dict(view or {})
        return {"ok": True, "view": {"id": view_id, **self.views[view_id]}}

    def open_connection(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "url": self.socket_url} if self.socket_url else _error("socket_mode_not_enabled")

    @property
    def modal(self) -> str:
        """Everything that is read in the newest modal."""
        return "\n".join(_texts(list(self.views.values())[-1]))


METHODS: dict[str, Callable[[FakeSlack, dict[str, Any]], dict[str, Any]]] = {
    "chat.postMessage": FakeSlack.post_message,
    "chat.update": FakeSlack.update,
    "chat.postEphemeral": FakeSlack.post_ephemeral,
    "usergroups.users.update": FakeSlack.update_usergroup,
    "auth.test": lambda fake, _: {
        "ok": True,
        "url": "https://example.slack.com/",
        "team": "Example",
        "user": "tocsin",
        "user_id": "UTOCSIN",
        "team_id": "T0",
    },
    "apps.connections.open": FakeSlack.open_connection,
    "views.open": FakeSlack.open_view,
    "views.update": FakeSlack.update_view,
}


def channel_id(address: str) -> str:
    """The id Slack would answer with: of a channel by its name, or of the direct messages with a member."""
    if address.startswith("#"):
        return "C" + hashlib.sha256(address.encode()).hexdigest()[:8].upper()
    return "D" + address[1:] if address.startswith(("U", "W")) else address


def _error(code: str) -> dict[str, Any]:
    return {"ok": False, "error": code}


def _problem(arguments: dict[str, Any]) -> str:
    """The limits that Slack refuses a message for."""
    blocks = [*arguments.get("blocks", []), *(b for a in arguments.get("attachments", []) for b in a.get("blocks", []))]
    if "text" in arguments and len(arguments["text"]) > 40_000:
        return "msg_too_long"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    lengths = {"header": 150, "section": 3000}
    too_long = [b for b in blocks if len(b.get("text", {}).get("text", "")) > lengths.get(b["type"], 3000)]
    empty = [b for b in blocks if b["type"] in lengths and not b["text"]["text"]]
    labels = [button for button in _buttons(blocks) if len(button["text"]["text"]) > 75 or len(button["value"]) > 2000]
    if len(blocks) > 50 or len(ids) != len(set(ids)) or too_long or empty or labels:
        return "invalid_blocks"
    return "msg_blocks_too_long" if len(json.dumps(blocks, ensure_ascii=False)) > 13_000 else ""


def _buttons(node: Any, block_id: str = "") -> list[dict[str, Any]]:
    if isinstance(node, dict):
        block_id = node.get("block_id", block_id)
        if node.get("type") == "button":
            return [node | {"block_id": block_id}]
        node = [node[name] for name in ("blocks", "attachments", "elements") if name in node]
    return [button for child in node for button in _buttons(child, block_id)] if isinstance(node, list) else []


def _texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for child in node.values() for text in _texts(child)]
    return [text for child in node for text in _texts(child)] if isinstance(node, list) else []


# What Slack sends


@dataclass(frozen=True)
class SlackRequest:
    headers: dict[str, str]
    body: bytes


def press(post: Post, label: str, *, user: str, now: datetime, secret: str = SIGNING_SECRET) -> SlackRequest:
    """Somebody presses the button `label` of `post`."""
    button = next(b for b in _buttons(post.content) if b["text"]["text"] == label)
    action = {name: button[name] for name in ("action_id", "block_id", "value", "type", "text")}
    return signed(
        {"payload": json.dumps(pressed_payload(action, user=user, channel=post.channel, ts=post.ts))}, now, secret
    )


def pressed_payload(action: dict[str, Any], *, user: str, channel: str = "C0", ts: str = "1.2") -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": user, "username": user.lower(), "team_id": "T0"},
        "api_app_id": "A0",
        "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
        "trigger_id": f"T{next(_triggers)}.738474920.8088930838d88f008e0",
        "team": {"id": "T0", "domain": "example"},
        "channel": {"id": channel, "name": "incidents"},
        "message": {"type": "message", "ts": ts},
        "response_url": "https://hooks.slack.example/actions/T0/1/x",
        "actions": [action | {"action_ts": "1700000001.000000"}],
    }


def pressed_in_view(view_id: str, view: dict[str, Any], action_id: str, *, user: str) -> dict[str, Any]:
    """Somebody presses what has this action_id in a modal."""
    button = next(b for b in _buttons(view["blocks"]) if b["action_id"] == action_id)
    action = {name: button[name] for name in ("action_id", "block_id", "value", "type", "text")}
    return {
        "type": "block_actions",
        "user": {"id": user},
        "container": {"type": "view", "view_id": view_id},
        "trigger_id": f"T{next(_triggers)}.738474920.8088930838d88f008e0",
        "view": {"id": view_id, **view},
        "actions": [action | {"action_ts": "1700000002.000000"}],
    }


def sent_view(view_id: str, view: dict[str, Any], entered: dict[str, Any], *, user: str) -> dict[str, Any]:
    """Somebody fills in a modal's form and sends it. `entered`: by field; what is left out stays as it was."""
    return {
        "type": "view_submission",
        "user": {"id": user},
        "trigger_id": f"T{next(_triggers)}.738474920.8088930838d88f008e0",
        "view": {"id": view_id, **view, "state": {"values": slack_views.state(view, entered)}},
        "response_urls": [],
    }


def command(text: str, *, user: str, now: datetime, secret: str = SIGNING_SECRET) -> SlackRequest:
    """Somebody types `/incident text`."""
    form = {
        "command": "/incident",
        "text": text,
        "user_id": user,
        "user_name": user.lower(),
        "team_id": "T0",
        "channel_id": "C0",
        "response_url": "https://hooks.slack.example/commands/T0/1/x",
        "trigger_id": f"T{next(_triggers)}.738474920.8088930838d88f008e1",
    }
    return signed(form, now, secret)


def signed(form: dict[str, str], now: datetime, secret: str = SIGNING_SECRET) -> SlackRequest:
    """Slack's scheme v0: an HMAC over version, seconds and the body as it travels."""
    body, seconds = urlencode(form).encode(), str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), b"v0:" + seconds.encode() + b":" + body, hashlib.sha256).hexdigest()
    return SlackRequest(
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": seconds,
            "X-Slack-Signature": f"v0={digest}",
        },
        body,
    )
