"""A message as e-mail: subject, plain text and HTML. Pure.

The first lines say why it came and where to answer; all else can be read later. The HTML has no pictures, scripts or
remote styles: it must read the same on a telephone without network.
"""

from __future__ import annotations

import html
from datetime import UTC

from escalation.brief import Brief
from escalation.channels import action_links, many, wording
from escalation.channels.action_links import Actions
from escalation.channels.base import Message, Purpose

SUBJECT_CHARACTERS_MAX = 150
SUMMARY_CHARACTERS_MAX = 5000
STEPS_SHOWN = 10
URL_CHARACTERS_MAX = 2000

_COLORS = {"CRITICAL": "#c62828", "HIGH": "#c62828", "MEDIUM": "#b26a00"}
_MUTED = "color:#555"


def subject(message: Message) -> str:
    """Page 42 CRITICAL constitutional: Hash chain broken."""
    if wording.speaks_for_itself(message):
        return wording.one_line(f"Tocsin: {message.subject or message.note}", SUBJECT_CHARACTERS_MAX)
    brief = message.brief
    kind = "Page" if message.purpose is Purpose.PAGE else "Tocsin"
    if wording.is_asked_again(message):
        kind = "Still on it? Page"
    if many.is_several(message):
        return wording.one_line(f"{kind}: {many.headline(message)}", SUBJECT_CHARACTERS_MAX)
    rank = wording.rank_and_class(brief)
    return wording.one_line(f"{kind} {brief.incident_id} {rank}: {brief.title}", SUBJECT_CHARACTERS_MAX)


def plain(message: Message, actions: Actions = action_links.NONE) -> str:
    """`actions`: the addresses that act, which ask before they do."""
    brief = message.brief
    if wording.speaks_for_itself(message):
        note = wording.paragraphs(message.note, SUMMARY_CHARACTERS_MAX)
        return "\n\n".join(part for part in (note, _url(brief.url)) if part) + "\n"
    if many.is_several(message):
        return _plain_list(message, actions)
    said = [
        " ".join(wording.why_you(message)),
        f"Acknowledge incident {brief.incident_id} (it asks you first):\n{actions.acknowledge}"
        if actions.acknowledge
        else "",
        _how_to_answer(message, actions),
        f"{_call_to_act(message, actions)}:\n{_url(brief.url)}" if brief.url else "",
        f"Escalate it now:\n{actions.escalate}" if actions.escalate else "",
        "\n".join([f"{brief.incident_id} {wording.rank_and_class(brief)}", wording.one_line(brief.title, 1024)]),
        wording.HALT_RECOMMENDED if brief.halt_recommended else "",
        "\n".join(f"{name}: {value}" for name, value in _facts(message)),
        _runbook_as_text(brief),
        f"Details:\n{wording.paragraphs(brief.summary, SUMMARY_CHARACTERS_MAX)}" if brief.summary else "",
    ]
    return "\n\n".join(part for part in said if part) + "\n"


def rich(message: Message, actions: Actions = action_links.NONE) -> str:
    """A whole HTML document with inline styles only."""
    brief = message.brief
    if wording.speaks_for_itself(message):
        note = wording.paragraphs(message.note, SUMMARY_CHARACTERS_MAX)
        return _document(_paragraph(note) + _button(brief.url, "Open in Tocsin"))
    if many.is_several(message):
        return _document(_rich_list(message, actions))
    why_you = " ".join(wording.why_you(message))
    color = _COLORS.get(brief.severity, "#555")
    rank = html.escape(f"{brief.incident_id} {wording.rank_and_class(brief)}")
    facts = "".join(
        f'<tr><td style="padding:2px 12px 2px 0;{_MUTED}">{html.escape(name)}</td><td>{html.escape(value)}</td></tr>'
        for name, value in _facts(message)
    )
    said = [
        f"<p><strong>{html.escape(why_you)}</strong></p>" if why_you else "",
        _button(actions.acknowledge, f"Acknowledge incident {brief.incident_id}"),
        _paragraph(_how_to_answer(message, actions)),
        _button(brief.url, _call_to_act(message, actions)),
        _link(actions.escalate, "Escalate it now"),
        f'<p style="margin-bottom:0;font-weight:bold;color:{color}">{rank}</p>',
        f'<h1 style="margin-top:0;font-size:20px">{html.escape(wording.one_line(brief.title, 1024))}</h1>',
        f"<p><strong>{html.escape(wording.HALT_RECOMMENDED)}</strong></p>" if brief.halt_recommended else "",
        f"<table>{facts}</table>",
        _runbook_as_html(brief),
        _paragraph(wording.paragraphs(brief.summary, SUMMARY_CHARACTERS_MAX)),
    ]
    return _document("".join(said))


def _plain_list(message: Message, actions: Actions) -> str:
    shown = many.briefs(message)[: many.LISTED_IN_LETTER_MAX]
    lines = [f"{many.line(each)}\n{_url(each.url)}".rstrip() for each in shown]
    rest = many.more(message, len(shown))
    at_once = (
        f"Acknowledge all {many.count(message)} (it asks you first):\n{actions.acknowledge}"
        if actions.acknowledge
        else ""
    )
    said = [
        " ".join(many.why_you(message)),
        at_once,
        _how_to_answer(message, actions),
        "Open each to acknowledge it:",
        *lines,
        rest,
    ]
    return "\n\n".join(part for part in said if part) + "\n"


def _rich_list(message: Message, actions: Actions) -> str:
    shown = many.briefs(message)[: many.LISTED_IN_LETTER_MAX]
    items = ""
    for each in shown:
        words = html.escape(many.line(each))
        link = f'<a href="{html.escape(_url(each.url))}">{words}</a>' if _is_web(each.url) else words
        items += f'<li style="margin-bottom:8px">{link}</li>'
    rest = many.more(message, len(shown))
    why_you = html.escape(" ".join(many.why_you(message)))
    at_once = _button(actions.acknowledge, f"Acknowledge all {many.count(message)}")
    return (
        f"<p><strong>{why_you}</strong></p>{at_once}{_paragraph(_how_to_answer(message, actions))}<p>Open each to acknowledge it:</p><ul>{items}</ul>"
        + _paragraph(rest)
    )


def _call_to_act(message: Message, actions: Actions) -> str:
    asks = wording.asks(message) and not actions.acknowledge
    return f"Open incident {message.brief.incident_id}" + (" to acknowledge it" if asks else "")


def _how_to_answer(message: Message, actions: Actions) -> str:
    if not actions.by_letter or not wording.asks(message):
        return ""
    if message.others:
        return "You may also reply to this letter: ACK ALL on the first line takes all of them."
    return "You may also reply to this letter, with ACK, ESCALATE, or RESOLVE and why on the first line."


def _facts(message: Message) -> list[tuple[str, str]]:
    brief, standing = message.brief, message.standing
    level = wording.level(message)
    facts = [
        ("State", wording.state(standing)),
        ("Service", wording.one_line(brief.service, 200)),
        ("Level", f"{level}, phase: {standing.phase}" if level else f"phase: {standing.phase}"),
        ("Opened", f"{brief.opened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
        ("Why", wording.one_line(brief.reason, 1000)),
    ]
    return [(name, value) for name, value in facts if value]


def _runbook_as_text(brief: Brief) -> str:
    if not (brief.runbook_title or brief.runbook_steps):
        return ""
    lines = [f"Runbook: {wording.one_line(brief.runbook_title, 200)}", _url(brief.runbook_url)]
    lines += [
        f"{i}. {wording.one_line(step, 500)}" for i, step in enumerate(brief.runbook_steps[:STEPS_SHOWN], start=1)
    ]
    if brief.emergency_title:
        lines += [f"Emergency runbook: {wording.one_line(brief.emergency_title, 200)}", _url(brief.emergency_url)]
    return "\n".join(line for line in lines if line)


def _runbook_as_html(brief: Brief) -> str:
    if not (brief.runbook_title or brief.runbook_steps):
        return ""
    title = html.escape(wording.one_line(brief.runbook_title, 200))
    named = f'<a href="{html.escape(_url(brief.runbook_url))}">{title}</a>' if _is_web(brief.runbook_url) else title
    steps = "".join(
        f"<li>{html.escape(wording.one_line(step, 500))}</li>" for step in brief.runbook_steps[:STEPS_SHOWN]
    )
    return f"<p><strong>Runbook:</strong> {named}</p><ol>{steps}</ol>{_emergency_as_html(brief)}"


def _emergency_as_html(brief: Brief) -> str:
    title = html.escape(wording.one_line(brief.emergency_title, 200))
    named = f'<a href="{html.escape(_url(brief.emergency_url))}">{title}</a>' if _is_web(brief.emergency_url) else title
    return f"<p><strong>Emergency runbook:</strong> {named}</p>" if title else ""


def _button(url: str, label: str) -> str:
    if not _is_web(url):
        return ""
    style = (
        "display:inline-block;padding:12px 20px;background:#1a1a1a;color:#fff;text-decoration:none;border-radius:4px"
    )
    return f'<p><a href="{html.escape(_url(url))}" style="{style}">{html.escape(label)}</a></p>'


def _link(url: str, label: str) -> str:
    return f'<p><a href="{html.escape(_url(url))}">{html.escape(label)}</a></p>' if _is_web(url) else ""


def _paragraph(text: str) -> str:
    return f'<p style="white-space:pre-wrap">{html.escape(text)}</p>' if text else ""


def _url(url: str) -> str:
    return wording.one_line(url, URL_CHARACTERS_MAX)


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _document(body: str) -> str:
    style = "font-family:sans-serif;font-size:16px;line-height:1.4;max-width:640px"
    return f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><body style="{style}">{body}</body></html>\n'
