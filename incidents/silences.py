"""What silences do to an incident: it is held back, looked at again when anything changes, and released.

An incident is held back only while each of its firing alerts is. Nothing that is constitutional ever is, nor what a
person reports. The caller has locked the incident; the silences that hold it are locked after that, shared, so that
one that is being ended either sees whom it holds or holds nobody more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.clock import utc_text
from escalation import escalate
from escalation.channels import wording
from escalation.models import TimerKind
from escalation.paging import timers
from escalation.paging.timers import Claimed, Wanted
from incidents import briefing, noting, remedying, routing, silence_rows
from incidents.desk import Actor, Desk
from incidents.lifecycle import Status
from incidents.models import Alert, Incident, Service
from incidents.severity import IncidentClass, Severity
from incidents.silence_models import SilencedIncident, SilenceRow
from incidents.silence_rows import HeldBack
from incidents.silencing import Subject

RANK = 2  # whoever was held back is woken by nothing else
TOCSIN = Actor(name="tocsin", kind="engine", via="silence")


class Ending(StrEnum):
    """What came of it that an incident was held back."""

    RELEASED = "released"  # nothing held it any more, and people were woken
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    OVERRIDDEN = silence_rows.OVERRIDDEN  # a person asked for people; this silence does not hold this incident again
    REPLACED = "replaced"  # another silence holds it


def at_opening(session: Session, desk: Desk, incident: Incident, alert: Alert, now: datetime, *, service: str) -> bool:
    """Whether it is held back from its first moment; the caller starts its escalation accordingly."""
    if incident.incident_class == IncidentClass.CONSTITUTIONAL or alert.source == silence_rows.REPORTED:
        return False
    subjects = [Subject(service, alert.labels, alert.title)]

    def judge(rows: Sequence[SilenceRow]) -> HeldBack | None:
        return silence_rows.decide(silence_rows.going_on(rows, now), subjects)

    found = silence_rows.locked(session, judge, now)
    if found is None:
        return False
    _hold(session, desk, incident, found, now)
    return True


def hold(session: Session, desk: Desk, incident: Incident, now: datetime) -> bool:
    """Hold back an incident that is open and that people are being woken for, or were about to be."""
    if incident.status != Status.OPEN or incident.silenced_until is not None:
        return incident.silenced_until is not None
    found = find(session, incident, now)
    if found is None:
        return False
    _hold(session, desk, incident, found, now)
    standing = briefing.standing(session, incident, now)
    escalate.stop(session, desk.journal, incident.id, standing=standing, why="it is silenced", now=now)
    return True


def look_again(session: Session, desk: Desk, incident: Incident, now: datetime) -> bool:
    """Something about it has changed, or the time has come: whether it is held back still. If not, people are woken.

    Costs nothing for an incident that was not held back.
    """
    if incident.silenced_until is None:
        return False
    found = find(session, incident, now)
    if found is None:
        constitutional = incident.incident_class == IncidentClass.CONSTITUTIONAL
        why = "It is constitutional, and those are never silenced" if constitutional else "No silence holds it any more"
        _release(session, desk, incident, why, now)
        return False
    if found.until != incident.silenced_until:
        text = f"It stays held back, until {wording.moment(found.until, now)}, {found.words}"
        _note(session, desk, incident, text, found, now)
    _keep(session, incident, found, now)
    return True


def over(session: Session, incident: Incident, ending: Ending, now: datetime) -> None:
    """It is not held back any more; whom that wakes is the caller's matter. Costs nothing if it was not."""
    if incident.silenced_until is None:
        return
    incident.silenced_until = None
    timers.cancel(session, incident.id, (TimerKind.SILENCE,))
    session.execute(
        update(SilencedIncident)
        .where(SilencedIncident.incident_id == incident.id, SilencedIncident.outcome == "")
        .values(outcome=ending, ended_at=now)
    )


def lift(session: Session, desk: Desk, incident: Incident, actor: Actor, now: datetime) -> None:
    """A person asks for people: what silences fit now do not hold this incident again, nor those that fit only some of
    its alerts or would have held it later. The caller wakes somebody."""
    session.flush()
    was_held = incident.silenced_until is not None
    over(session, incident, Ending.OVERRIDDEN, now)
    if was_held:
        text = f"{actor.name} has people woken although it was silenced; it is not held back again by this silence."
        noting.note(session, desk, incident, "silence.overridden", text, actor, now)
    known = silence_rows.overridden(session, [incident.id])[incident.id]
    for silence_id in silence_rows.fitting(session, incident.id, now):
        if silence_id not in known:
            session.add(overridden(silence_id, incident.id, now))


def due(session: Session, desk: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act: a silence has begun or has ended, or it is time to see."""
    incident = noting.locked(session, claimed.subject_id)
    if not timers.still_held(session, claimed):
        return
    timers.finish(session, claimed)
    if incident.status != Status.OPEN:
        taken = incident.status == Status.ACKNOWLEDGED
        over(session, incident, Ending.ACKNOWLEDGED if taken else Ending.RESOLVED, now)
    elif incident.silenced_until is None:
        hold(session, desk, incident, now)
    else:
        look_again(session, desk, incident, now)


def timer(incident_id: int, due_at: datetime) -> Wanted:
    return Wanted(TimerKind.SILENCE, incident_id, incident_id, due_at, rank=RANK)


def find(session: Session, incident: Incident, now: datetime) -> HeldBack | None:
    """What holds it back, or would if nobody had it; None if nothing does. What holds is locked, shared."""
    if incident.incident_class == IncidentClass.CONSTITUTIONAL:
        return None
    session.flush()
    number = incident.id
    return silence_rows.locked(
        session, lambda rows: silence_rows.decided(session, [number], rows, now).get(number), now
    )


def _hold(session: Session, desk: Desk, incident: Incident, found: HeldBack, now: datetime) -> None:
    text = f"Nobody is woken for it until {wording.moment(found.until, now)}: it is held back {found.words}"
    _note(session, desk, incident, text, found, now)
    _keep(session, incident, found, now)


def _note(session: Session, desk: Desk, incident: Incident, text: str, found: HeldBack, now: datetime) -> None:
    facts = {"silences": sorted(found.of), "until": utc_text(found.until)}
    noting.note(session, desk, incident, "incident.silenced", text, TOCSIN, now, facts)


def _keep(session: Session, incident: Incident, found: HeldBack, now: datetime) -> None:
    """Write down who holds it until when, and have it looked at then."""
    rows = session.scalars(
        select(SilencedIncident)
        .where(SilencedIncident.incident_id == incident.id, SilencedIncident.outcome == "")
        .with_for_update()
    ).all()
    for row in rows:
        if row.silence_id in found.of:
            row.until = found.of[row.silence_id]
        else:
            row.outcome, row.ended_at = Ending.REPLACED, now
    known = {row.silence_id for row in rows}
    session.add_all(_row(each, incident, now, until) for each, until in found.of.items() if each not in known)
    incident.silenced_until = found.until
    session.flush()
    timers.set_all(session, [timer(incident.id, found.until)])


def overridden(silence_id: int, incident_id: int, now: datetime) -> SilencedIncident:
    """That this silence does not hold this incident, because a person asked for people."""
    return SilencedIncident(
        silence_id=silence_id,
        incident_id=incident_id,
        since=now,
        until=now,
        ended_at=now,
        outcome=Ending.OVERRIDDEN,
    )


def _row(silence_id: int, incident: Incident, since: datetime, until: datetime) -> SilencedIncident:
    return SilencedIncident(silence_id=silence_id, incident_id=incident.id, since=since, until=until, outcome="")


def _release(session: Session, desk: Desk, incident: Incident, why: str, now: datetime) -> None:
    over(session, incident, Ending.RELEASED, now)
    if incident.status != Status.OPEN:
        return
    noting.note(session, desk, incident, "silence.over", f"{why}; it is escalated from the beginning.", TOCSIN, now)
    session.flush()
    urgency = routing.urgency_of(Severity(incident.severity))
    standing = briefing.standing(session, incident, now)
    escalate.resume(session, desk.journal, incident.id, urgency=urgency, standing=standing, now=now)
    remedying.begin(session, desk, incident, session.get_one(Service, incident.service_id), now)
