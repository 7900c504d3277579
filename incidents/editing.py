"""Editing schedules, policies and hours, with what the incidents know of their use, and the preview."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.actor import Actor
from config.changes import Changes
from config.database import Database
from escalation import comparison, editing, snapshot
from escalation.comparison import COMPARED, OfPolicy
from escalation.editing import Users
from escalation.ground import Finding
from escalation.oncall import differences, moved_words, moves
from escalation.oncall.hours import Hours
from escalation.one_thing import Thing
from incidents import check
from incidents.desk import Desk
from incidents.lifecycle import UNSETTLED
from incidents.models import Incident, Service
from incidents.routing import Choice


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving would change. `people`: a sentence for each whose time on call moves; `courses`: of each policy that
    would wake others, or at other times, whom it wakes before and after; `findings`: what `check` would find that it
    does not find now."""

    lines: tuple[str, ...]
    people: tuple[str, ...]
    courses: tuple[OfPolicy, ...]
    findings: tuple[Finding, ...]


def users() -> Users:
    return Users(
        of_policy=_services_of_policy,
        of_hours=_services_of_hours,
        refresh_hours=_refresh_hours,
        unsettled=select(Incident.id).where(Incident.status.in_(UNSETTLED)),
    )


def save(session: Session, who: Actor, kind: str, thing: Thing, now: datetime, *, base_url: str = "") -> Changes:
    """Whose shifts it moves is told."""
    with moves.told(session, who, now, schedules=_moving(kind, thing.key), base_url=base_url) as watch:
        changes = editing.put(session, who, kind, thing, now, users())
        watch.changed = bool(changes)
    return changes


def remove(session: Session, who: Actor, kind: str, key: str, now: datetime, *, base_url: str = "") -> Changes:
    with moves.told(session, who, now, schedules=_moving(kind, key), base_url=base_url):
        return editing.delete(session, who, kind, key, now, users())


def _moving(kind: str, key: str) -> list[str]:
    """The schedules whose shifts an edit can move. Whoever looks at more does so while alerts wait to be written."""
    return [key] if kind == "schedule" else []


def preview(database: Database, desk: Desk, who: Actor, kind: str, thing: Thing, now: datetime) -> Preview:
    """Everything is done, looked at and taken back; what there is before it is looked at while others may write."""
    moving = _moving(kind, thing.key)
    with database.reading() as session:
        world = snapshot.world(session, now, now + COMPARED)
        before, found = moves.ahead(session, now, moving), set(check.of_database(session, desk, now, channels=None))
    with database.transaction() as session:
        changes = editing.put(session, who, kind, thing, now, users())
        after = moves.ahead(session, now, moving)
        new = [each for each in check.of_database(session, desk, now, channels=None) if each not in found]
        changed = snapshot.world(session, now, now + COMPARED)
        session.rollback()
    courses = comparison.compare(world, changed, now, now + COMPARED).policies
    people = moved_words.by_person(differences.moved(before, after), moves.LOOKED_AHEAD)
    return Preview(tuple(changes.lines), tuple(people), tuple(courses), tuple(new))


def _services_of_policy(session: Session, key: str) -> list[str]:
    return [f"service {row.key}" for row in _services(session) if key in _policies(row)]


def _policies(row: Service) -> set[str]:
    return {row.policy_key, *(choice["policy"] for choice in row.policy_choices)}


def _services_of_hours(session: Session, key: str) -> list[str]:
    return [
        f"service {row.key}"
        for row in _services(session)
        for choice in map(Choice.from_json, row.policy_choices)
        if key in {hours.key for hours in (choice.during, choice.outside) if hours}
    ]


def _refresh_hours(session: Session, hours: Hours) -> None:
    for row in _services(session):
        choices = [Choice.from_json(stored) for stored in row.policy_choices]
        fresh = [
            replace(
                choice,
                during=hours if choice.during and choice.during.key == hours.key else choice.during,
                outside=hours if choice.outside and choice.outside.key == hours.key else choice.outside,
            )
            for choice in choices
        ]
        if fresh != choices:
            row.policy_choices = [choice.to_json() for choice in fresh]
    session.flush()


def _services(session: Session) -> list[Service]:
    return list(session.scalars(select(Service).order_by(Service.key)))
