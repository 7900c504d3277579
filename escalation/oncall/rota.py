"""Who is on call now, from the database; the reckoning itself is `resolve`'s."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from config import ids
from escalation import responders
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.oncall import absences, resolve
from escalation.oncall.models import CalendarCopy
from escalation.oncall.schedules import YEARS, Absence, CalendarShift, Override, Roster, Schedule
from escalation.policies import Target

_TAKING_OVER, _REPLACED = aliased(Responder), aliased(Responder)
_OVERRIDES = (
    select(OverrideRow, _TAKING_OVER.key, _REPLACED.key)
    .outerjoin(_TAKING_OVER, _TAKING_OVER.id == OverrideRow.responder_id)
    .outerjoin(_REPLACED, _REPLACED.id == OverrideRow.replaces_id)
    .where(
        OverrideRow.schedule_id.in_(bindparam("schedules", expanding=True)),
        OverrideRow.ends_at > bindparam("since"),
        OverrideRow.starts_at <= bindparam("until"),
    )
    .order_by(OverrideRow.id)
)
_SCHEDULE = select(ScheduleRow).where(ScheduleRow.key == bindparam("key"))
_NAMED = select(Responder).where(Responder.key.in_(bindparam("keys", expanding=True)))
_COPIES = select(CalendarCopy).where(CalendarCopy.url_hash.in_(bindparam("hashes", expanding=True)))
_FIRST, _LAST = (datetime(YEARS[place], 1, 1, tzinfo=UTC) for place in (0, -1))


@dataclass(frozen=True, slots=True)
class _Read:
    """A roster, and everybody it names by key, also who is not active any more."""

    roster: Roster
    people: dict[str, Responder]

    def active(self, keys: Iterable[str]) -> list[Responder]:
        return [self.people[key] for key in keys if key in self.people and self.people[key].active]


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Active people, in the order of resolve.on_call()."""

    on_call: tuple[Responder, ...] = ()
    shadows: tuple[Responder, ...] = ()


NOBODY = OnDuty()


def on_duty(session: Session, schedule: str, at: datetime) -> OnDuty:
    """Who is on call on the schedule of this key, and who shadows; nobody if there is none."""
    row = session.scalar(_SCHEDULE, {"key": schedule})
    if row is None:
        return NOBODY
    read = _read(session, [row], at, at)[0]
    shadowing = read.active(resolve.shadows(read.roster, at))
    return OnDuty(tuple(read.active(resolve.on_call(read.roster, at))), tuple(shadowing))


def people(session: Session, targets: Iterable[Target], at: datetime) -> list[Responder]:
    """Everyone these targets name at this moment, each once, in the order of the targets."""
    found: dict[int, Responder] = {}
    for target in targets:
        for person in _named_by(session, target, at):
            found.setdefault(person.id, person)
    return list(found.values())


def roster(session: Session, row: ScheduleRow, since: datetime, until: datetime) -> Roster:
    """What decides who is on call on this schedule in [since, until], which is all that may be asked of it. Somebody
    who is not active any more is taken off, as the newest override, so that the hole they leave is seen."""
    return _read(session, [row], since, until)[0].roster


def rosters(
    session: Session, since: datetime, until: datetime, *, rows: Sequence[ScheduleRow] | None = None
) -> list[Roster]:
    """As roster(), of these schedules, or else of all by key, in a number of queries that does not depend on theirs."""
    if rows is None:
        rows = session.scalars(select(ScheduleRow).order_by(ScheduleRow.key)).all()
    return [read.roster for read in _read(session, rows, since, until)]


def overrides(
    session: Session, rows: Sequence[ScheduleRow], since: datetime, until: datetime = _LAST
) -> dict[int, list[Override]]:
    """By the schedule's id: its overrides that touch this span, in order of their making."""
    keys = {row.id: row.key for row in rows}
    found: dict[int, list[Override]] = {row.id: [] for row in rows}
    for row, responder, replaces in session.execute(
        _OVERRIDES, {"schedules": list(keys), "since": since, "until": until}
    ):
        made = Override(keys[row.schedule_id], row.starts_at, row.ends_at, responder, replaces)
        found[row.schedule_id].append(made)
    return found


def _named_by(session: Session, target: Target, at: datetime) -> list[Responder]:
    if target.kind == "responder":
        person = responders.by_key(session, target.key)
        return [person] if person else []
    if target.kind == "role":
        return responders.with_role(session, target.key)
    return list(on_duty(session, target.key, at).on_call)


def _read(session: Session, rows: Sequence[ScheduleRow], since: datetime, until: datetime) -> list[_Read]:
    schedules = {row.id: Schedule.from_json(row.definition) for row in rows}
    made = overrides(session, rows, since, until) if rows else {}
    copied = _calendars(session, schedules.values())
    named = {row.id: _named(schedules[row.id], made[row.id], copied) for row in rows}
    keys = sorted(set().union(*named.values()))
    everybody = {person.key: person for person in session.scalars(_NAMED, {"keys": keys})} if keys else {}
    off: defaultdict[str, list[Absence]] = defaultdict(list)
    for absence in absences.of(session, everybody.values(), _earliest(schedules.values()), until):
        off[absence.responder].append(absence)
    read = []
    for row in rows:
        schedule, mine = schedules[row.id], {key: everybody[key] for key in named[row.id] if key in everybody}
        gone = {key for key in named[row.id] if key not in mine or not mine[key].active}
        urls = {rotation.calendar for rotation in schedule.rotations}
        found = Roster(
            schedule,
            overrides=(*_standing(made[row.id], gone), *_taken_off(schedule, gone)),
            absences=tuple(absence for key in named[row.id] for absence in off[key]),
            calendars=tuple(shift for shift in copied if shift.calendar in urls),
        )
        read.append(_Read(found, mine))
    return read


def _named(schedule: Schedule, made: Iterable[Override], copied: Iterable[CalendarShift]) -> list[str]:
    """Everybody who may be on call by this, each once, in an order that stays."""
    urls = {rotation.calendar for rotation in schedule.rotations}
    members = [key for rotation in schedule.rotations for key in rotation.members]
    by_calendar = [shift.responder for shift in copied if shift.calendar in urls]
    by_override = [override.responder for override in made if override.responder is not None]
    return list(dict.fromkeys((*members, *by_calendar, *by_override)))


def _standing(made: Iterable[Override], gone: set[str]) -> list[Override]:
    """Without those by which somebody who has left would stand in: better the one replaced than nobody."""
    return [override for override in made if override.responder not in gone]


def _taken_off(schedule: Schedule, gone: Iterable[str]) -> list[Override]:
    return [Override(schedule.key, _FIRST, _LAST, responder=None, replaces=key) for key in sorted(gone)]


def _earliest(schedules: Iterable[Schedule]) -> datetime:
    """Before every first turn, in any zone."""
    starts = [rotation.starts for schedule in schedules for rotation in schedule.rotations if not rotation.calendar]
    return max(_FIRST, min(starts).replace(tzinfo=UTC) - timedelta(days=1)) if starts else _FIRST


def calendar_hash(url: str) -> str:
    """By which CalendarCopy knows the calendar: its address is a secret."""
    return ids.secret_hash(url)


def _calendars(session: Session, schedules: Iterable[Schedule]) -> list[CalendarShift]:
    urls = {rotation.calendar for schedule in schedules for rotation in schedule.rotations if rotation.calendar}
    by_hash = {calendar_hash(url): url for url in sorted(urls)}
    if not by_hash:
        return []
    return [
        CalendarShift(by_hash[copy.url_hash], responder, datetime.fromisoformat(starts), datetime.fromisoformat(ends))
        for copy in session.scalars(_COPIES.order_by(CalendarCopy.id), {"hashes": list(by_hash)})
        for starts, ends, responder in copy.shifts
    ]
