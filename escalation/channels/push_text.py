"""A message for the services that Apprise reaches: a title, a few lines, and where to answer. Pure.

They show what a locked telephone shows, so the number, the severity and what broke stand in the title.
"""

from __future__ import annotations

from escalation.channels import email_text, many, wording
from escalation.channels.action_links import Actions
from escalation.channels.base import Message

BODY_CHARACTERS_MAX = 1500
SUMMARY_CHARACTERS_MAX = 600
STEP_CHARACTERS_MAX = 120
LISTED_MAX = 10


def title(message: Message) -> str:
    return email_text.subject(message)


def body(message: Message, actions: Actions) -> str:
    """How to answer, where to look and what to do first come before the longer text, and are never cut."""
    brief = message.brief
    link = wording.one_line(brief.url, email_text.URL_CHARACTERS_MAX)
    if wording.speaks_for_itself(message):
        return _fitting([wording.paragraphs(message.note, BODY_CHARACTERS_MAX), link], "")
    if many.is_several(message):
        count = many.count(message)
        lines = [many.line(each, 120) for each in many.briefs(message)[:LISTED_MAX]]
        act = f"Acknowledge all {count}: {actions.acknowledge}" if actions.acknowledge else ""
        return _fitting([" ".join(many.why_you(message)), act], "\n".join([*lines, many.more(message, len(lines))]))
    said = [
        " ".join(wording.why_you(message)),
        f"Acknowledge: {actions.acknowledge}" if actions.acknowledge else "",
        f"Incident {brief.incident_id}: {link}" if link else "",
        f"{wording.sentence(wording.state(message.standing))} Service {wording.one_line(brief.service, 100)}.",
        wording.HALT_RECOMMENDED if brief.halt_recommended else "",
        f"First: {wording.one_line(brief.runbook_steps[0], STEP_CHARACTERS_MAX)}" if brief.runbook_steps else "",
    ]
    return _fitting(said, wording.paragraphs(brief.summary, SUMMARY_CHARACTERS_MAX))


def _fitting(said: list[str], rest: str) -> str:
    head = "\n".join(part for part in said if part)
    left = BODY_CHARACTERS_MAX - len(head) - 2
    return f"{head}\n\n{wording.paragraphs(rest, left)}" if rest.strip() and left > 1 else head
