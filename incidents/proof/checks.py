"""What must be true of stored entries. Pure: from the values as they are stored, whatever they are by now.

Nothing stored is believed: the bytes are built anew from the columns, every digest is computed anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from incidents.proof import chain

OPENED = "incident.opened"  # every incident's first entry


class Check(StrEnum):
    """What failed."""

    UNREADABLE = "unreadable"  # a column holds what no entry can
    HASH = "hash"  # the entry is not what was hashed
    PAYLOAD = "payload"
    GLOBAL_HASH = "global hash"
    SUPERSEDES = "supersedes"
    DUPLICATE = "duplicate"  # a number stands twice, or out of order
    GAP = "gap"  # numbers are missing
    PREV = "prev"  # the link to the entry before it in the incident
    GLOBAL_PREV = "global prev"  # the link to the entry before it in the record
    TIME = "time"  # recorded before the entry that precedes it
    OPENED = "opened"  # an incident does not begin with its opening
    INCIDENT = "incident"  # entries about an incident that is not there
    NOTED = "noted"  # the record does not contain what was noted of it earlier


@dataclass(frozen=True, slots=True)
class Problem:
    """One check that failed. `global_seq` None: no entry is at fault, one is missing."""

    check: Check
    detail: str  # a sentence
    global_seq: int | None = None
    incident: int | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row of the timeline whose values are of the kinds they should be."""

    header: chain.Header
    text: str
    payload: str
    salt: bytes
    canonical: bytes
    entry_hash: str
    global_prev: str
    global_hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """As much of an entry as its incident's chain is made of."""

    global_seq: int
    incident: int
    seq: int
    kind: str
    prev: str
    entry_hash: str


COLUMNS = (
    *("global_seq", "incident_id", "seq", "occurred_at", "recorded_at", "actor", "actor_kind", "kind", "text"),
    *("payload", "salt", "payload_sha256", "supersedes", "prev", "global_prev", "canonical", "entry_hash"),
    "global_hash",
)
LINK_COLUMNS = ("global_seq", "incident_id", "seq", "kind", "prev", "entry_hash")


def read(row: Mapping[str, Any]) -> StoredEntry | Problem:
    """`row` maps COLUMNS to what the driver gave: nothing is taken for granted about it."""
    try:
        return StoredEntry(
            header=chain.Header(
                incident=_integer(row, "incident_id"),
                seq=_integer(row, "seq"),
                global_seq=_integer(row, "global_seq"),
                occurred_at=_moment(row, "occurred_at"),
                recorded_at=_moment(row, "recorded_at"),
                actor=_text(row, "actor"),
                actor_kind=_text(row, "actor_kind"),
                kind=_text(row, "kind"),
                payload_sha256=_text(row, "payload_sha256"),
                supersedes=None if row["supersedes"] is None else _integer(row, "supersedes"),
                prev=_text(row, "prev"),
            ),
            text=_text(row, "text"),
            payload=_text(row, "payload"),
            salt=_octets(row, "salt"),
            canonical=_octets(row, "canonical"),
            entry_hash=_text(row, "entry_hash"),
            global_prev=_text(row, "global_prev"),
            global_hash=_text(row, "global_hash"),
        )
    except ValueError as wrong:
        numbers = [row[name] if isinstance(row[name], int) else None for name in ("global_seq", "incident_id", "seq")]
        return Problem(Check.UNREADABLE, str(wrong), *numbers)


def read_link(row: Mapping[str, Any]) -> Link | None:
    """`row` maps LINK_COLUMNS. None where `read` finds the entry unreadable."""
    numbers = [row[name] for name in ("global_seq", "incident_id", "seq")]
    texts = [row[name] for name in ("kind", "prev", "entry_hash")]
    if all(isinstance(number, int) for number in numbers) and all(isinstance(words, str) for words in texts):
        return Link(*numbers, *texts)
    return None


def contents(entry: StoredEntry) -> Iterator[Problem]:
    """The entry by itself: it is what was hashed, and its digests are those of what it holds."""
    try:
        rebuilt = chain.canonical(entry.header)
    except ValueError as wrong:
        yield _problem(Check.HASH, entry, f"its columns have no canonical form: {wrong}")
    else:
        if rebuilt != entry.canonical:
            yield _problem(Check.HASH, entry, _difference(rebuilt, entry.canonical))
    if chain.entry_hash(entry.canonical) != entry.entry_hash:
        yield _problem(Check.HASH, entry, "its hash is not the hash of its bytes")
    if len(entry.salt) != chain.SALT_BYTES:
        yield _problem(Check.PAYLOAD, entry, f"its salt is {len(entry.salt)} bytes long, not {chain.SALT_BYTES}")
    if chain.payload_sha256(entry.salt, entry.payload) != entry.header.payload_sha256:
        yield _problem(Check.PAYLOAD, entry, "its payload is not the one that was recorded")
    elif _payload_text(entry.payload) != entry.text:
        yield _problem(Check.PAYLOAD, entry, "its text is not the text in its payload")
    if chain.global_hash(entry.global_prev, entry.entry_hash) != entry.global_hash:
        yield _problem(Check.GLOBAL_HASH, entry, "its place in the record is not the one that was hashed")
    corrected = entry.header.supersedes
    if corrected is not None and not 0 < corrected < entry.header.global_seq:
        yield _problem(Check.SUPERSEDES, entry, f"it corrects entry {corrected}, which is not before it")


def global_link(before: StoredEntry | None, entry: StoredEntry) -> Iterator[Problem]:
    """The entry follows the one before it in the record; `before` None: it is the first."""
    last, number = (before.header.global_seq if before else 0), entry.header.global_seq
    for check, detail in _numbering(last, number, "of the record"):
        yield _problem(check, entry, detail)
    if number == last + 1 and entry.global_prev != (before.global_hash if before else chain.GENESIS):
        yield _problem(Check.GLOBAL_PREV, entry, "it does not follow the entry before it in the record")
    if before and entry.header.recorded_at < before.header.recorded_at:
        yield _problem(Check.TIME, entry, "it was recorded earlier than the entry before it")


def incident_link(before: Link | None, link: Link) -> Iterator[Problem]:
    """The entry follows the one before it in its incident; `before` None: it is the first."""
    where = (link.global_seq, link.incident, link.seq)
    last = before.seq if before else 0
    for check, detail in _numbering(last, link.seq, f"of incident {link.incident}"):
        yield Problem(check, detail, *where)
    if link.seq == last + 1 and link.prev != (before.entry_hash if before else chain.GENESIS):
        yield Problem(Check.PREV, "it does not follow the entry before it in its incident", *where)
    if link.seq == 1 and link.kind != OPENED:
        yield Problem(Check.OPENED, f"its incident begins with {link.kind}, not with {OPENED}", *where)


def _numbering(last: int, number: int, of: str) -> Iterator[tuple[Check, str]]:
    if number <= last:
        yield Check.DUPLICATE, f"number {number} {of} stands after {last}"
    elif number == last + 2:
        yield Check.GAP, f"entry {last + 1} {of} is missing before it"
    elif number > last + 2:
        yield Check.GAP, f"entries {last + 1} to {number - 1} {of} are missing before it"


def _problem(check: Check, entry: StoredEntry, detail: str) -> Problem:
    return Problem(check, detail, entry.header.global_seq, entry.header.incident, entry.header.seq)


def _difference(rebuilt: bytes, stored: bytes) -> str:
    """Which fields, as far as the stored bytes can still be read."""
    ours = json.loads(rebuilt)
    try:
        theirs = json.loads(stored)
    except ValueError:
        theirs = None
    if not isinstance(theirs, dict):
        return "the bytes that were hashed are damaged"
    names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    if not names:
        return "the bytes that were hashed are damaged"
    return f"what it says now differs from what was hashed: {', '.join(names)}"


def _payload_text(payload: str) -> str | None:
    try:
        found = json.loads(payload)
    except ValueError:
        return None
    text = found.get("text") if isinstance(found, dict) else None
    return text if isinstance(text, str) else None


def _integer(row: Mapping[str, Any], name: str) -> int:
    value = row[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"its {name} is not a number")
    return value


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise ValueError(f"its {name} is not text")
    return value


def _octets(row: Mapping[str, Any], name: str) -> bytes:
    value = row[name]
    if not isinstance(value, bytes | memoryview):
        raise ValueError(f"its {name} is not bytes")
    return bytes(value)


def _moment(row: Mapping[str, Any], name: str) -> datetime:
    value = row[name]  # PostgreSQL gives a time, SQLite the text it keeps
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime):
        raise ValueError(f"its {name} is not a time")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
