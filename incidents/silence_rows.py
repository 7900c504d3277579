"""The silences there are, and which of them hold back an incident."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from escalation import locks
from escalation.oncall.hours import Hours
from incidents.models import Alert, Incident, Service
from incidents.silence_models import SilencedIncident, SilenceRow
from incidents.silencing import Silence, Subject
from incidents.sources.base import AlertStatus

REPORTED = "manual"  # the source of what people report: they ask for help
LIVE_MAX = 500  # silences that are not over, at once
ALERTS_MAX = 2_000  # firing, of one incident; one with more is not held back
TRIES_MAX = 3  # to find who holds it while silences are ended beside it
OVERRIDDEN = "overridden"  # how it ended that an incident was held back: a person asked for people


@dataclass(frozen=True, slots=True)
class HeldBack:
    """How an incident is held back. `of`: until when each of the silences goes on that hold one of its alerts."""

    until: datetime
    of: Mapping[int, datetime]
    words: str


@dataclass(frozen=True, slots=True)
class GoingOn:
    row: SilenceRow
    silence: Silence
    until: datetime


Judge = Callable[[Sequence[SilenceRow]], HeldBack | None]


def may_concern(service_key: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether any silence that is not over may be about the service. A column for statements that are made anyway.

    It looks for the name in the list as it is stored; a name that is like it costs a look, and no more.
    """
    stored = cast(SilenceRow.services, Text)
    names_it = or_(stored == "[]", stored.like('%"' + service_key + '"%'))
    return exists().where(SilenceRow.ended_at.is_(None), names_it).correlate(Service)


def value(row: SilenceRow) -> Silence:
    return Silence(
        services=tuple(row.services),
        labels=row.labels,
        title=row.title,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        hours=Hours.from_json(row.hours) if row.hours else None,
        weeks=tuple(row.weeks),
    )


def live(session: Session, now: datetime) -> Sequence[SilenceRow]:
    """Those that may be going on; whether one that recurs does, its hours say."""
    return session.scalars(
        select(SilenceRow)
        .where(SilenceRow.ended_at.is_(None), SilenceRow.starts_at <= now)
        .where(or_(SilenceRow.ends_at.is_(None), SilenceRow.ends_at > now))
        .order_by(SilenceRow.starts_at, SilenceRow.id)  # as the index is; by id alone SQLite reads all there ever were
        .limit(LIVE_MAX)
        .execution_options(populate_existing=True)
    ).all()


def going_on(rows: Sequence[SilenceRow], now: datetime) -> list[GoingOn]:
    """Those of them that go on, the one that goes on longest first."""
    found = []
    for row in sorted(rows, key=lambda row: row.id):
        silence = value(row)
        if row.ended_at is None and (until := silence.until(now)) is not None:
            found.append(GoingOn(row, silence, until))
    return sorted(found, key=lambda each: each.until, reverse=True)


def decide(silences: Sequence[GoingOn], subjects: Sequence[Subject], without: Collection[int] = ()) -> HeldBack | None:
    """Who of these holds all the alerts, each by the silence that goes on longest; None if one is held by nobody."""
    silences = [each for each in silences if each.row.id not in without]
    chosen: dict[int, GoingOn] = {}
    for subject in subjects:
        first = next((each for each in silences if each.silence.fits(subject)), None)
        if first is None:
            return None
        chosen[first.row.id] = first
    if not chosen:
        return None
    words = "; ".join(said(each.row) for each in chosen.values())
    of = {number: each.until for number, each in chosen.items()}
    return HeldBack(min(of.values()), of, words)


def decided(
    session: Session, incident_ids: Sequence[int], rows: Sequence[SilenceRow], now: datetime
) -> dict[int, HeldBack]:
    """Of these incidents, which all are operational, those that these silences hold back."""
    subjects, asks_for_help = _firing(session, incident_ids)
    lifted = overridden(session, incident_ids)
    silences, found = going_on(rows, now), {}
    for number, alerts in subjects.items():
        if number in asks_for_help or len(alerts) > ALERTS_MAX:
            continue
        if held_back := decide(silences, alerts, lifted[number]):
            found[number] = held_back
    return found


def fitting(session: Session, incident_id: int, now: datetime) -> list[int]:
    """Those that go on and fit any of its alerts, whether they hold it or another does in their place."""
    subjects = _firing(session, [incident_id])[0][incident_id]
    silences = going_on(live(session, now), now)
    return [each.row.id for each in silences if any(each.silence.fits(subject) for subject in subjects)]


def _firing(session: Session, incident_ids: Sequence[int]) -> tuple[defaultdict[int, list[Subject]], set[int]]:
    """Incident -> what of it fires; and the incidents that a person reported."""
    subjects: defaultdict[int, list[Subject]] = defaultdict(list)
    asks_for_help: set[int] = set()
    firing = (
        select(Alert.incident_id, Alert.title, Alert.labels, Alert.source, Service.key)
        .join(Incident, Incident.id == Alert.incident_id)
        .join(Service, Service.id == Incident.service_id)
        .where(Alert.incident_id.in_(incident_ids), Alert.status == AlertStatus.FIRING)
        .order_by(Alert.id)
    )
    if len(incident_ids) == 1:
        firing = firing.limit(ALERTS_MAX + 1)
    for row in session.execute(firing):
        subjects[row.incident_id].append(Subject(row.key, row.labels, row.title))
        if row.source == REPORTED:
            asks_for_help.add(row.incident_id)
    return subjects, asks_for_help


def said(row: SilenceRow) -> str:
    """Who silenced it, and why."""
    if row.name:
        return f'by the maintenance window {row.name}: "{row.reason}"'
    return f'by silence {row.id} of {row.created_by}: "{row.reason}"'


def locked(session: Session, judge: Judge, now: datetime) -> HeldBack | None:
    """What `judge` says of the silences that go on, once those that it chose are locked, and are as it saw them."""
    rows = live(session, now)
    for _ in range(TRIES_MAX):
        found: HeldBack | None = judge(rows) if rows else None
        if found is None:
            return None
        for number in sorted(found.of):
            locks.together(session, _name(number))
        locked = session.scalars(
            select(SilenceRow)
            .where(SilenceRow.id.in_(found.of))
            .order_by(SilenceRow.id)
            .execution_options(populate_existing=True)
        ).all()
        again: HeldBack | None = judge(locked)
        if again is not None:
            return again
        rows = live(session, now)
    return None


def alone(session: Session, numbers: Iterable[int]) -> None:
    """Before these silences are changed or ended: whoever holds back an incident by one of them is waited for, and who
    comes later waits. In a storm the rows themselves would never be free."""
    for number in sorted(numbers):
        locks.one_at_a_time(session, _name(number))


def _name(number: int) -> str:
    return f"silence:{number}"


def overridden(session: Session, incident_ids: Iterable[int]) -> defaultdict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    statement = select(SilencedIncident.incident_id, SilencedIncident.silence_id).where(
        SilencedIncident.incident_id.in_(list(incident_ids)), SilencedIncident.outcome == OVERRIDDEN
    )
    for number, silence_id in session.execute(statement):
        found[number].add(silence_id)
    return found
