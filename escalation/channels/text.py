"""A message as a text message and as a line for a terminal. Pure.

A text message is read on a locked screen at 3 a.m.: number, severity and what broke come first, and the words to
answer with come last and are never cut.
"""

from __future__ import annotations

from escalation.brief import Brief
from escalation.channels import gsm7, many, wording
from escalation.channels.base import Message, Purpose

SMS_PARTS_MAX = 2
SMS_CHARACTERS_MAX = SMS_PARTS_MAX * gsm7.JOINED_PART_CHARACTERS
NOTE_CHARACTERS_MAX = 100
SERVICE_CHARACTERS_MAX = 40
STATE_CHARACTERS_MAX = 80


def sms(message: Message) -> str:
    """At most SMS_PARTS_MAX parts of GSM-7, one where that holds the title; a page ends with the words to answer with.

    `Tocsin 42 CRITICAL const: Hash chain broken at sequence 48211. event-store, L2. Reply ACK 42`
    The service, how many alerts it has and then the link are there only where they cost no further part and nothing of the title.
    """
    brief = message.brief
    link = brief.url if gsm7.spell(brief.url) == brief.url else ""
    if wording.speaks_for_itself(message):
        said = gsm7.cut(f"Tocsin: {gsm7.spell(message.note)}", SMS_CHARACTERS_MAX)
        return f"{said} {link}" if link and _costs_no_part(said, f"{said} {link}") else said
    if many.is_several(message):
        return many.sms(message, SMS_CHARACTERS_MAX)
    title = _title(brief)
    said = _line(message, title)
    if len(said) > SMS_CHARACTERS_MAX:
        return _line(message, gsm7.cut(title, len(title) - (len(said) - SMS_CHARACTERS_MAX)))
    service = _service(brief)
    several = wording.alerts(message.standing)
    for fuller in (
        _line(message, title, service=service),
        _line(message, title, service=service, several=several),
        _line(message, title, service=service, several=several, link=link),
    ):
        if _costs_no_part(said, fuller):
            said = fuller
    return said


def sms_answer(sentence: str) -> str:
    """An answer to somebody's text message, cut to SMS_PARTS_MAX parts of GSM-7."""
    return gsm7.cut(gsm7.spell(sentence), SMS_CHARACTERS_MAX)


def console_line(message: Message) -> str:
    """One line for a terminal: to whom, why, and the incident."""
    brief = message.brief
    to = f" to {wording.one_line(message.to_name, 60)}" if message.to_name else ""
    at_level = f" at level {message.level}" if message.level else ""
    marks = (" (last resort)" if message.last_resort else "") + (" (sent again)" if message.repeat else "")
    said = f"{message.purpose.value}{to}{at_level}{marks}"
    if wording.speaks_for_itself(message):
        return f"{said}: {wording.one_line(message.note, 500)}"
    if many.is_several(message):
        return f"{said}: {many.headline(message)}"
    title = wording.one_line(brief.title, 200)
    return f"{said}: {brief.incident_id} {wording.rank_and_class(brief)} {title} [{wording.state(message.standing)}]"


def _line(message: Message, title: str, *, service: str = "", several: str = "", link: str = "") -> str:
    """Who speaks, which incident and how bad; what; where and why you; how to answer."""
    brief = message.brief
    rank = f"{brief.severity} const" if wording.is_constitutional(brief) else brief.severity
    note = gsm7.cut(gsm7.spell(message.note), NOTE_CHARACTERS_MAX)
    where = [service] if service else []
    if message.purpose is Purpose.PAGE:
        where += [f"L{message.level}"] if message.level else []
        where += ["LAST RESORT"] if message.last_resort else []
        where += ["sent again"] if message.repeat else []
    said = [
        gsm7.spell(f"Tocsin {brief.incident_id} {rank}:"),
        wording.sentence(note),
        wording.sentence(title),
        "Halt recommended." if brief.halt_recommended else "",
        wording.sentence(", ".join(where)),
        wording.sentence(several),
        link,
        _how_to_answer(message),
    ]
    return " ".join(words for words in said if words)


def _how_to_answer(message: Message) -> str:
    number = message.brief.incident_id
    if message.purpose is Purpose.PAGE:
        return f"Reply ACK {number}"
    if wording.needs_answer(message.standing):
        return f"To take it reply ACK {number}"
    return gsm7.cut(gsm7.spell(wording.state(message.standing)), STATE_CHARACTERS_MAX)


def _title(brief: Brief) -> str:
    title = gsm7.spell(brief.title).rstrip(" .")
    return title if any(character.isalnum() for character in title) else many.NO_LATIN_TITLE


def _service(brief: Brief) -> str:
    """Empty where the title names it already."""
    service = gsm7.cut(gsm7.spell(brief.service), SERVICE_CHARACTERS_MAX)
    return "" if service.casefold() in gsm7.spell(brief.title).casefold() else service


def _costs_no_part(said: str, fuller: str) -> bool:
    return gsm7.parts(fuller) == gsm7.parts(said)
