"""The words that every channel shares: cleaned, cut and escaped text, and what is said of an incident's state. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from escalation import plan
from escalation.brief import ALERTS_COUNTED_MAX, NO_INCIDENT, Brief, Standing
from escalation.channels.base import Message, Purpose

CUT_MARK = "…"

# Control characters, lone surrogates and the non-characters that XML forbids would break what carries the text;
# the directional marks could make a reader see other words than were sent.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
_SPACE = re.compile(r"\s+")


def one_line(text: str, characters_max: int) -> str:
    """Printable text without line ends, cut with CUT_MARK so that at most `characters_max` characters are left."""
    line = _SPACE.sub(" ", _UNPRINTABLE.sub(" ", text)).strip()
    return line if len(line) <= characters_max else line[: characters_max - 1].rstrip() + CUT_MARK


def paragraphs(text: str, characters_max: int) -> str:
    """Like one_line, with the line ends kept."""
    kept = _UNPRINTABLE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return kept if len(kept) <= characters_max else kept[: characters_max - 1].rstrip() + CUT_MARK


def escaped(text: str, characters_max: int) -> str:
    """`text` with & < > as entities, as Slack and XML both want them; the result has at most `characters_max`.

    It is cut before it is escaped, so that no entity is ever cut in two.
    """
    whole = _escape(text)
    if len(whole) <= characters_max:
        return whole
    kept = ""
    for character in text:
        character = _escape(character)
        if len(kept) + len(character) > characters_max - len(CUT_MARK):
            break
        kept += character
    return kept + CUT_MARK


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sentence(text: str) -> str:
    """`text` ending as a sentence does, so that another can follow it."""
    return text if not text or text[-1] in ".!?…:" else f"{text}."


def moment(at: datetime, now: datetime | None = None) -> str:
    """03:12 UTC; with the date too when `now` is another day, because "at 03:12" would then mislead."""
    at = at.astimezone(UTC)
    day = "" if now is None or now.astimezone(UTC).date() == at.date() else f" on {at:%Y-%m-%d}"
    return f"{at:%H:%M} UTC{day}"


def acted(verb: str, by: str, at: datetime | None, now: datetime | None = None) -> str:
    """acknowledged by Ana Lima at 03:12 UTC; leaves out what is not known."""
    who = f" by {one_line(by, 60)}" if by else ""
    return f"{verb}{who}" + (f" at {moment(at, now)}" if at else "")


def state(standing: Standing, now: datetime | None = None) -> str:
    """The state in one line without a full stop, whatever the channel: who has it, since when, what it waits for."""
    if standing.status in ("resolved", "closed"):
        said = acted("Resolved", standing.resolved_by, standing.resolved_at, now)
        return said if standing.status == "resolved" else f"{said}. Closed"
    if standing.status == "acknowledged":
        said = acted("Acknowledged", standing.acknowledged_by, standing.acknowledged_at, now)
        said += ". Asked whether they still have it" if standing.asked else ""
    else:
        said = "Open, not acknowledged"
    if several := alerts(standing):
        said += f". {several}"
    return f"{said}. Waiting for {one_line(standing.awaiting, 200)}" if standing.awaiting else said


def alerts(standing: Standing) -> str:
    """How many alerts there are, where there are several: "12 alerts, 3 ended"."""
    if standing.alerts < 2:
        return ""
    more = " or more" if standing.alerts >= ALERTS_COUNTED_MAX else ""
    ended = f", {standing.alerts_ended} ended" if standing.alerts_ended else ""
    return f"{standing.alerts}{more} alerts{ended}"


def needs_answer(standing: Standing) -> bool:
    return standing.status not in ("acknowledged", "resolved", "closed")


def asks(message: Message) -> bool:
    """Whether this message wants an acknowledgement: also of somebody who is paged although another has it, and of
    the holder who is asked whether they still do."""
    if needs_answer(message.standing):
        return True
    held = message.purpose is Purpose.PAGE and message.standing.status == "acknowledged"
    return is_asked_again(message) or (held and bool(message.note))


def is_asked_again(message: Message) -> bool:
    """Whether it is the holder who is asked whether they still have it; it must not read like the first page."""
    standing = message.standing
    held = message.purpose is Purpose.PAGE and standing.status == "acknowledged"
    return held and bool(standing.asked) and standing.asked == message.to_name


def is_constitutional(brief: Brief) -> bool:
    return brief.incident_class == "constitutional"


def rank_and_class(brief: Brief) -> str:
    """CRITICAL constitutional; operational goes without saying, as most incidents are."""
    return f"{brief.severity} constitutional" if is_constitutional(brief) else brief.severity


def is_about_an_incident(message: Message) -> bool:
    return message.brief.incident_id != NO_INCIDENT


def speaks_for_itself(message: Message) -> bool:
    """A notification that carries its own words and is not about the incident of its brief, or about any."""
    return (bool(message.note) and message.purpose is not Purpose.PAGE) or not is_about_an_incident(message)


def why_you(message: Message) -> list[str]:
    """To the person it was sent to: that they are paged, at which level, and what is unusual about it; or that they are
    only told, and what comes of it if nobody answers."""
    if message.purpose is Purpose.NOTIFICATION:
        told = _only_told(message.brief) if _is_before_the_levels(message.standing) else ""
        return [told] if told and message.to_name else []
    if message.purpose is not Purpose.PAGE:
        return []
    verb = "are" if asks(message) else "were"
    at_level = f" at level {message.level}" if message.level else ""
    said = [f"You {verb} paged{at_level}."]
    if message.last_resort:
        said.append("You are the last resort: nobody else could be reached.")
    if message.repeat:
        said.append("Sent again, because it is not known whether the first one arrived.")
    if message.note:
        said.append(sentence(one_line(message.note, 500)))
    return said


def _is_before_the_levels(standing: Standing) -> bool:
    return needs_answer(standing) and not standing.level


def _only_told(brief: Brief) -> str:
    """Empty of what pages at once: a keeper who is asked about a halt, say."""
    if brief.severity == "LOW":
        return "You are told, not paged: nobody is woken for it."
    if brief.severity != "MEDIUM":
        return ""
    minutes = plan.MEDIUM_GRACE_SECONDS // 60
    return f"You are told, not paged yet: if nobody acknowledges, paging begins {minutes} minutes later."


def level(message: Message) -> int:
    """That was reached; 0 while people are only told."""
    return max(message.standing.level, message.level if message.purpose is Purpose.PAGE else 0)


HALT_RECOMMENDED = "A halt is recommended. A keeper is asked to decide."
