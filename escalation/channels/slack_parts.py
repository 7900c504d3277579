"""The pieces that Slack messages are made of. Pure.

Everything that came from outside is escaped, and `verbatim` keeps Slack from making mentions or links of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from escalation.channels import wording

Block = dict[str, Any]

TEXT_CHARACTERS_MAX = 4000
SECTION_CHARACTERS_MAX = 3000
NAME_CHARACTERS_MAX = 150  # a service, a person, a runbook's title
URL_CHARACTERS_MAX = 1000

_MEMBER = re.compile(r"[UW][A-Z0-9]{2,20}")


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "verbatim": True, "text": text}}


def context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "verbatim": True, "text": text}]}


def button(label: str, action_id: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "value": value, "text": plain(label)}


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def link(url: str, label: str) -> str:
    """A Slack link; empty if the address is not one for a browser or could break out of the brackets."""
    if not re.fullmatch(rf"https?://[^\s<>|]{{1,{URL_CHARACTERS_MAX}}}", url):
        return ""
    return f"<{url.replace('&', '&amp;')}|{wording.escaped(label, 2 * NAME_CHARACTERS_MAX).replace('|', '/')}>"


def mentioned(members: Sequence[str]) -> str:
    """Mentions of these member ids; what is no id names nobody."""
    return " ".join(f"<@{each}>" for each in members if _MEMBER.fullmatch(each))
