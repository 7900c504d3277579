"""A message as Slack shows it: Block Kit, the coloured state line, and the text of the push notification. Pure.

Everything that came from outside is escaped, and `verbatim` keeps Slack from making mentions or links of it. Slack's
limits: header 150, section 3000, text 4000 characters, and about 13,000 for all blocks of a message.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from escalation.brief import Brief, Standing
from escalation.channels import many, slack_many, slack_parts, wording
from escalation.channels.base import Message, Purpose
from escalation.channels.slack_parts import NAME_CHARACTERS_MAX, SECTION_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, Block

HEADER_CHARACTERS_MAX = 150
SUMMARY_CHARACTERS_MAX = 700
REASON_CHARACTERS_MAX = 500
STEP_CHARACTERS_MAX = 250
STEPS_SHOWN = 3

RED, AMBER, GREEN, GREY = "#c62828", "#daa038", "#2e9e6b", "#8d8d8d"

ACKNOWLEDGE = "tocsin.acknowledge"
RESOLVE = "tocsin.resolve"
MORE = "tocsin.more"
APPROVE = "tocsin.approve"
DECLINE = "tocsin.decline"


def render(message: Message) -> dict[str, Any]:
    """`text`, `blocks` and `attachments` for chat.postMessage and chat.update."""
    if wording.speaks_for_itself(message):
        note = wording.escaped(wording.paragraphs(message.note, SECTION_CHARACTERS_MAX), SECTION_CHARACTERS_MAX)
        link = slack_parts.link(message.brief.url, "Open in Tocsin")
        return {
            "text": wording.escaped(wording.one_line(message.note, TEXT_CHARACTERS_MAX), TEXT_CHARACTERS_MAX),
            "blocks": [slack_parts.section(note), *([slack_parts.context(link)] if link else [])],
            "attachments": [],
        }
    if many.is_several(message):
        return slack_many.render(message)
    return {
        "text": push_text(message),
        "blocks": _blocks(message),
        "attachments": [_details(message)],
    }


def push_text(message: Message) -> str:
    """What a telephone's lock screen shows, and what is sent if Slack refuses the blocks."""
    brief, standing = message.brief, message.standing
    paged = "You are paged: " if message.purpose is Purpose.PAGE and wording.asks(message) else ""
    what = f"{brief.incident_id} {wording.rank_and_class(brief)}: {wording.one_line(brief.title, 1024)}"
    return wording.escaped(f"{paged}{what}. {wording.state(standing)}.", TEXT_CHARACTERS_MAX)


def escaped_text(sentence: str) -> str:
    return wording.escaped(wording.paragraphs(sentence, TEXT_CHARACTERS_MAX), TEXT_CHARACTERS_MAX)


def plain_text(message: Message) -> str:
    """The same message without blocks, with the words to type in place of the buttons."""
    if wording.speaks_for_itself(message):
        return "\n".join(
            line for line in (escaped_text(message.note), slack_parts.link(message.brief.url, "Open in Tocsin")) if line
        )
    if many.is_several(message):
        return slack_many.plain_text(message)
    number = message.brief.incident_id
    link = slack_parts.link(message.brief.url, f"Open incident {number}")
    ask = f"Type /incident ack {number} to acknowledge." if wording.asks(message) else ""
    return "\n".join(line for line in (push_text(message), ask, link) if line)


def color(brief: Brief, standing: Standing) -> str:
    """Red: somebody is wanted. Amber: somebody has it. Green: over. Grey: it waits, for approvals or for the morning."""
    if standing.status in ("resolved", "closed"):
        return GREEN
    if standing.status == "acknowledged":
        return GREY if standing.awaiting else AMBER
    held_for_office_hours = standing.level == 0 and brief.severity in ("LOW", "INFO")
    return GREY if held_for_office_hours else RED


def _blocks(message: Message) -> list[Block]:
    """What must be seen without scrolling: why you, what broke, and the buttons."""
    brief = message.brief
    why_you = " ".join(wording.why_you(message))
    blocks = [slack_parts.section(f"*{wording.escaped(why_you, 700)}*")] if why_you else []
    blocks += [_header(brief), _facts(message)]
    if paged := slack_parts.mentioned(message.mentions):
        blocks.append(slack_parts.section(f"*Paged:* {paged}"))
    if brief.halt_recommended:
        blocks.append(slack_parts.section(f"*{wording.HALT_RECOMMENDED}*"))
    if message.standing.status not in ("resolved", "closed"):
        blocks.append(_buttons(brief, message.standing, asks=wording.asks(message)))
    return blocks


def _details(message: Message) -> Block:
    """The part beside the coloured bar: the state, and what to read next. Slack may fold it when it is long."""
    brief = message.brief
    state = wording.escaped(wording.state(message.standing), 600)
    blocks = [slack_parts.section(f"*{state}*")]
    summary = wording.paragraphs(brief.summary, SUMMARY_CHARACTERS_MAX)
    if summary and summary != brief.title:
        blocks.append(slack_parts.section(_quoted(summary)))
    if brief.reason:
        blocks.append(slack_parts.section(f"*Why:* {_escaped(brief.reason, REASON_CHARACTERS_MAX)}"))
    if brief.runbook_title or brief.runbook_steps:
        blocks.append(_runbook(brief))
    opened_at = brief.opened_at.astimezone(UTC)
    blocks.append(slack_parts.context(f"Tocsin incident {brief.incident_id}, opened {opened_at:%Y-%m-%d %H:%M} UTC"))
    return {"color": color(brief, message.standing), "fallback": state, "blocks": blocks}


def _header(brief: Brief) -> Block:
    text = f"{brief.incident_id} {brief.severity}: {wording.one_line(brief.title, HEADER_CHARACTERS_MAX)}"
    return {
        "type": "header",
        "text": {"type": "plain_text", "emoji": False, "text": wording.escaped(text, HEADER_CHARACTERS_MAX)},
    }


def _facts(message: Message) -> Block:
    brief, standing = message.brief, message.standing
    level = wording.level(message)
    facts = [f"*{_escaped(f'{brief.incident_class.capitalize()} {brief.severity}', 80)}*"]
    facts += [_escaped(brief.service, NAME_CHARACTERS_MAX)] if brief.service else []
    facts += [f"level {level}"] if level else []
    facts += [f"{_escaped(standing.phase, 40)} phase"] if standing.phase else []
    lines = [" · ".join(facts)]
    if len(wording.one_line(brief.title, 2000)) > HEADER_CHARACTERS_MAX // 2:
        lines.insert(0, _escaped(brief.title, 1500))  # a telephone's header shows few words of a long title
    if link := slack_parts.link(brief.url, f"Open incident {brief.incident_id}"):
        lines.append(link)
    return slack_parts.section("\n".join(lines))


def _runbook(brief: Brief) -> Block:
    title = wording.one_line(brief.runbook_title, NAME_CHARACTERS_MAX) or "the steps"
    lines = [
        f"*Runbook:* {slack_parts.link(brief.runbook_url, title) or wording.escaped(title, 2 * NAME_CHARACTERS_MAX)}"
    ]
    lines += [
        f"{number}. {_escaped(step, STEP_CHARACTERS_MAX)}"
        for number, step in enumerate(brief.runbook_steps[:STEPS_SHOWN], start=1)
    ]
    more = len(brief.runbook_steps) - STEPS_SHOWN
    if more > 0:
        lines.append(f"… and {more} more {'step' if more == 1 else 'steps'}")
    if brief.emergency_title:
        emergency = wording.one_line(brief.emergency_title, NAME_CHARACTERS_MAX)
        named = slack_parts.link(brief.emergency_url, emergency) or wording.escaped(emergency, 2 * NAME_CHARACTERS_MAX)
        lines.append(f"*Emergency runbook:* {named}")
    return slack_parts.section("\n".join(lines))


def _buttons(brief: Brief, standing: Standing, *, asks: bool) -> Block:
    """Resolving asks for the reason in a modal, so that a slip of the thumb ends nothing."""
    number = str(brief.incident_id)
    elements = [slack_parts.button("Resolve", RESOLVE, number), slack_parts.button("More…", MORE, number)]
    if asks:
        elements.insert(0, slack_parts.button("Acknowledge", ACKNOWLEDGE, number) | {"style": "primary"})
    if standing.awaiting:
        elements += decisions(number)
    return {"type": "actions", "block_id": f"incident:{number}", "elements": elements}


def decisions(number: str) -> list[Block]:
    """For keepers, while a request stands. Who may not decide is told so when they press."""
    return [slack_parts.button("Approve…", APPROVE, number), slack_parts.button("Decline…", DECLINE, number)]


def _quoted(text: str) -> str:
    """Slack quotes lines that begin with a real > character."""
    return "\n".join(f">{line}" for line in wording.escaped(text, SUMMARY_CHARACTERS_MAX * 2).splitlines())


def _escaped(text: str, characters_max: int) -> str:
    return wording.escaped(wording.one_line(text, characters_max), characters_max)
