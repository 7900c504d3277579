"""What the demo's console shows: each message as its channel would, read back from what would have been sent. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from markupsafe import Markup

from escalation.channels import slack_blocks, twiml
from escalation.channels.base import Verb
from escalation.paging.models import ConsoleMessage

_NUMBER = re.compile(r": (\d{1,18}) (?:CRITICAL|HIGH|MEDIUM|LOW|INFO)\b")  # in a line as `text.console_line` writes it
_SAY = re.compile(r"<Say[^>]*>(.*?)</Say>", re.S)
_LINK = re.compile(r"<(https?://[^\s<>|]+)\|([^<>|]*)>")
_BOLD = re.compile(r"\*([^*\n]+)\*")
_QUOTE = re.compile("^>", re.M)  # what was a > in the text is an entity by now
_MENTION = re.compile(r"<@(\w+)>")  # Slack shows a name there
_PATH = re.compile(r"https?://[^/]+(/.*)?")

COLORS = {slack_blocks.RED: "red", slack_blocks.AMBER: "amber", slack_blocks.GREEN: "green"}  # others: grey
BUTTONS = {slack_blocks.ACKNOWLEDGE: Verb.ACKNOWLEDGE, slack_blocks.RESOLVE: Verb.RESOLVE}


@dataclass(frozen=True, slots=True)
class Button:
    """Something the person could press or reply."""

    label: str
    verb: Verb
    page: int | None = None  # for all that this page's message told of


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a Slack message. `kind`: header, section, context or bar, which begins what the coloured bar is beside."""

    kind: str
    text: Markup
    color: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    channel: str
    address: str
    to: str  # the person's name; "": a room, or nobody known
    sent_at: datetime
    edited_at: datetime | None
    number: int | None  # the incident, if the message is about one
    parts: tuple[Part, ...] = ()  # slack
    subject: str = ""  # email
    text: str = ""  # sms, voice (what is said), email, anything else
    segments: int = 0  # of a text message
    buttons: tuple[Button, ...] = ()


def shown(message: ConsoleMessage, to: str) -> Shown:
    rendered: Mapping[str, Any] = message.rendered
    found = _NUMBER.search(str(rendered.get("line", "")))
    number = int(found[1]) if found else None
    base = Shown(message.channel, message.address, to, message.sent_at, message.edited_at, number)
    page, answered = rendered.get("page"), number if rendered.get("asks", True) else None
    several = _for_all(page, number) if isinstance(page, int) and number is not None else ()
    if message.channel == "slack":
        return replace(base, parts=tuple(_slack(rendered)), buttons=several[:1] or tuple(_pressable(rendered)))
    if message.channel == "sms":
        buttons = several or _replies(answered, "Reply ACK {}", "Reply ESCALATE {}")
        body, segments = str(rendered.get("body", "")), int(rendered.get("parts", 0))
        return replace(base, text=body, segments=segments, buttons=buttons)
    if message.channel == "voice":
        said = str(rendered.get("twiml", ""))
        keys = (f"Press {twiml.ACKNOWLEDGE_KEY}: acknowledge", f"Press {twiml.ESCALATE_KEY}: escalate")
        return replace(
            base, text=_spoken(said), buttons=(several or _replies(answered, *keys)) if "<Gather" in said else ()
        )
    if message.channel == "email":
        subject, text = str(rendered.get("subject", "")), str(rendered.get("text", ""))
        return replace(base, subject=subject, text=text, buttons=_replies(answered, "Open {} and acknowledge"))
    return replace(base, text=json.dumps(rendered.get("json", rendered), indent=2, ensure_ascii=False))


def mrkdwn(text: str) -> Markup:
    """Slack's markup as HTML: bold, quotes, links and line ends. Links to this Tocsin lose their host, so that they work here."""
    text = _MENTION.sub(r"@\1", _QUOTE.sub("│ ", text))
    pieces: list[Markup] = []
    end = 0
    for link in _LINK.finditer(text):
        pieces.append(_words(text[end : link.start()]))
        pieces.append(Markup('<a href="{}">{}</a>').format(_local(link[1]), html.unescape(link[2])))
        end = link.end()
    pieces.append(_words(text[end:]))
    return Markup("").join(pieces)


def _words(text: str) -> Markup:
    escaped = str(Markup.escape(html.unescape(text)))
    return Markup(_BOLD.sub(r"<strong>\1</strong>", escaped).replace("\n", "<br>"))  # noqa: S704  # escaped above


def _local(url: str) -> str:
    """The path, if it is one of ours. The demo may be reached by another name than its base URL says."""
    path = (_PATH.fullmatch(html.unescape(url)) or [None, None])[1] or "/"
    return path if path.startswith(("/incidents/", "/runbooks/")) else html.unescape(url)


def _slack(rendered: Mapping[str, Any]) -> Iterator[Part]:
    yield from _parts(rendered.get("blocks", ()))
    for attachment in rendered.get("attachments", ()):
        color = COLORS.get(attachment.get("color", ""), "grey")
        for part in _parts(attachment.get("blocks", ())):
            yield Part(part.kind, part.text, color)


def _parts(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    for block in blocks:
        if block["type"] in ("section", "header"):
            yield Part(block["type"], mrkdwn(block["text"]["text"]))
        elif block["type"] == "context":
            yield Part("context", Markup(" ").join(mrkdwn(each["text"]) for each in block["elements"]))


def _pressable(rendered: Mapping[str, Any]) -> Iterator[Button]:
    for block in rendered.get("blocks", ()):
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            if element["action_id"] in BUTTONS:
                yield Button(element["text"]["text"], BUTTONS[element["action_id"]])


def _replies(number: int | None, acknowledge: str, escalate: str = "") -> tuple[Button, ...]:
    if number is None:
        return ()
    buttons = [Button(acknowledge.format(number), Verb.ACKNOWLEDGE)]
    return (*buttons, Button(escalate.format(number), Verb.ESCALATE)) if escalate else tuple(buttons)


def _for_all(page: int, worst: int) -> tuple[Button, ...]:
    return (
        Button("Acknowledge all", Verb.ACKNOWLEDGE, page),
        Button(f"Acknowledge {worst} only", Verb.ACKNOWLEDGE),
        Button(f"Escalate {worst}", Verb.ESCALATE),
    )


def _spoken(said: str) -> str:
    return "\n".join(html.unescape(words) for words in _SAY.findall(said))
