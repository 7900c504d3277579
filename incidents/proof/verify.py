"""Checks the whole record against itself, and against the incidents it is about.

Everything is read in one snapshot and streamed, so memory stays the same however long the record is. Entries are
walked twice: in the order of the record, where each is checked by itself and against the one before it, and in the
order of the incidents, where each incident's own chain is.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import column, exists, select, table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from config.database import Database
from incidents.proof import chain, checks
from incidents.proof.checks import Check, Link, Problem, StoredEntry
from incidents.proof.report import Verification
from incidents.proof.timeline import Head

BATCH = 500
PROBLEMS_KEPT = 100

# Untyped, so that what is stored arrives as it is: a damaged time must become a finding, not an exception.
_ENTRIES = table("timeline_entries", *(column(name) for name in checks.COLUMNS))
_INCIDENTS = table("incidents", column("id"))


@dataclass(slots=True)
class _Tally:
    entries: int = 0
    incidents: int = 0
    first_seq: int | None = None
    last_seq: int | None = None
    head: str = chain.GENESIS
    noted_found: bool = False
    problems: int = 0
    unreadable: str = ""


def run(database: Database, *, noted: Head | None = None) -> Verification:
    """Checks everything. `noted` is a head that was written down earlier, outside this database: the record must
    still contain it, and then nothing up to it was rewritten or removed since.
    """
    tally = _Tally()
    with database.reading() as session:
        found = heapq.nsmallest(PROBLEMS_KEPT, _counted(_problems(session, tally, noted), tally), key=_place)
    return Verification(
        entries=tally.entries,
        incidents=tally.incidents,
        first_seq=tally.first_seq,
        last_seq=tally.last_seq,
        head=tally.head,
        noted_seq=noted.global_seq if noted and tally.noted_found else 0,
        problems=tuple(found),
        problem_count=tally.problems,
        unreadable=tally.unreadable,
    )


def _counted(problems: Iterator[Problem], tally: _Tally) -> Iterator[Problem]:
    try:
        for problem in problems:
            tally.problems += 1
            yield problem
    except SQLAlchemyError as failure:
        cause = getattr(failure, "orig", None) or failure
        tally.unreadable = str(cause).strip().splitlines()[0]


def _place(problem: Problem) -> float:
    return math.inf if problem.global_seq is None else problem.global_seq


def _problems(session: Session, tally: _Tally, noted: Head | None) -> Iterator[Problem]:
    _take_snapshot(session)
    yield from _in_order_of_the_record(session, tally, noted)
    yield from _in_order_of_the_incidents(session, tally)
    yield from _incidents_without_entries(session)


def _take_snapshot(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(text("SET LOCAL statement_timeout = 0"))  # a long record takes its time


def _in_order_of_the_record(session: Session, tally: _Tally, noted: Head | None) -> Iterator[Problem]:
    before: StoredEntry | None = None
    linked = True  # what comes after an unreadable entry has nothing to be compared with
    for row in _streamed(session, select(_ENTRIES).order_by(_ENTRIES.c.global_seq)):
        tally.entries += 1
        entry = checks.read(row)
        if isinstance(entry, Problem):
            yield entry
            linked = False
            continue
        tally.first_seq = entry.header.global_seq if tally.first_seq is None else tally.first_seq
        tally.last_seq, tally.head = entry.header.global_seq, entry.global_hash
        tally.noted_found |= noted == Head(entry.header.global_seq, entry.global_hash)
        yield from checks.contents(entry)
        if linked:
            yield from checks.global_link(before, entry)
        before, linked = entry, True
    if noted and noted.global_seq and not tally.noted_found:
        yield Problem(
            Check.NOTED,
            f"the noted head, record {noted.global_seq} · {noted.global_hash}, is not in it: entries were removed or rewritten",
        )


def _in_order_of_the_incidents(session: Session, tally: _Tally) -> Iterator[Problem]:
    entries = _ENTRIES.c
    statement = (
        select(*(entries[name] for name in checks.LINK_COLUMNS), _INCIDENTS.c.id.label("found_incident"))
        .outerjoin(_INCIDENTS, _INCIDENTS.c.id == entries.incident_id)
        .order_by(entries.incident_id, entries.seq, entries.global_seq)
    )
    before: Link | None = None
    for row in _streamed(session, statement):
        link = checks.read_link(row)
        if link is None:
            continue
        if before is None or before.incident != link.incident:
            before = None
            tally.incidents += 1
            if row["found_incident"] is None:
                detail = f"the incident it is about, {link.incident}, is not in the database"
                yield Problem(Check.INCIDENT, detail, link.global_seq, link.incident, link.seq)
        yield from checks.incident_link(before, link)
        before = link


def _incidents_without_entries(session: Session) -> Iterator[Problem]:
    recorded = exists().where(_ENTRIES.c.incident_id == _INCIDENTS.c.id)
    for row in _streamed(session, select(_INCIDENTS).where(~recorded).order_by(_INCIDENTS.c.id)):
        yield Problem(Check.OPENED, "none of its entries is in the record", incident=row["id"])


def _streamed(session: Session, statement: Select[Any]) -> Iterator[Mapping[str, Any]]:
    result = session.execute(statement, execution_options={"yield_per": BATCH})
    try:
        for row in result:
            yield row._asdict()
    finally:
        result.close()
