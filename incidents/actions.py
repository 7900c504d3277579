"""One function a verb. Each locks the incident, asks `lifecycle`, tells escalation, and notes it on the timeline.

All run inside the caller's transaction; a verb that finds nothing to do says so and changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.errors import ConflictError, InvalidInputError
from escalation import beside, escalate, hooks, responders
from escalation.channels import answers, names
from escalation.models import TimerKind
from escalation.paging import timers
from incidents import briefing, clocks, flapping, grouping, lifecycle, noting, requests, silences
from incidents.desk import Actor, Desk, Outcome
from incidents.lifecycle import Already, By, Move, Moved, Status, Withheld
from incidents.models import Alert, ChangeRequest, Incident, RequestState
from incidents.reviews import reviewing
from incidents.severity import IncidentClass
from incidents.silences import Ending
from incidents.sources.base import AlertStatus

MILESTONES = ("contained", "recovered", "resolved")


def acknowledge(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, of: Alert | None = None
) -> Outcome:
    """Stop the escalation. Queued pages are cancelled in this same transaction. `of`: the alert that a source means.

    Where several must acknowledge, it stays open and goes on for the others until they have.
    """
    incident = noting.locked(session, number)
    noting.may_act(actor)
    verdict = lifecycle.move(
        Status(incident.status), Move.ACKNOWLEDGE, _by(actor), constitutional=_constitutional(incident)
    )
    if isinstance(verdict, Already):
        return _again(session, desk, incident, actor, now)
    if of is not None and isinstance(verdict, Moved) and not grouping.speaks_for_all(session, incident, of):
        verdict = Withheld(lifecycle.ONE_OF_SEVERAL)
    if isinstance(verdict, Withheld):
        noting.note(
            session, desk, incident, "source.acknowledged", f"{actor.name} acknowledged; {verdict.why}.", actor, now
        )
        return Outcome(number, False, incident.status, f"Noted, but {verdict.why}.")
    if waiting := _waiting_for_others(session, desk, incident, actor, now):
        return waiting
    incident.status = verdict.to
    incident.acknowledged_at = now
    incident.acknowledged_by = actor.name
    incident.acknowledged_by_id = actor.responder_id
    noting.note(
        session,
        desk,
        incident,
        "incident.acknowledged",
        f"{actor.name} acknowledged by {names.name(actor.via)}.",
        actor,
        now,
    )
    silences.over(session, incident, Ending.ACKNOWLEDGED, now)
    _stop(session, desk, incident, f"acknowledged by {actor.name}", now)
    if actor.responder_id is not None:
        _withdraw_from(session, desk, incident, actor, now)
    clocks.start(session, incident, now)
    return Outcome(number, True, incident.status, answers.acknowledged(number))


def _waiting_for_others(
    session: Session, desk: Desk, incident: Incident, actor: Actor, now: datetime
) -> Outcome | None:
    """None if this is the last acknowledgement that was needed."""
    number = incident.id
    person = responders.by_id(session, actor.responder_id) if actor.responder_id is not None else None
    again = person is not None and escalate.has_acknowledged(session, number, person.key)
    remaining = escalate.acknowledged_by(session, desk.journal, number, person, now)
    if not remaining:
        return None
    if person is None:
        text = f"{actor.name} acknowledged; {remaining} more must, and they must be people."
        sentence = answers.people_must_acknowledge(number, remaining)
    else:
        text = f"{actor.name} acknowledged by {names.name(actor.via)}; {remaining} more must, and paging goes on for the others."
        sentence = answers.acknowledged_with_others(number, remaining, again=again)
    if not again:
        noting.note(session, desk, incident, "acknowledgement.counted", text, actor, now, {"remaining": remaining})
    return Outcome(number, not again, incident.status, sentence)


def resolve(session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, reason: str) -> Outcome:
    """Resolve, or for a constitutional incident ask for it: two keepers other than the requester must approve."""
    incident = noting.locked(session, number)
    noting.may_act(actor)
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    verdict = lifecycle.move(
        Status(incident.status), Move.RESOLVE, _by(actor), constitutional=_constitutional(incident)
    )
    if isinstance(verdict, Already):
        sentence = answers.already_resolved(number, incident.resolved_by, incident.resolved_at, now)
        return Outcome(number, False, incident.status, sentence)
    if isinstance(verdict, Withheld):
        requests.ask(session, desk, incident, "resolve", {}, actor, now, reason=reason)
        _show(session, incident, now)
        return Outcome(number, False, incident.status, answers.awaiting(number, "two keepers' approval to resolve"))
    _resolve(session, desk, incident, verdict, actor, now, reason)
    return Outcome(number, True, incident.status, answers.resolved(number))


def resolve_alert(
    session: Session, desk: Desk, alert: Alert, actor: Actor, now: datetime, *, because: str = ""
) -> Outcome:
    """The source says that this alert has ended; when all of an incident's have, it is resolved.

    One that flaps ends later, if it stays quiet. `because`: it has.
    """
    incident = noting.locked(session, alert.incident_id)
    session.refresh(alert)
    if alert.status != AlertStatus.FIRING:
        return Outcome(incident.id, False, incident.status, "It had ended before.")
    if not because and flapping.settle(session, desk, incident, alert, actor, now):
        return Outcome(incident.id, False, incident.status, "It comes and goes, and ends if it stays quiet.")
    alert.status = AlertStatus.RESOLVED
    alert.resolved_at, alert.settles_at = now, None
    facts = {"dedup_key": alert.dedup_key, "title": alert.title}
    text = because or f"{actor.name} says it has ended."
    noting.note(session, desk, incident, "alert.resolved", text, actor, now, facts)
    session.flush()
    firing = session.scalar(
        select(Alert.id).where(Alert.incident_id == incident.id, Alert.status == AlertStatus.FIRING).limit(1)
    )
    if firing is not None:
        grouping.show(session, incident, now)
        return Outcome(incident.id, False, incident.status, "Other alerts of the incident still fire.")
    verdict = lifecycle.move(Status(incident.status), Move.RESOLVE, By.SOURCE, constitutional=_constitutional(incident))
    if isinstance(verdict, Moved):
        _resolve(session, desk, incident, verdict, actor, now, because or "The source reports that it has ended.")
        return Outcome(incident.id, True, incident.status, answers.resolved(incident.id))
    if isinstance(verdict, Withheld):
        noting.note(session, desk, incident, "resolve.withheld", f"Not resolved: {verdict.why}.", actor, now)
    return Outcome(incident.id, False, incident.status, "Noted.")


def approved_resolution(
    session: Session, desk: Desk, incident: Incident, actor: Actor, now: datetime, reason: str
) -> None:
    """Two keepers have agreed; called by `governance` inside its transaction."""
    verdict = lifecycle.move(Status(incident.status), Move.RESOLVE, By.APPROVAL, constitutional=True)
    if isinstance(verdict, Moved):
        _resolve(session, desk, incident, verdict, actor, now, reason)


def escalate_now(session: Session, desk: Desk, number: int, actor: Actor, now: datetime) -> Outcome:
    """Fire the next level at once."""
    incident = noting.locked(session, number)
    noting.may_act(actor)
    if incident.status != Status.OPEN:
        raise ConflictError(f"Incident {number} is {incident.status}; only an open one is being escalated.")
    noting.note(
        session, desk, incident, "escalation.hastened", f"{actor.name} asked for the next level now.", actor, now
    )
    silences.lift(session, desk, incident, actor, now)
    level = escalate.hasten(session, desk.journal, incident.id, now)
    if level is None:
        raise ConflictError(f"Incident {number} has no escalation to hasten.")
    return Outcome(number, True, incident.status, answers.escalated(number, level))


def reach_milestone(session: Session, desk: Desk, number: int, milestone: str, actor: Actor, now: datetime) -> Outcome:
    """Mark the incident contained or recovered; `resolved` is `resolve`."""
    if milestone not in MILESTONES:
        raise InvalidInputError("No such milestone.", fields={"milestone": f"use one of {', '.join(MILESTONES)}"})
    if milestone == "resolved":
        return resolve(session, desk, number, actor, now, reason="The responders marked it resolved.")
    incident = noting.locked(session, number)
    noting.may_act(actor)
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        raise ConflictError(f"Incident {number} is {incident.status}; its milestones are set.")
    field = f"{milestone}_at"
    if getattr(incident, field) is not None:
        return Outcome(number, False, incident.status, f"{number} was marked {milestone} before.")
    setattr(incident, field, now)
    if milestone == "recovered" and incident.contained_at is None:
        incident.contained_at = now  # what is recovered is contained
    noting.note(session, desk, incident, f"milestone.{milestone}", f"{actor.name} marked it {milestone}.", actor, now)
    reviewing.open_review(session, desk.journal, incident, now)
    _show(session, incident, now)
    return Outcome(number, True, incident.status, f"{number} is marked {milestone}.")


def add_note(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, text: str, starred: bool = False
) -> Outcome:
    """A note for the timeline; starred: it is to be talked about in the review."""
    incident = noting.locked(session, number)
    noting.may_act(actor)
    text = noting.worded(text, "text", noting.NOTE_CHARACTERS_MAX)
    noting.note(
        session, desk, incident, "note.added", f"{actor.name}: {text}", actor, now, {"note": text, "starred": starred}
    )
    return Outcome(number, True, incident.status, "Noted.")


def _resolve(
    session: Session, desk: Desk, incident: Incident, verdict: Moved, actor: Actor, now: datetime, reason: str
) -> None:
    incident.status = verdict.to
    incident.resolved_at = now
    incident.resolved_by = actor.name
    incident.resolution = reason
    incident.snoozed_until = None
    session.execute(
        update(Alert)
        .where(Alert.incident_id == incident.id, Alert.status == AlertStatus.FIRING)
        .values(status=AlertStatus.RESOLVED, resolved_at=now, settles_at=None)
        .execution_options(synchronize_session="fetch")
    )
    session.execute(
        update(ChangeRequest)
        .where(ChangeRequest.incident_id == incident.id, ChangeRequest.state == RequestState.PENDING)
        .values(state=RequestState.EXPIRED, decided_at=now)
    )
    noting.note(session, desk, incident, "incident.resolved", f"{actor.name} resolved it: {reason}", actor, now)
    reviewing.open_review(session, desk.journal, incident, now)
    silences.over(session, incident, Ending.RESOLVED, now)
    _stop(session, desk, incident, f"resolved by {actor.name}", now)
    beside.withdraw(session, desk.journal, incident.id, why=f"resolved by {actor.name}", now=now)
    hooks.cancel(session, desk.journal, incident.id, why=f"resolved by {actor.name}", now=now)
    timers.cancel(session, incident.id, (*clocks.KINDS, TimerKind.SETTLE))


def _stop(session: Session, desk: Desk, incident: Incident, why: str, now: datetime) -> None:
    session.flush()
    standing = briefing.standing(session, incident, now)
    escalate.stop(session, desk.journal, incident.id, standing=standing, why=why, now=now)


def _show(session: Session, incident: Incident, now: datetime) -> None:
    session.flush()
    escalate.announce(session, incident.id, now=now, standing=briefing.standing(session, incident, now))


def _again(session: Session, desk: Desk, incident: Incident, actor: Actor, now: datetime) -> Outcome:
    """Somebody answers what somebody holds: nothing changes, but it is activity, and they need not be paged further."""
    was_asked = incident.status == Status.ACKNOWLEDGED and incident.reminded_at is not None
    if actor.responder_id is not None:
        if was_asked:
            text = f"{actor.name} answered by {names.name(actor.via)}: {incident.acknowledged_by} still has it."
            noting.note(session, desk, incident, "holder.answered", text, actor, now)
        noting.active(incident, actor, now)
        _withdraw_from(session, desk, incident, actor, now)
        if was_asked:
            _show(session, incident, now)
    return _already(incident, actor, now)


def _withdraw_from(session: Session, desk: Desk, incident: Incident, actor: Actor, now: datetime) -> None:
    session.flush()
    why = f"{actor.name} has answered"
    beside.withdraw(session, desk.journal, incident.id, responder_id=actor.responder_id, why=why, now=now)


def _already(incident: Incident, actor: Actor, now: datetime) -> Outcome:
    if incident.status == Status.ACKNOWLEDGED:
        if actor.responder_id is not None and actor.responder_id == incident.acknowledged_by_id:
            sentence = answers.already_yours(incident.id, incident.acknowledged_at, now)
        else:
            sentence = answers.already_acknowledged(
                incident.id, incident.acknowledged_by, incident.acknowledged_at, now
            )
    else:
        sentence = answers.already_resolved(incident.id, incident.resolved_by, incident.resolved_at, now)
    return Outcome(incident.id, False, incident.status, sentence)


def _by(actor: Actor) -> By:
    return By.SOURCE if actor.kind == "source" else By.PERSON


def _constitutional(incident: Incident) -> bool:
    return incident.incident_class == IncidentClass.CONSTITUTIONAL
