"""Two clocks that go on when somebody has acknowledged.

The ack timeout asks the holder, by a page, when no person has done anything for the policy's time, and takes the
acknowledgement back when nobody answers that either. The phase clock tells when a milestone is not marked by its time:
CRITICAL and constitutional incidents raise the level of that phase, of others the holder is told.

Both run for severities one wakes people for, and not while the incident is snoozed or held. What a timer says is read
again when it fires, so that whoever does something to an incident need not touch its timers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from config import durations
from escalation import beside, escalate, handing
from escalation.channels import wording
from escalation.models import TimerKind
from escalation.paging import timers
from escalation.paging.timers import Claimed
from incidents import briefing, lifecycle, noting, phases, routing, silences
from incidents.desk import Actor, Desk
from incidents.lifecycle import By, Move, Moved, Status
from incidents.models import Incident
from incidents.phases import Phase
from incidents.severity import IncidentClass, Severity

GRACE = timedelta(minutes=5)  # for who takes an incident whose milestone is late already
TITLE_CHARACTERS_SHOWN = 80
KINDS = (TimerKind.ACK_TIMEOUT, TimerKind.PHASE, TimerKind.SNOOZE)
TOCSIN = Actor(name="tocsin", kind="engine", via="clock")


@dataclass(frozen=True, slots=True)
class Goal:
    """A milestone that is due by the end of a phase, and the level that is raised when it is late."""

    phase: Phase
    milestone: str
    level: int

    @property
    def minutes(self) -> int:
        target = next(target for target in phases.TARGETS if target.phase is self.phase)
        return int(target.ends_after.total_seconds()) // 60


GOALS = (Goal(Phase.CONTAINMENT, "contained", 3), Goal(Phase.RECOVERY, "recovered", 4))


def start(session: Session, incident: Incident, now: datetime) -> None:
    """Somebody holds it from now on, or a hold, a snooze or a low severity that stopped the clocks has ended.

    The caller holds the incident's lock; timers that are there are set anew.
    """
    if not _runs(incident, now):
        return
    policy = handing.frozen_policy(session, incident.id)
    if policy is None:
        return
    incident.activity_at = now
    incident.reminded_at = None
    if policy.ack_timeout_seconds:
        _set(session, TimerKind.ACK_TIMEOUT, incident, now + timedelta(seconds=policy.ack_timeout_seconds))
    if _watch_hold(session, incident, now):
        return
    course = briefing.course_of(session, incident)
    goal = _next_goal(incident)
    due_at = phases.deadline(course, goal.phase, now) if goal else None
    if due_at is not None:
        _set(session, TimerKind.PHASE, incident, due_at if due_at > now else now + GRACE)


def stop(session: Session, incident: Incident) -> None:
    """Nobody holds it any more, or it is over."""
    timers.cancel(session, incident.id, KINDS)


def take_back(
    session: Session,
    desk: Desk,
    incident: Incident,
    text: str,
    actor: Actor,
    now: datetime,
    *,
    kind: str = "incident.unacknowledged",
) -> bool:
    """End the acknowledgement, with its snooze; False if there was none. The caller says what is woken then."""
    verdict = lifecycle.move(Status(incident.status), Move.UNACKNOWLEDGE, By.PERSON, constitutional=False)
    if not isinstance(verdict, Moved):
        return False
    incident.status = verdict.to
    noting.note(session, desk, incident, kind, text, actor, now)
    if incident.acknowledged_by_id is not None:
        why = f"{incident.acknowledged_by} does not hold it any more"
        beside.withdraw(session, desk.journal, incident.id, responder_id=incident.acknowledged_by_id, why=why, now=now)
    incident.acknowledged_at, incident.acknowledged_by, incident.acknowledged_by_id = None, "", None
    incident.reminded_at, incident.snoozed_until = None, None
    stop(session, incident)
    session.flush()
    _watch_hold(session, incident, now)
    return True


def resume(session: Session, desk: Desk, incident: Incident, now: datetime) -> None:
    """Go on waking people from the level that had been reached, unless it is silenced now."""
    if silences.hold(session, desk, incident, now):
        return
    handing.take_up(
        session,
        desk.journal,
        incident.id,
        urgency=routing.urgency_of(Severity(incident.severity)),
        standing=briefing.standing(session, incident, now),
        now=now,
    )


def ack_timeout(session: Session, desk: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act: ask the holder, or take the acknowledgement back, or look again later."""
    incident = noting.locked(session, claimed.subject_id)
    if not timers.still_held(session, claimed):
        return
    policy = handing.frozen_policy(session, incident.id)
    timers.finish(session, claimed)
    if policy is None or not policy.ack_timeout_seconds or not _runs(incident, now) or _is_held(session, incident, now):
        return  # the end of a hold or of a snooze starts it anew
    unack_after = timedelta(seconds=policy.unack_after_seconds)
    timeout = timedelta(seconds=policy.ack_timeout_seconds)
    asked_at = incident.reminded_at
    due_at = asked_at + unack_after if asked_at else (_last_activity(incident) + timeout)
    if now < due_at:
        _set(session, TimerKind.ACK_TIMEOUT, incident, due_at)
    elif asked_at is None and _ask(session, desk, incident, timeout, unack_after, now):
        incident.reminded_at = now
        _set(session, TimerKind.ACK_TIMEOUT, incident, now + unack_after)
        session.flush()
        escalate.announce(session, incident.id, standing=briefing.standing(session, incident, now), now=now)
    else:
        after = f"{phases.duration(unack_after)} after it was asked" if asked_at else phases.duration(timeout)
        text = f"Nothing was heard of {_holder(incident)} for {after}; the acknowledgement no longer holds."
        if take_back(session, desk, incident, text, TOCSIN, now):
            resume(session, desk, incident, now)


def _ask(
    session: Session, desk: Desk, incident: Incident, timeout: timedelta, unack_after: timedelta, now: datetime
) -> bool:
    """Whether there was anybody to ask: a program or a source cannot say that it still has it."""
    if incident.acknowledged_by_id is None:
        return False
    note = (
        f"Nothing was heard of you for {durations.to_text(timeout.total_seconds())}. Acknowledge again, or others are "
        f"paged in {durations.to_text(unack_after.total_seconds())}"
    )
    asked = beside.remind(session, incident.id, incident.acknowledged_by_id, note=note, now=now)
    if asked is None:
        return False
    text = f"No activity for {phases.duration(timeout)}: {asked.name}, who has it, is asked whether they still do."
    noting.note(session, desk, incident, "holder.reminded", text, TOCSIN, now, {"responder": asked.key})
    return True


def phase(session: Session, desk: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act: see which milestones are late, and do about each once what is to be done."""
    incident = noting.locked(session, claimed.subject_id)
    if not timers.still_held(session, claimed):
        return
    timers.finish(session, claimed)
    if incident.status not in (Status.RESOLVED, Status.CLOSED) and _says_hold_may_end(session, desk, incident, now):
        return
    if not _runs(incident, now):
        return  # while nobody holds it the levels do the escalating; who takes it sets this anew
    course = briefing.course_of(session, incident)
    untold: Goal | None = None
    while goal := _next_goal(incident):
        due_at = phases.deadline(course, goal.phase, now)
        if due_at is None:
            break  # held; the end of the hold sets it anew
        if now < due_at:
            _set(session, TimerKind.PHASE, incident, due_at)
            break
        incident.phase_late = goal.phase.value
        untold = goal if not _late(session, desk, incident, goal, now) else None
    if untold is not None:
        _tell(session, desk, incident, untold, now)


def hold_changed(session: Session, incident: Incident, now: datetime) -> None:
    """A hold was opened, moved or ended: what the clocks wait for next is another moment."""
    if not _watch_hold(session, incident, now):
        start(session, incident, now)


def _watch_hold(session: Session, incident: Incident, now: datetime) -> bool:
    """Whether a hold runs, whoever has the incident; its minimum end is then what the phase clock waits for."""
    hold = phases.held_at(briefing.course_of(session, incident).holds, now)
    if hold is not None and now < hold.min_end_at:
        _set(session, TimerKind.PHASE, incident, hold.min_end_at)
    return hold is not None


def _says_hold_may_end(session: Session, desk: Desk, incident: Incident, now: datetime) -> bool:
    """Whether a hold runs. Once its minimum end has passed, keepers are told: a forgotten one silences the clocks."""
    hold = phases.held_at(briefing.course_of(session, incident).holds, now)
    if hold is None or now < hold.min_end_at:
        return _watch_hold(session, incident, now)
    note = f"The hold by {hold.authority} of incident {incident.id} may end now. End it or extend it"
    told = beside.tell_keepers(session, incident.id, note=note, now=now)
    names = f"; told: {', '.join(person.name for person in told)}." if told else ", and no keeper can be told."
    text = f"The hold by {hold.authority} has reached its minimum end{names}"
    noting.note(session, desk, incident, "hold.due", text, TOCSIN, now)
    return True


def _late(session: Session, desk: Desk, incident: Incident, goal: Goal, now: datetime) -> bool:
    """Whether a level was raised for it."""
    note = f"Not marked {goal.milestone} after {goal.minutes} minutes; {_holder(incident)} has it."
    facts = {"phase": goal.phase.value, "milestone": goal.milestone}
    noting.note(session, desk, incident, "phase.late", note, TOCSIN, now, facts)
    if not _raises(incident) or handing.level_reached(session, incident.id) >= goal.level:
        return False
    beside.raise_to(session, desk.journal, incident.id, goal.level, note=note, now=now)
    session.flush()
    escalate.announce(session, incident.id, standing=briefing.standing(session, incident, now), now=now)
    return True


def _tell(session: Session, desk: Desk, incident: Incident, goal: Goal, now: datetime) -> None:
    """The holder commands the incident: of several milestones that are late at once, the last one says it all."""
    if incident.acknowledged_by_id is None:
        return
    title = wording.one_line(incident.title, TITLE_CHARACTERS_SHOWN)
    late = f"Incident {incident.id} is not marked {goal.milestone} after {goal.minutes} minutes"
    told = beside.tell(session, incident.id, incident.acknowledged_by_id, note=f"{late}: {title}", now=now)
    if told is not None:
        text = f"{told.name} is told that it is not marked {goal.milestone}."
        noting.note(session, desk, incident, "holder.told", text, TOCSIN, now, {"responder": told.key})


def _next_goal(incident: Incident) -> Goal | None:
    """The first milestone that is not marked and whose lateness nothing was done about yet."""
    order = list(Phase)
    done = order.index(Phase(incident.phase_late)) if incident.phase_late else -1
    contained = incident.contained_at is not None or incident.recovered_at is not None
    marked = {Phase.CONTAINMENT: contained, Phase.RECOVERY: incident.recovered_at is not None}
    return next((goal for goal in GOALS if not marked[goal.phase] and order.index(goal.phase) > done), None)


def _runs(incident: Incident, now: datetime) -> bool:
    snoozed = incident.snoozed_until is not None and incident.snoozed_until > now
    wakes = Severity(incident.severity).rank >= Severity.MEDIUM.rank
    return incident.status == Status.ACKNOWLEDGED and wakes and not snoozed


def _raises(incident: Incident) -> bool:
    return incident.severity == Severity.CRITICAL or incident.incident_class == IncidentClass.CONSTITUTIONAL


def _is_held(session: Session, incident: Incident, now: datetime) -> bool:
    return phases.held_at(briefing.course_of(session, incident).holds, now) is not None


def _last_activity(incident: Incident) -> datetime:
    return max(at for at in (incident.opened_at, incident.acknowledged_at, incident.activity_at) if at is not None)


def _holder(incident: Incident) -> str:
    return incident.acknowledged_by or "nobody"


def _set(session: Session, kind: TimerKind, incident: Incident, due_at: datetime) -> None:
    timers.set_timer(session, kind, incident.id, incident.id, due_at)
