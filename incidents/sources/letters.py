"""A letter, from its bytes to what it says. Pure.

Nothing that arrives is refused here, and no fault of a letter's form loses it: a part that cannot be read is noted, and
what was in it is kept as text as well as that goes.
"""

from __future__ import annotations

import binascii
import codecs
import email.errors
import email.policy
import email.utils
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from typing import Any, TypeAlias, TypeVar

from incidents.sources import html_text, reading

TEXT_CHARACTERS_MAX = 200_000
HEADERS_MAX = 200
HEADER_CHARACTERS_MAX = 2_000
PARTS_MAX = 200
BOUNDARIES_MAX = 1_000  # lines that could be one
FORM_BYTES_MAX = 4_000  # of a header that says what form something has
DEPTH_MAX = 8  # of parts within parts
ATTACHMENTS_MAX = 50

# What the standard library has been seen to raise, or says that it raises, at letters that are none.
FAULTS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    RecursionError,
    NotImplementedError,
    OverflowError,
    binascii.Error,
    email.errors.MessageError,
)
_POLICY = email.policy.default
# Python knows these as encodings of text, and no letter is written in them.
_NOT_CHARSETS = frozenset({"unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined"})
_LONG_FORM = re.compile(rb"^content-[a-z-]{1,40}:(?:[^\n]|\n[ \t]){%d}" % FORM_BYTES_MAX, re.I | re.M)
_TEXTS = ("text/plain", "text/html")
# Whose letters are no person's and no monitor's. Some mail systems report without the form that is meant for it.
_DAEMONS = ("mailer-daemon@", "mail-daemon@")

Read = TypeVar("Read")
Part: TypeAlias = "Message[Any, Any]"


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str = ""  # one line, decoded
    sender: str = ""  # the address in From, in lower case; empty if there is none
    text: str = ""  # what a person would read of it
    message_id: str = ""  # with its angle brackets; empty: none that could be used
    sent_at: datetime | None = None  # as its Date says
    headers: tuple[tuple[str, str], ...] = ()  # decoded, in order, at most HEADERS_MAX
    attachments: tuple[str, ...] = ()  # "graph.png (image/png, 20481 bytes)"
    notes: tuple[str, ...] = ()  # what could not be read
    is_report: bool = False  # of a delivery, or that something was read
    digest: str = ""  # of all its bytes

    def header(self, name: str) -> str:
        """The first of this name; empty if there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    @property
    def answers_by_itself(self) -> bool:
        """An absence notice or its like. Monitors call their letters `auto-generated`, which is another thing."""
        return (
            self.header("Auto-Submitted").lower().startswith("auto-replied")
            or self.header("Precedence").lower() == "auto_reply"
            or any(self.header(name) for name in ("X-Autoreply", "X-Autorespond"))
        )


@dataclass(slots=True)
class _Found:
    texts: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    parts: int = 0


def read(data: bytes) -> Letter:
    """Never refuses, whatever the bytes."""
    digest = hashlib.sha256(data).hexdigest()
    notes: list[str] = []
    if data.count(b"\n--") + data.count(b"\r--") > BOUNDARIES_MAX or _LONG_FORM.search(data):
        # The parser would take minutes, which somebody might want: its text is kept as it came.
        notes.append("its form is too intricate to be read")
        data = _LONG_FORM.sub(b"X-Intricate: ", data.replace(b"\n--", b"\n- ").replace(b"\r--", b"\r- "))
    try:
        message = message_from_bytes(data, policy=_POLICY)
    except FAULTS as fault:
        notes.append(f"its form could not be read ({_name(fault)})")
        return Letter(text=_bounded(_decoded(data)), notes=tuple(notes), digest=digest)
    headers = tuple(_headers(message))
    letter = Letter(headers=headers, digest=digest)
    sender = _address(letter.header("From"))
    found = _Found(notes=notes)
    try:
        _take(message, found, 0)
    except FAULTS as fault:
        found.notes.append(f"a part of it could not be read ({_name(fault)})")
    text = "\n\n".join(filter(None, (each.strip("\n").rstrip() for each in found.texts)))
    if not text.strip() and found.notes:  # better a riddle than nothing
        text = _decoded(data.partition(b"\r\n\r\n")[2] or data.partition(b"\n\n")[2] or data)
    return Letter(
        subject=letter.header("Subject"),
        sender=sender,
        text=_bounded(text),
        message_id=_message_id(letter.header("Message-ID")),
        sent_at=_moment(letter.header("Date")),
        headers=headers,
        attachments=tuple(found.attachments[:ATTACHMENTS_MAX]),
        notes=tuple(dict.fromkeys(found.notes)),
        is_report=sender.startswith(_DAEMONS) or (_kind(message) == "multipart/report" and _is_receipt(message)),
        digest=digest,
    )


def _headers(message: Part) -> Iterator[tuple[str, str]]:
    for name, value in list(message.raw_items())[:HEADERS_MAX]:
        yield reading.name_of(str(name)), _header(str(value))


def _header(raw: str) -> str:
    """Decoded, on one line. Bytes that it may not hold are read as a body's would be."""
    whole = _as_text(raw[: HEADER_CHARACTERS_MAX * 4]).replace("\r", "").replace("\n", "")
    try:
        # As unstructured text: a Subject's rules fit every header that is only shown, and fail at none.
        decoded = str(_POLICY.header_factory("Subject", whole)) if "=?" in whole else whole
    except FAULTS:
        decoded = whole
    return reading.cut(reading.one_line(reading.clean(_as_text(decoded))), HEADER_CHARACTERS_MAX)


def _as_text(text: str) -> str:
    """Bytes that came as lone surrogates become what they most likely are."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _decoded(text.encode("utf-8", "surrogateescape") if _escapes(text) else text.encode("utf-8", "replace"))
    return text


def _escapes(text: str) -> bool:
    return all(0xDC80 <= ord(each) <= 0xDCFF for each in text if 0xD800 <= ord(each) <= 0xDFFF)


def _decoded(data: bytes, charset: str = "") -> str:
    """As declared; else UTF-8, or Windows-1252, which is what undeclared bytes are where they are not UTF-8."""
    for name in filter(None, (charset, "utf-8-sig")):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace")


def _take(part: Part, found: _Found, depth: int) -> None:
    found.parts += 1
    if found.parts > PARTS_MAX or depth > DEPTH_MAX:
        found.notes.append("it has more parts than are read")
        return
    kind = _kind(part)
    inside: Any = part.get_payload()
    if kind == "message/rfc822" and isinstance(inside, list):
        for each in inside:
            _take_forwarded(each, found, depth)
    elif isinstance(inside, list):
        if kind == "multipart/alternative":
            _take_one_of(inside, found, depth)
        else:
            for each in inside:
                _take(each, found, depth + 1)
    elif kind.startswith(("multipart/", "message/rfc822")):
        found.notes.append("its parts could not be told apart")
        found.texts.append(_text(part, "text/plain", found))
    elif kind in ("message/delivery-status", "text/rfc822-headers") or (kind in _TEXTS and not _is_attached(part)):
        found.texts.append(_text(part, kind, found))
    else:
        found.attachments.append(_attachment(part, kind))


def _take_one_of(parts: list[Part], found: _Found, depth: int) -> None:
    """The same thing several times: the plain text if there is any in it, else the richest that can be read."""
    tried = []
    for each in sorted(parts, key=lambda part: _kind(part) != "text/plain"):
        attempt = _Found(parts=found.parts)
        _take(each, attempt, depth + 1)
        found.parts = attempt.parts
        tried.append(attempt)
    best = next((each for each in tried if any(text.strip() for text in each.texts)), tried[0] if tried else _Found())
    found.texts += best.texts
    found.attachments += [name for attempt in tried for name in attempt.attachments]
    found.notes += best.notes


def _take_forwarded(message: Message, found: _Found, depth: int) -> None:
    headers = dict(_headers(message))
    shown = [f"{name}: {headers[name]}" for name in ("From", "Date", "Subject") if headers.get(name)]
    found.texts.append("\n".join(["---------- Forwarded message ----------", *shown]))
    _take(message, found, depth + 1)


def _text(part: Part, kind: str, found: _Found) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "surrogateescape")
    charset = _charset(part, found)
    text = reading.clean(_decoded(data, charset))
    return html_text.text(text) if kind == "text/html" else text


def _charset(part: Part, found: _Found) -> str:
    declared = _safely(lambda: str(part.get_param("charset") or ""), "")
    if not declared:
        return ""
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        name = ""
    if not name or name in _NOT_CHARSETS:
        found.notes.append(
            f"it says that it is written in {reading.cut(reading.name_of(declared), 40)}, which is unknown"
        )
        return ""
    # Who says Latin-1 means Windows-1252, and who says ASCII and is wrong may mean anything.
    return {"iso8859-1": "cp1252", "ascii": ""}.get(name, name)


def _kind(part: Part) -> str:
    return _safely(part.get_content_type, "text/plain")


def _is_attached(part: Part) -> bool:
    return _safely(lambda: part.get_content_disposition() or "", "") == "attachment"


def _is_receipt(message: Part) -> bool:
    kind = _safely(lambda: str(message.get_param("report-type") or ""), "").lower()
    return kind in ("delivery-status", "disposition-notification", "")


def _attachment(part: Part, kind: str) -> str:
    payload = part.get_payload(decode=True)
    size = len(payload) if isinstance(payload, bytes) else 0
    name = reading.name_of(_as_text(_safely(lambda: part.get_filename() or "", ""))) or "without a name"
    return f"{name} ({reading.name_of(kind)}, {size} bytes)"


def _address(written: str) -> str:
    _, address = _safely(lambda: email.utils.parseaddr(written), ("", ""))
    return address.lower() if "@" in address else ""


def _message_id(written: str) -> str:
    """Only one that may be written into an answer as it is."""
    identifier = written.strip()
    sound = identifier[:1] == "<" and identifier[-1:] == ">" and identifier.isascii() and identifier.isprintable()
    sound = sound and not set("<> ") & set(identifier[1:-1])
    return identifier if sound and 3 < len(identifier) <= 250 else ""


def _moment(written: str) -> datetime | None:
    found = _safely(lambda: email.utils.parsedate_to_datetime(written).isoformat(), "")
    return reading.moment(found)


def _bounded(text: str) -> str:
    return reading.cut(reading.clean(text), TEXT_CHARACTERS_MAX)


def _safely(read_part: Callable[[], Read], otherwise: Read) -> Read:
    try:
        return read_part()
    except FAULTS:
        return otherwise


def _name(fault: BaseException) -> str:
    return type(fault).__name__
