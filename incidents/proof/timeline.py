"""The timeline: what happened to each incident, appended and never changed.

`append` only collects; nothing touches the database until `write`, which the database calls last before a commit.
So the lock that serialises the chain is the last one taken and is held for the commit alone, and a transaction that
rolls back leaves no trace and no gap.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import CompoundSelect, Row, Table, bindparam, insert, select, text, union_all
from sqlalchemy.orm import Session, SessionTransaction

from config import clock
from incidents.proof import chain, plain
from incidents.proof.models import TimelineEntry

TIMELINE_LOCK = 0x746F6373_74696D65  # "tocstime": PostgreSQL's advisory locks are named by a number
ACTOR_KINDS = frozenset({"responder", "source", "engine", "program"})
ACTOR_LIMIT_CHARACTERS = 200
KIND = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")
KIND_LIMIT_CHARACTERS = 64
FACTS_LIMIT_BYTES = 65_536
INCIDENTS_LIMIT = 100  # of one transaction; a transaction is meant to be about one
READ_LIMIT = 500

_COLLECTED = "tocsin_timeline"
_TABLE = cast(Table, TimelineEntry.__table__)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the whole record stands: publish it, and nobody can rewrite what was before it unnoticed."""

    global_seq: int  # also how many entries there are
    global_hash: str


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry before it has its place in the chain."""

    incident_id: int
    kind: str
    text: str
    payload: str
    salt: bytes
    occurred_at: datetime
    actor: str
    actor_kind: str
    supersedes: int | None


@dataclass(slots=True)
class _Collected:
    transaction: SessionTransaction
    entries: list[Noted] = field(default_factory=list)


def append(
    session: Session,
    incident_id: int,
    kind: str,
    text: str,
    *,
    occurred_at: datetime,
    actor: str = "tocsin",
    actor_kind: str = "engine",
    payload: Mapping[str, Any] | None = None,
    supersedes: int | None = None,
) -> None:
    """Notes one entry, to be written when the transaction commits. Fulfils `escalation.journal.Journal`.

    `payload` holds text, integers, booleans, and lists and maps of them; over-long text is cut with a mark.
    `supersedes` is the global_seq of the entry that this one corrects. Raises TypeError or ValueError for what can
    only be a slip in the calling code, and RuntimeError inside a savepoint: its rollback would not reach the entry.
    """
    if session.in_nested_transaction():
        raise RuntimeError(f"{kind} was appended inside a savepoint; append after it")
    if not KIND.fullmatch(kind) or len(kind) > KIND_LIMIT_CHARACTERS:
        raise ValueError(f"{kind!r} is not a dotted kind such as incident.opened")
    if actor_kind not in ACTOR_KINDS:
        raise ValueError(f"{actor_kind!r} is not one of {', '.join(sorted(ACTOR_KINDS))}")
    if occurred_at.tzinfo is None:
        raise TypeError(f"{occurred_at!r} has no time zone; times in Tocsin are aware and UTC")
    sentence = plain.text(text)
    entry = Noted(
        incident_id=incident_id,
        kind=str.__str__(kind),
        text=sentence,
        payload=_payload(sentence, payload or {}),
        salt=secrets.token_bytes(chain.SALT_BYTES),
        occurred_at=occurred_at,
        actor=plain.text(actor, ACTOR_LIMIT_CHARACTERS),
        actor_kind=str.__str__(actor_kind),
        supersedes=supersedes,
    )
    transaction = session.get_transaction() or session.begin()
    collected = session.info.get(_COLLECTED)
    if collected is None or collected.transaction is not transaction:
        collected = session.info[_COLLECTED] = _Collected(transaction)
    collected.entries.append(entry)


def collected(session: Session) -> Sequence[Noted]:
    """What this transaction has noted and not written yet."""
    there = session.info.get(_COLLECTED)
    return there.entries if there is not None and there.transaction is session.get_transaction() else ()


def _payload(sentence: str, facts: Mapping[str, Any]) -> str:
    payload = chain.payload(sentence, plain.facts(facts))
    size_bytes = len(payload.encode())
    if size_bytes > FACTS_LIMIT_BYTES:
        return chain.payload(sentence, {"cut": f"{size_bytes} bytes of facts, left out"})
    return payload


def write(session: Session, read_clock: Callable[[], datetime] = clock.now) -> None:
    """Writes what the transaction collected; called by the database as the last thing before it commits.

    Two statements, and on PostgreSQL the lock before them. `recorded_at` never runs backwards: where the clocks of
    two machines differ, the later entry takes the time of the one before it.
    """
    collected = session.info.pop(_COLLECTED, None)
    if collected is None or collected.transaction is not session.get_transaction():
        return
    if session.get_bind().dialect.name == "postgresql":
        # A statement of its own: the next one must see what the previous holder of the lock committed.
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": TIMELINE_LOCK})
    entries: list[Noted] = collected.entries
    heads = _heads(session, sorted({entry.incident_id for entry in entries}))
    session.execute(insert(_TABLE), _chained(entries, heads, read_clock()))


def _chained(entries: Sequence[Noted], heads: Sequence[Row[Any]], now: datetime) -> list[dict[str, Any]]:
    last = max(heads, key=lambda head: int(head.global_seq), default=None)
    global_seq, global_prev = (last.global_seq, last.global_hash) if last else (0, chain.GENESIS)
    recorded_at = max(now, last.recorded_at) if last else now
    links: dict[int, tuple[int, str]] = {head.incident_id: (head.seq, head.entry_hash) for head in heads}
    rows = []
    for entry in entries:
        global_seq += 1
        seq, prev = links.get(entry.incident_id, (0, chain.GENESIS))
        payload_sha256 = chain.payload_sha256(entry.salt, entry.payload)
        header = chain.Header(
            incident=entry.incident_id,
            seq=seq + 1,
            global_seq=global_seq,
            occurred_at=entry.occurred_at,
            recorded_at=recorded_at,
            actor=entry.actor,
            actor_kind=entry.actor_kind,
            kind=entry.kind,
            payload_sha256=payload_sha256,
            supersedes=entry.supersedes,
            prev=prev,
        )
        canonical = chain.canonical(header)
        entry_hash = chain.entry_hash(canonical)
        global_hash = chain.global_hash(global_prev, entry_hash)
        rows.append(
            {
                "global_seq": global_seq,
                "incident_id": entry.incident_id,
                "seq": header.seq,
                "occurred_at": entry.occurred_at,
                "recorded_at": recorded_at,
                "actor": entry.actor,
                "actor_kind": entry.actor_kind,
                "kind": entry.kind,
                "text": entry.text,
                "payload": entry.payload,
                "salt": entry.salt,
                "payload_sha256": payload_sha256,
                "supersedes": entry.supersedes,
                "prev": prev,
                "global_prev": global_prev,
                "canonical": canonical,
                "entry_hash": entry_hash,
                "global_hash": global_hash,
            }
        )
        links[entry.incident_id], global_prev = (header.seq, entry_hash), global_hash
    return rows


def _heads(session: Session, incident_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The last entry of each incident that has one, and the last of all."""
    if len(incident_ids) > INCIDENTS_LIMIT:
        raise ValueError(f"one transaction reports on {len(incident_ids)} incidents; at most {INCIDENTS_LIMIT}")
    parameters = {f"incident_{n}": incident_id for n, incident_id in enumerate(incident_ids)}
    return session.execute(_heads_statement(len(incident_ids)), parameters).all()


@lru_cache(maxsize=INCIDENTS_LIMIT)
def _heads_statement(incidents: int) -> CompoundSelect[Any]:
    # Each from the end of an index: the cost does not grow with the record, nor with an incident's length.
    column = _TABLE.c
    head = select(
        column.global_seq,
        column.incident_id,
        column.seq,
        column.entry_hash,
        column.global_hash,
        column.recorded_at,
    ).limit(1)
    of_all = head.order_by(column.global_seq.desc())
    of_incidents = [
        head.where(column.incident_id == bindparam(f"incident_{n}")).order_by(column.seq.desc())
        for n in range(incidents)
    ]
    return union_all(*(select(each.subquery()) for each in (of_all, *of_incidents)))


def entries(
    session: Session, incident_id: int, *, after_seq: int = 0, limit: int = READ_LIMIT
) -> Sequence[TimelineEntry]:
    """An incident's entries in order, those after `after_seq`."""
    statement = (
        select(TimelineEntry)
        .where(TimelineEntry.incident_id == incident_id, TimelineEntry.seq > after_seq)
        .order_by(TimelineEntry.seq)
        .limit(min(limit, READ_LIMIT))
    )
    return session.scalars(statement).all()


def head(session: Session) -> Head:
    """The end of the whole record; of an empty one, zero and the genesis hash."""
    statement = (
        select(TimelineEntry.global_seq, TimelineEntry.global_hash).order_by(TimelineEntry.global_seq.desc()).limit(1)
    )
    row = session.execute(statement).first()
    return Head(row.global_seq, row.global_hash) if row else Head(0, chain.GENESIS)
