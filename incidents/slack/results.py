"""What comes of something done in Slack, before it is known how it will be shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from escalation.channels.slack_parts import Block


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence for whoever did it, alone; `blocks` lay the same out, escaped already."""

    sentence: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Show:
    """A modal: opened, or in the place of the one it was asked for in."""

    view: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refuse:
    """A form that is not accepted: what is wrong, by field."""

    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, and the living message shows it: there is nothing to say."""


Result = Say | Show | Refuse | Done
