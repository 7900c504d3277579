"""An incident's timeline as its review needs it: the entries, what can be read out of them, and whether they hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from incidents.proof import checks
from incidents.proof.checks import Link, Problem, StoredEntry
from incidents.proof.report import Verdict, describe
from incidents.reviews.record import ApprovalFact, EntryFact, NoteFact, OverrideFact, SeverityChange

ENTRIES_MAX = 5_000  # that a review holds
BATCH = 1_000
# What a monitor may say every minute for weeks, and a storm a thousand times: kinds of which, one after another, few need
# to be read.
ALIKE = {"alert.repeated": "again", "alert.settling": "again", "alert.joined": "joined"}
LEFT_OUT = {
    "alert.repeated": "an alert was reported again",
    "alert.settling": "an alert that comes and goes was said to have ended",
    "alert.joined": "an alert joined the incident",
}
PROBLEMS_TOLD_MAX = 10
TAKES = ("incident.acknowledged", "incident.taken_over")  # a person has it from then on
ANSWERS = ("acknowledgement.counted", "holder.answered")

# Untyped, as verification reads it: a damaged entry must become a sentence in the review, not an exception.
_ENTRIES = table("timeline_entries", *(column(name) for name in checks.COLUMNS))


@dataclass(frozen=True, slots=True)
class Answer:
    by: str  # their name
    at: datetime
    via: str  # the channel; "" if it is not known
    takes: bool  # they have the incident by it


@dataclass(frozen=True, slots=True)
class Chronicle:
    entries: tuple[EntryFact, ...]
    integrity: Mapping[str, Any]
    omissions: tuple[str, ...]


def read(session: Session, incident_id: int) -> Chronicle:
    """The entries, each checked by itself and against the one before it: the first ENTRIES_MAX of those a review needs.
    Of repeats one after another it needs the first and the last, or what people did would not fit beside them."""
    entries: list[EntryFact] = []
    problems: list[str] = []
    omissions: list[str] = []
    before: Link | None = None
    left_out: Counter[str] = Counter()
    read, is_whole = 0, True
    for row in _rows(session, incident_id):
        if len(entries) >= ENTRIES_MAX:
            is_whole = False
            break
        read += 1
        entry, link = checks.read(row), checks.read_link(row)
        if isinstance(entry, Problem):
            problems.append(describe(entry))
            omissions.append(f"An entry that cannot be read any more: {describe(entry)}")
        else:
            problems += map(describe, checks.contents(entry))
            left_out.update(_keep(entries, _fact(entry)))
        if link is not None:
            problems += map(describe, checks.incident_link(before, link))
            before = link
    omissions += [
        f"{left_out[kind]} times that {what}, between a first and a last time."
        for kind, what in LEFT_OUT.items()
        if left_out[kind]
    ]
    if not is_whole:
        omissions.append(f"Timeline entries after number {entries[-1].seq}; the timeline itself has them.")
    return Chronicle(tuple(entries), _integrity(read, before, problems), tuple(omissions))


def _rows(session: Session, incident_id: int) -> Iterator[dict[str, Any]]:
    """In order, a batch at a time: an alert that is reported each minute has ten thousand in a week."""
    of_incident = select(_ENTRIES).where(_ENTRIES.c.incident_id == incident_id).order_by(_ENTRIES.c.seq)
    after = 0
    while rows := session.execute(of_incident.where(_ENTRIES.c.seq > after).limit(BATCH)).mappings().all():
        yield from map(dict, rows)
        after = rows[-1]["seq"]


def _keep(entries: list[EntryFact], entry: EntryFact) -> list[str]:
    """The kind that is left out for it, if one is."""
    alike = ALIKE.get(entry.kind)
    if alike is None or [ALIKE.get(each.kind) for each in entries[-2:]] != [alike] * 2:
        entries.append(entry)
        return []
    gone, entries[-1] = entries[-1].kind, entry
    return [gone]


def _integrity(count: int, last: Link | None, problems: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "verdict": Verdict.BROKEN.value if problems else Verdict.UNSEALED.value,
        "head": last.entry_hash if last else None,
        "entries": count,
        "checkpoint": None,
    }
    if problems:
        found["problems"] = list(problems[:PROBLEMS_TOLD_MAX])
    return found


def _fact(entry: StoredEntry) -> EntryFact:
    header = entry.header
    return EntryFact(
        seq=header.seq,
        global_seq=header.global_seq,
        occurred_at=header.occurred_at,
        recorded_at=header.recorded_at,
        actor=header.actor,
        kind=header.kind,
        text=entry.text,
        payload=facts(entry.payload),
        actor_kind=header.actor_kind,
    )


def facts(payload: str) -> dict[str, Any]:
    """What an entry's payload holds beside its sentence; nothing if it was erased or damaged."""
    try:
        found = json.loads(payload)
    except ValueError:
        return {}
    held = found.get("facts") if isinstance(found, dict) else None
    return held if isinstance(held, dict) else {}


def starred(entries: Sequence[EntryFact]) -> tuple[NoteFact, ...]:
    return tuple(
        NoteFact(e.seq, e.occurred_at, e.actor, str(e.payload.get("note", e.text)))
        for e in entries
        if e.kind == "note.added" and e.payload.get("starred") is True
    )


def severities(entries: Sequence[EntryFact], opened_at: datetime, initial: str) -> tuple[SeverityChange, ...]:
    """The severity over time, beginning with the one it opened with."""
    opening = next((e.seq for e in entries if e.kind in ("incident.classified", "incident.opened")), None)
    found = [SeverityChange(opened_at, initial, opening)]
    for entry in entries:
        change = _change(entry)
        if change is not None and change[1][1] != found[-1].severity:
            found.append(SeverityChange(entry.occurred_at, change[1][1], entry.seq))
    return tuple(found)


def overrides(entries: Sequence[EntryFact], approvals: Sequence[ApprovalFact]) -> tuple[OverrideFact, ...]:
    """People's changes of class and severity. One that needed approval was asked for by another than who carried it
    out with the last approval."""
    found: list[OverrideFact] = []
    for entry in entries:
        change = _change(entry) if entry.kind == "incident.reclassified" else None
        if change is None:
            continue
        approval = next((a for a in approvals if _carried_out(a, entry)), None)
        agreed = tuple(d.name for d in approval.decisions if d.decision == "approve") if approval else ()
        found += [
            OverrideFact(
                what=what,
                before=old,
                after=new,
                reason=str(entry.payload.get("reason", "")),
                requested_by=approval.requested_by if approval else entry.actor,
                approved_by=agreed,
                at=entry.occurred_at,
                seq=entry.seq,
            )
            for what, old, new in zip(("class", "severity"), *change, strict=True)
            if old != new
        ]
    return tuple(found)


def step_titles(entries: Sequence[EntryFact], runbook_id: str) -> dict[int, str]:
    """As the steps were called when they were ticked."""
    found: dict[int, str] = {}
    for entry in entries:
        step = entry.payload.get("step")
        if entry.kind == "runbook.step" and entry.payload.get("runbook") == runbook_id and isinstance(step, int):
            found[step] = entry.text.partition(f"ticked step {step}: ")[2]
    return found


def answers(entries: Sequence[EntryFact]) -> tuple[Answer, ...]:
    """Each time that a person answered, in order: an incident may go through several hands."""
    return tuple(
        Answer(e.actor, e.occurred_at, str(e.payload.get("via", "")), takes=e.kind in TAKES)
        for e in entries
        if e.kind in (*TAKES, *ANSWERS) and e.actor_kind == "responder"
    )


def _change(entry: EntryFact) -> tuple[list[str], list[str]] | None:
    """([class, severity] before, the same after), of an entry that tells of such a change."""
    if entry.kind not in ("incident.raised", "incident.reclassified"):
        return None
    old, new = entry.payload.get("from"), entry.payload.get("to")
    pairs = (isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair) for pair in (old, new))
    return (old, new) if all(pairs) and old is not None and new is not None else None


def _carried_out(approval: ApprovalFact, entry: EntryFact) -> bool:
    decided_at = max((decision.at for decision in approval.decisions), default=None)
    return approval.action == "reclassify" and approval.state == "approved" and decided_at == entry.occurred_at
