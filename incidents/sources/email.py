"""A monitoring system's letter: one alert, whatever form it has. Pure.

- **Which alert** it is about says the address, behind a plus (`KEY+disk@…`), else the subject without what says how it
  stands (`subjects`).
- **How it stands** says the subject; without a word of recovery it fires.
- **How bad** it is says a line `Severity: …` of the text, else the subject, else X-Priority or Importance.

Absence notices and reports of deliveries are refused; `Auto-Submitted: auto-generated` is what monitors write.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from escalation.channels.reply_addresses import ORIGIN
from incidents.severity import Severity
from incidents.sources import generic, letters, reading, subjects
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError
from incidents.sources.letters import Letter

NAME = "email"
FIRST_LINE_CHARACTERS_MAX = 200
AHEAD_MAX = timedelta(hours=1)  # a Date later than that is a clock that is wrong

# They name the address that the letter came to, and the key is in it.
_ADDRESSED_TO = (
    "to cc bcc resent-to resent-cc delivered-to x-delivered-to x-original-to envelope-to x-envelope-to x-rcpt-to "
    "x-forwarded-to apparently-to list-unsubscribe reply-to"
)
_ADDRESSED = frozenset(_ADDRESSED_TO.split())
_FOR_WHOM = re.compile(r"\bfor\s+\S+@\S+")
_LINK = re.compile(r"https?://[^\s<>\"'\]\[(){}|\\^`]{4,2000}", re.I)
_NO_SOURCE = re.compile(r"unsubscribe|\.(?:png|gif|jpe?g|svg|css)(?:$|\?)|w3\.org/", re.I)
_SAID_SEVERITY = re.compile(r"^[ \t>*]*(?:severity|priority)[ \t*]*[:=][ \t*]*([A-Za-z0-9]+)[ \t*]*$", re.I | re.M)


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert; none for what asks for nobody. `payload` is the letter's bytes, or {letter, tag, senders, origin}: `tag`
    is what stood behind the plus of the address it came to, `senders` whose letters alone are taken."""
    tag, senders, origin = "", (), ""
    if isinstance(payload, Mapping):
        tag, senders = reading.text_of(payload.get("tag")), payload.get("senders") or ()
        origin = reading.text_of(payload.get("origin"))
        payload = payload.get("letter")
    if isinstance(payload, str):
        payload = payload.encode("utf-8", "surrogatepass")
    if not isinstance(payload, bytes):
        raise PayloadRefusedError("", "must be a letter: its headers, an empty line, and its text")
    return of_letter(letters.read(payload), tag, now, senders=senders, origin=origin)


def of_letter(
    letter: Letter, tag: str, now: datetime, *, senders: Sequence[str] = (), origin: str = ""
) -> list[IncomingAlert]:
    """Raises PayloadRefusedError for what no monitor wrote, or none of `senders` did: patterns such as `*@example.org`
    of what From says, which anybody can write there. What the Tocsin at `origin` wrote itself is refused too: where an
    address of somebody it pages leads back to it, each page would open an incident that pages again."""
    if origin and letter.header(ORIGIN) == origin:
        raise PayloadRefusedError("", "it is a letter of this Tocsin's own; an address that it pages leads back to it")
    if letter.is_report or letter.answers_by_itself:
        what = "a report of a delivery" if letter.is_report else "an automatic answer"
        raise PayloadRefusedError("", f"it is {what} and no alert; let the sender's own address receive those")
    if senders and not any(fnmatch.fnmatchcase(letter.sender, str(pattern)) for pattern in senders):
        said = letter.sender or "nobody"
        raise PayloadRefusedError("from", f"it is from {said}, whose letters this integration does not take")
    subject = subjects.read(letter.subject or _first_line(letter.text))
    if subject.status is None:
        return []
    sender = letter.sender or "somebody who does not say"
    title, body = reading.compose(
        subject.title or f"A letter without subject or text, from {sender}", letter.text, notes=_notes(letter)
    )
    about = reading.clean(tag).strip().casefold() or subject.about or f"from {sender}"
    firing = subject.status is AlertStatus.FIRING
    links = reading.links(*(reading.link(found) for found in _addresses(letter.text)))
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(about),
            status=subject.status,
            title=title,
            body=body,
            severity_hint=_severity(letter, subject.severity) if firing else None,
            labels=reading.labels({"from": letter.sender, "tag": tag} if tag else {"from": letter.sender}),
            links=links,
            started_at=letter.sent_at if letter.sent_at and letter.sent_at < now + AHEAD_MAX else None,
            url=links[0].href if links else "",
            raw=kept(letter),
        )
    ]


def kept(letter: Letter) -> dict[str, Any]:
    """Its headers and its text, without the addresses that its key is in."""
    headers: dict[str, str] = {}
    for name, value in letter.headers:
        plain = name.lower()
        shown = reading.WITHHELD if plain in _ADDRESSED else _FOR_WHOM.sub("for (withheld)", value)
        headers[name] = f"{headers[name]}\n{shown}" if name in headers else shown
    return {
        "headers": reading.received(headers),
        "text": letter.text,
        "attachments": list(letter.attachments),
        "notes": list(letter.notes),
    }


def shown(data: bytes) -> dict[str, Any]:
    """The same of bytes, for whoever sets a sender up."""
    return kept(letters.read(data))


def _first_line(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    return reading.cut(reading.one_line(line), FIRST_LINE_CHARACTERS_MAX)


def _notes(letter: Letter) -> list[str]:
    found = [f"Of this letter: {each}." for each in letter.notes]
    return [*found, f"Attached: {', '.join(letter.attachments)}."] if letter.attachments else found


def _severity(letter: Letter, by_subject: Severity | None) -> Severity | None:
    said = _SAID_SEVERITY.search(letter.text)
    if said and (found := generic.SEVERITIES.get(said[1].casefold())):
        return found
    if by_subject:
        return by_subject
    urgent = letter.header("X-Priority").strip()[:1] in ("1", "2") or "high" in (
        letter.header("Importance").strip().lower(),
        letter.header("X-MSMail-Priority").strip().lower(),
    )
    return Severity.HIGH if urgent or letter.header("Priority").strip().lower() == "urgent" else None


def _addresses(text: str) -> list[str]:
    found = [match[0].rstrip(".,;:!?*'\"") for match in _LINK.finditer(text[: letters.TEXT_CHARACTERS_MAX])]
    return [each for each in found if not _NO_SOURCE.search(each)][: reading.LINKS_MAX]
