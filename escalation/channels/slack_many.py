"""One Slack message about several incidents: the list, worst first, and one button for all of it. Pure."""

from __future__ import annotations

from typing import Any

from escalation.brief import Brief
from escalation.channels import many, slack_parts, wording
from escalation.channels.base import Message, Purpose

ACKNOWLEDGE_ALL = "tocsin.acknowledge_all"
TITLE_CHARACTERS_MAX = 150


def render(message: Message) -> dict[str, Any]:
    listed = many.briefs(message)[: many.LISTED_MAX]
    lines = [f"• {_line(each)}" for each in listed]
    rest = many.more(message, len(listed))
    blocks = [
        slack_parts.section(f"*{wording.escaped(' '.join(many.why_you(message)), 700)}*"),
        slack_parts.section("\n".join([*lines, f"… {rest}"] if rest else lines)),
    ]
    if message.page_id is not None:
        button = slack_parts.button(f"Acknowledge all {many.count(message)}", ACKNOWLEDGE_ALL, str(message.page_id))
        blocks.append({"type": "actions", "elements": [button | {"style": "primary"}]})
    note = f"One by one: /incident ack {message.brief.incident_id}. What is open now: /incident list"
    return {"text": push_text(message), "blocks": [*blocks, slack_parts.context(note)], "attachments": []}


def push_text(message: Message) -> str:
    paged = "You are paged: " if message.purpose is Purpose.PAGE else ""
    return wording.escaped(f"{paged}{many.headline(message)}", slack_parts.TEXT_CHARACTERS_MAX)


def plain_text(message: Message) -> str:
    """The same message without blocks, with the words to type in place of the button."""
    lines = [wording.escaped(many.line(each), 400) for each in many.briefs(message)[1 : many.LISTED_MAX]]
    ask = "Type /incident ack all to acknowledge everything that you were told of."
    return "\n".join([push_text(message), *lines, ask])


def _line(brief: Brief) -> str:
    said = wording.escaped(many.line(brief, TITLE_CHARACTERS_MAX), 200)
    link = slack_parts.link(brief.url, f"{brief.incident_id}")
    return said.replace(str(brief.incident_id), link, 1) if link else said
