"""Giving an incident into other hands: to one person, to another policy, to more people, to nobody, to a later hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from config.clock import utc_text
from config.errors import ConflictError, InvalidInputError, NotAllowedError
from escalation import beside, escalate, handing, responders, settled
from escalation.channels import wording
from escalation.models import Responder, TimerKind
from escalation.paging import timers
from escalation.paging.timers import Claimed
from incidents import actions, briefing, clocks, grouping, lifecycle, noting, routing, silences
from incidents.desk import Actor, Desk, Outcome
from incidents.lifecycle import Status
from incidents.models import Alert, Incident
from incidents.severity import IncidentClass, Severity

SNOOZE_MAX = timedelta(days=7)


def reassign(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, to: str, reason: str = ""
) -> Outcome:
    """Page this person first, and whoever has it gives it up; if they do not answer, the policy's later levels follow.

    Who names themselves takes it over without being paged.
    """
    incident = _going_on(session, number, actor)
    person = _person(session, to)
    if actor.responder_id == person.id:
        return _take_over(session, desk, incident, actor, now)
    why = f": {noting.worded(reason, 'reason', noting.REASON_CHARACTERS_MAX)}" if reason else "."
    text = f"{actor.name} reassigned it to {person.name}{why}"
    if not clocks.take_back(session, desk, incident, text, actor, now, kind="incident.reassigned"):
        noting.note(session, desk, incident, "incident.reassigned", text, actor, now, {"responder": person.key})
    silences.lift(session, desk, incident, actor, now)
    urgency = routing.urgency_of(Severity(incident.severity))
    standing = briefing.standing(session, incident, now)
    note = f"{actor.name} gives it to you{why.rstrip('.')}"
    if not handing.hand_to(
        session, desk.journal, number, person, note=note, urgency=urgency, standing=standing, now=now
    ):
        raise ConflictError(f"{person.name} has no address in use, so nobody could page them. Nothing was done.")
    return Outcome(number, True, incident.status, f"{number} is {person.name}'s: they are paged now.")


def reassign_to_policy(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, to: str, reason: str = ""
) -> Outcome:
    """Begin anew with another policy, which is frozen into the incident as the first one was."""
    incident = _going_on(session, number, actor)
    policy = settled.find(session, to)
    if policy is None:
        raise InvalidInputError("No such policy.", fields={"policy": f'there is no policy "{to[:64]}"'})
    why = f": {noting.worded(reason, 'reason', noting.REASON_CHARACTERS_MAX)}" if reason else "."
    text = f"{actor.name} handed it to the policy {policy.key}, which begins anew{why}"
    if not clocks.take_back(session, desk, incident, text, actor, now, kind="incident.reassigned"):
        noting.note(session, desk, incident, "incident.reassigned", text, actor, now, {"policy": policy.key})
    silences.lift(session, desk, incident, actor, now)
    handing.begin_anew(
        session,
        desk.journal,
        number,
        policy=policy,
        last_resort=settled.last_resort(session),
        urgency=routing.urgency_of(Severity(incident.severity)),
        standing=briefing.standing(session, incident, now),
        now=now,
    )
    return Outcome(number, True, incident.status, f"{number} goes by the policy {policy.key} now, from its beginning.")


def add_responder(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, responder: str, reason: str = ""
) -> Outcome:
    """Page one more person, whoever has it; nobody gives anything up."""
    incident = _going_on(session, number, actor)
    person = _person(session, responder)
    if actor.responder_id == person.id:
        problem = "you know of it; acknowledge it, or have it handed over to you"
        raise InvalidInputError("Nobody is paged by themselves.", fields={"responder": problem})
    said = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX) if reason else ""
    note = f"{actor.name} asks for your help{': ' + said if said else ''}"
    if beside.add(session, number, person.id, note=note, now=now) is None:
        raise ConflictError(f"{person.name} has no address in use, so nobody could page them. Nothing was done.")
    text = f"{actor.name} asked {person.name} to help{': ' + said if said else '.'}"
    noting.note(session, desk, incident, "responder.added", text, actor, now, {"responder": person.key})
    return Outcome(number, True, incident.status, f"{person.name} is paged for {number}.")


def unacknowledge(session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, reason: str) -> Outcome:
    """Give it back: the level that had been reached fires again."""
    incident = _going_on(session, number, actor)
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    text = f"{actor.name} took the acknowledgement back: {reason}"
    if not clocks.take_back(session, desk, incident, text, actor, now):
        raise ConflictError(f"Incident {number} is {incident.status}; there is no acknowledgement to take back.")
    if actor.kind != "source":
        silences.lift(session, desk, incident, actor, now)
    clocks.resume(session, desk, incident, now)
    return Outcome(number, True, incident.status, f"{number} is nobody's any more; people are paged again.")


def snooze(
    session: Session,
    desk: Desk,
    number: int,
    actor: Actor,
    now: datetime,
    *,
    until: datetime,
    of: Alert | None = None,
) -> Outcome:
    """Whoever has it (or else the actor) is left in peace until then; then nobody has it, and paging goes on.

    A constitutional incident is never snoozed. The source of its alert may snooze an operational one, as it may
    acknowledge it. `of`: the alert that it means.
    """
    incident = _going_on(session, number, actor)
    if actor.responder_id is None and actor.kind != "source":
        raise NotAllowedError(f"Only a person can snooze an incident; {actor.name} is a program.")
    if incident.incident_class == IncidentClass.CONSTITUTIONAL:
        raise ConflictError(f"Incident {number} is constitutional, and those are never snoozed. A keeper may hold it.")
    if of is not None and not grouping.speaks_for_all(session, incident, of):
        raise ConflictError(f"Incident {number} cannot be snoozed by {actor.name}: {lifecycle.ONE_OF_SEVERAL}.")
    if until <= now or until > now + SNOOZE_MAX:
        problem = f"must lie between now and {SNOOZE_MAX.days} days from now"
        raise InvalidInputError("It cannot be snoozed until then.", fields={"until": problem})
    if incident.status == Status.OPEN:
        outcome = actions.acknowledge(session, desk, number, actor, now, of=of)
        if incident.status != Status.ACKNOWLEDGED:
            raise ConflictError(f"{outcome.sentence} It cannot be snoozed before.")
    clocks.stop(session, incident)
    incident.snoozed_until = until
    timers.set_timer(session, TimerKind.SNOOZE, number, number, until)
    text = f"{actor.name} snoozed it until {wording.moment(until, now)}."
    noting.note(session, desk, incident, "incident.snoozed", text, actor, now, {"until": utc_text(until)})
    return Outcome(
        number, True, incident.status, f"{number} is quiet until {wording.moment(until, now)}; then people are paged."
    )


def snooze_ends(session: Session, desk: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act."""
    incident = noting.locked(session, claimed.subject_id)
    if not timers.still_held(session, claimed):
        return
    timers.finish(session, claimed)
    if incident.snoozed_until is None:
        return
    text = "The snooze has ended; nobody has it any more."
    if clocks.take_back(session, desk, incident, text, clocks.TOCSIN, now):
        clocks.resume(session, desk, incident, now)


def _take_over(session: Session, desk: Desk, incident: Incident, actor: Actor, now: datetime) -> Outcome:
    if incident.status == Status.OPEN:
        return actions.acknowledge(session, desk, incident.id, actor, now)
    if incident.acknowledged_by_id == actor.responder_id:
        return Outcome(incident.id, False, incident.status, f"{incident.id} is already yours.")
    text = f"{actor.name} took it over from {incident.acknowledged_by}."
    if incident.acknowledged_by_id is not None:
        beside.withdraw(session, desk.journal, incident.id, responder_id=incident.acknowledged_by_id, why=text, now=now)
    incident.acknowledged_by, incident.acknowledged_by_id, incident.acknowledged_at = (
        actor.name,
        actor.responder_id,
        now,
    )
    incident.snoozed_until = None
    noting.note(session, desk, incident, "incident.taken_over", text, actor, now)
    session.flush()
    clocks.stop(session, incident)
    clocks.start(session, incident, now)
    escalate.announce(session, incident.id, now=now, standing=briefing.standing(session, incident, now))
    return Outcome(incident.id, True, incident.status, f"{incident.id} is yours now.")


def _going_on(session: Session, number: int, actor: Actor) -> Incident:
    incident = noting.locked(session, number)
    noting.may_act(actor)
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        raise ConflictError(f"Incident {number} is {incident.status}; nobody is paged for it any more.")
    return incident


def _person(session: Session, key: str) -> Responder:
    person = responders.by_key(session, key)
    if person is None:
        raise InvalidInputError("No such responder.", fields={"responder": f'there is no responder "{key[:64]}"'})
    return person
