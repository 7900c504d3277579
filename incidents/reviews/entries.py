"""Which timeline entry a fact rests on. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from incidents.reviews.markup import Markdown
from incidents.reviews.record import EntryFact, Record

SAME_MOMENT = timedelta(seconds=1)  # an entry and the row it tells of may be written microseconds apart
ADDED_LATER_AFTER = timedelta(minutes=5)


def of_kind(record: Record, *words: str) -> Iterator[EntryFact]:
    """Entries with one of the words in their dotted kind: "level" finds "level.reached"."""
    return (e for e in record.timeline if set(re.split(r"[._-]", e.kind)).intersection(words))


def cited(record: Record, at: datetime | None, *words: str) -> Markdown:
    """ " (entry 12)" for the entry of such a kind that tells of that moment, or nothing if there is none."""
    if at is None:
        return Markdown("")
    found = [e for e in of_kind(record, *words) if abs(e.occurred_at - at) <= SAME_MOMENT]
    nearest = min(found, key=lambda e: (abs(e.occurred_at - at), e.seq), default=None)
    return Markdown(f" (entry {nearest.seq})" if nearest else "")


def numbered(seq: int | None) -> Markdown:
    return Markdown(f" (entry {seq})" if seq is not None else "")


def added_later(entry: EntryFact) -> bool:
    return entry.recorded_at - entry.occurred_at > ADDED_LATER_AFTER


def people(record: Record) -> dict[str, list[str]]:
    """Everyone who took part, by name, each with their parts; in the order of `_parts`, then of the timeline."""
    machines = {e.actor for e in record.timeline if e.actor_kind in ("source", "engine", "program")}
    found: dict[str, list[str]] = {}
    for name, part in _parts(record):
        if name and name not in machines:
            parts = found.setdefault(name, [])
            if part not in parts:
                parts.append(part)
    return found


def _parts(record: Record) -> Iterator[tuple[str, str]]:
    yield record.commander, "incident commander"
    yield record.owner, "owner of the review"
    yield record.acknowledged_by, "acknowledged"
    yield record.resolved_by, "resolved"
    for page in sorted(record.pages, key=lambda p: (p.queued_at, p.level)):
        yield page.responder, f"paged at level {page.level}"
        if page.acknowledged:
            yield page.responder, "acknowledged"
    for runbook in record.runbooks:
        for step in runbook.steps_done:
            yield step.by, "worked the runbook"
    for tick in record.ticks:
        yield tick.by, "ticked the checklist"
    for approval in record.approvals:
        yield approval.requested_by, "asked for approval"
        for decision in approval.decisions:
            yield decision.name, "decided on an approval"
    for override in record.overrides:
        yield override.requested_by, f"changed the {override.what}"
    for entry in record.timeline:
        if entry.actor_kind == "responder" and not entry.kind.startswith("review."):  # reading it is no part in it
            yield entry.actor, "wrote on the timeline"


def values(given: object) -> str:
    """A value of a free mapping (the explanation record, the verifier's result) as one plain text."""
    if isinstance(given, Mapping):
        return "; ".join(f"{key}: {values(given[key])}" for key in sorted(given, key=str))
    if isinstance(given, list | tuple):
        return ", ".join(values(item) for item in given)
    if isinstance(given, bool):
        return "yes" if given else "no"
    return "not known" if given is None else str(given)


def listed(given: object) -> list[str]:
    """One text an item, whether a list, one value or nothing was given."""
    if given is None or given == "":
        return []
    if isinstance(given, list | tuple):
        return [values(item) for item in given]
    return [values(given)]
