"""What a telephone call says, and the XML answers to Twilio's requests. Pure.

A call has no screen: the number is read digit by digit, everything is said twice, and one key is enough to answer.
Nobody but a person presses keys, so a mailbox that picks up acknowledges nothing.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

from escalation.channels import many, text, wording
from escalation.channels.base import Message, Purpose

TWIML_CHARACTERS_MAX = 4000  # Twilio's limit for the Twiml parameter of a call
SPOKEN_TITLE_MAX = 200  # about 15 seconds: the keys are told after it
SPOKEN_NOTE_MAX = 300
SPOKEN_OF_MANY_TITLE_MAX = 150
SPOKEN_NAME_MAX = 100
SPOKEN_SERVICE_MAX = 100
SPOKEN_ANSWER_MAX = 1500
GATHER_SECONDS = 8  # after the words, before the call gives up

ACKNOWLEDGE_KEY = "1"
ESCALATE_KEY = "2"
REPEAT_KEY = "*"
MENU = "Press 1 to acknowledge. Press 2 to escalate. Press star to hear this again."
MENU_FOR_ALL = "Press 1 to acknowledge all {}. Press 2 to escalate the worst. Press star to hear this again."

_HEADER = '<?xml version="1.0" encoding="UTF-8"?>'


def call(message: Message, action_url: str) -> str:
    """What is said when the telephone is answered; keys go to `action_url` as a POST with `Digits`.

    Never over TWIML_CHARACTERS_MAX while `action_url` has at most 1000 characters.
    """
    said = " ".join(_spoken(message))
    if not _asks(message):
        return f'{_HEADER}<Response><Say loop="2">{said}</Say></Response>'
    menu = MENU_FOR_ALL.format(many.count(message)) if many.is_several(message) else MENU
    action = quoteattr(wording.one_line(action_url, 1000))
    return (
        f'{_HEADER}<Response><Gather numDigits="1" timeout="{GATHER_SECONDS}" method="POST" action={action}>'
        f'<Say loop="2">{said} {menu}</Say></Gather>'
        "<Say>No key was pressed. This page is not acknowledged. Goodbye.</Say></Response>"
    )


def call_answer(sentence: str, number: int | None = None) -> str:
    """Says `sentence` and hangs up; `number` within it is read digit by digit."""
    said = wording.one_line(sentence, SPOKEN_ANSWER_MAX)
    if number is not None:
        said = re.sub(rf"(?<![\d:.-]){number}(?![\d:-])", digits(number), said)
    return f"{_HEADER}<Response><Say>{wording.escaped(said, SPOKEN_ANSWER_MAX)}</Say><Hangup/></Response>"


def sms_answer(sentence: str) -> str:
    """The answer to a text message that came in; nothing is sent where there is nothing to say."""
    if not sentence:
        return f"{_HEADER}<Response/>"
    body = wording.escaped(text.sms_answer(sentence), SPOKEN_ANSWER_MAX)
    return f"{_HEADER}<Response><Message>{body}</Message></Response>"


def digits(number: int) -> str:
    """4 2, which is heard as two digits and not as forty-two."""
    return " ".join(str(number))


def _asks(message: Message) -> bool:
    """Whether there is something to acknowledge; a page always asks, whatever its incident's state."""
    if wording.speaks_for_itself(message):
        return False
    return message.purpose is Purpose.PAGE or wording.needs_answer(message.standing)


def _spoken(message: Message) -> list[str]:
    brief = message.brief
    to = _escaped(message.to_name, SPOKEN_NAME_MAX)
    greeting = f"Tocsin, paging {to}." if to else "Tocsin page."
    note = wording.sentence(_escaped(message.note, SPOKEN_NOTE_MAX))
    if wording.speaks_for_itself(message):
        return [f"Tocsin, for {to}." if to else "Tocsin.", note]
    if many.is_several(message):
        return _spoken_of_many(message, greeting)
    rank = brief.severity.capitalize() + (", constitutional" if wording.is_constitutional(brief) else "")
    service = _escaped(brief.service, SPOKEN_SERVICE_MAX)
    said = [
        greeting if message.purpose is Purpose.PAGE else greeting.replace("paging", "for"),
        f"{_escaped(rank, 60)}.",
        f"Incident {digits(brief.incident_id)}.",
        wording.sentence(_escaped(brief.title, SPOKEN_TITLE_MAX)),
        note,
        wording.HALT_RECOMMENDED if brief.halt_recommended else "",
        f"Service {service}." if service else "",
        f"Escalation level {message.level}." if message.level else "",
        "You are the last resort: nobody else could be reached." if message.last_resort else "",
        "This call is repeated, in case the first one did not arrive." if message.repeat else "",
    ]
    if message.purpose is not Purpose.PAGE:
        said.append(wording.sentence(_escaped(wording.state(message.standing), SPOKEN_SERVICE_MAX)))
    return [words for words in said if words]


def _spoken_of_many(message: Message, greeting: str) -> list[str]:
    said = [
        greeting if message.purpose is Purpose.PAGE else greeting.replace("paging", "for"),
        *(_escaped(words, SPOKEN_TITLE_MAX) for words in many.spoken(message, SPOKEN_OF_MANY_TITLE_MAX)),
        "You are the last resort: nobody else could be reached." if message.last_resort else "",
        "This call is repeated, in case the first one did not arrive." if message.repeat else "",
    ]
    return [words for words in said if words]


def _escaped(words: str, characters_max: int) -> str:
    return wording.escaped(wording.one_line(words, characters_max), characters_max)
