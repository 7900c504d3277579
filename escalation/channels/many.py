"""One message about several incidents: how many, the worst of them, and how to take them all. Pure.

The worst comes first everywhere, so that whoever reads or hears no more than the beginning knows how bad it is.
"""

from __future__ import annotations

from escalation.brief import Brief
from escalation.channels import gsm7, wording
from escalation.channels.base import Message, Purpose

SMS_WORST_TITLE_MAX = 90
SMS_OTHER_TITLE_MAX = 36
LISTED_MAX = 10  # incidents in a Slack message and on the telephone's lock screen
LISTED_IN_LETTER_MAX = 50
SPOKEN_MAX = 3
NO_LATIN_TITLE = "title not in Latin letters"


def is_several(message: Message) -> bool:
    return bool(message.others)


def briefs(message: Message) -> tuple[Brief, ...]:
    return (message.brief, *message.others)


def count(message: Message) -> int:
    return 1 + len(message.others)


def headline(message: Message) -> str:
    """12 incidents, worst: 42 CRITICAL constitutional: Hash chain broken"""
    return f"{count(message)} incidents, worst: {line(message.brief)}"


def line(brief: Brief, title_max: int = 200) -> str:
    """42 CRITICAL constitutional: Hash chain broken"""
    return f"{brief.incident_id} {wording.rank_and_class(brief)}: {wording.one_line(brief.title, title_max)}"


def more(message: Message, shown: int) -> str:
    """`and 7 more`; empty when all were shown."""
    left = count(message) - shown
    return f"and {left} more" if left > 0 else ""


def why_you(message: Message) -> list[str]:
    """To the person it was sent to: that they are paged, and what is unusual about it."""
    number = count(message)
    if message.purpose is not Purpose.PAGE:
        return [f"There are {number} incidents for you to know of."]
    said = [f"You are paged for {number} incidents."]
    if message.last_resort:
        said.append("For some of them you are the last resort: nobody else could be reached.")
    if message.repeat:
        said.append("Some are sent again, because it is not known whether the first message arrived.")
    return said


def sms(message: Message, characters_max: int) -> str:
    """`Tocsin: 12 incidents. Worst 42 CRITICAL const: Hash chain broken. Also 43 HIGH: …; and 10 more. Reply ACK ALL
    or ACK 42`, with as many of them as fit; the words to answer with are never cut."""
    answer = f"ACK ALL or ACK {message.brief.incident_id}"
    answer = f"Reply {answer}" if message.purpose is Purpose.PAGE else f"To take them reply {answer}"
    marks = ["LAST RESORT"] if message.last_resort else []
    marks += ["Some sent again"] if message.repeat else []
    head = f"Tocsin: {count(message)} incidents. Worst {_sms_line(message.brief, SMS_WORST_TITLE_MAX)}"
    said = [wording.sentence(each) for each in (head, *marks)]
    also: list[str] = []
    whole = ""
    for other in (None, *message.others):
        also += [_sms_line(other, SMS_OTHER_TITLE_MAX)] if other else []
        listed = [f"Also {'; '.join(also)}"] if also else []
        rest = more(message, 1 + len(also))
        tail = wording.sentence("; ".join([*listed, rest] if rest and listed else listed))
        longer = " ".join(words for words in (*said, tail, answer) if words)
        if whole and len(longer) > characters_max:
            break
        whole = longer
    return whole


def spoken(message: Message, title_max: int) -> list[str]:
    """What is said of the incidents on the telephone; unescaped."""
    said = [f"{count(message)} incidents."]
    for place, brief in enumerate(briefs(message)[:SPOKEN_MAX]):
        rank = brief.severity.capitalize() + (", constitutional" if wording.is_constitutional(brief) else "")
        number = " ".join(str(brief.incident_id))
        title = wording.sentence(wording.one_line(brief.title, title_max))
        said.append(f"{'The worst: ' if place == 0 else 'Then: '}{rank}. Incident {number}. {title}")
    rest = more(message, SPOKEN_MAX)
    return [*said, f"{rest.capitalize()}."] if rest else said


def _sms_line(brief: Brief, title_max: int) -> str:
    rank = f"{brief.severity} const" if wording.is_constitutional(brief) else brief.severity
    title = gsm7.cut(gsm7.spell(brief.title).rstrip(" ."), title_max)
    return f"{gsm7.spell(f'{brief.incident_id} {rank}')}: {title if any(map(str.isalnum, title)) else NO_LATIN_TITLE}"
