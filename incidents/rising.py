"""What a change of severity does to the paging: a rise may wake people anew, a fall lets a running one be."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from escalation import beside, escalate
from escalation.channels import wording
from incidents import briefing, clocks, flapping, judging, noting, remedying, routing, severity, silences
from incidents.classification import Classification
from incidents.desk import Actor, Desk
from incidents.lifecycle import Status
from incidents.models import Alert, Incident, Service
from incidents.severity import IncidentClass, Severity
from runbook_links import links
from runbook_links.matching import Wanted

TOCSIN = Actor(name="tocsin", kind="engine", via="classification")


def after_alert(
    session: Session, desk: Desk, incident: Incident, alert: Alert, found: Classification, now: datetime
) -> None:
    """A later alert may raise class and severity, never lower them."""
    old_class, old = IncidentClass(incident.incident_class), Severity(incident.severity)
    new_class = severity.class_after_repeat(old_class, found.incident_class)
    new = severity.after_repeat(old, found.severity)
    if (new_class, new) == (old_class, old):
        return
    alert.severity = found.severity
    incident.confirm_class = incident.confirm_class or found.confirm_class
    if incident.group_key:
        incident.title = alert.title  # of several it is named after the worst: pages say that title first
    incident.incident_class = new_class
    incident.classification = judging.explanation(found)
    facts = {"from": [old_class.value, old.value], "to": [new_class.value, new.value], "record": found.record}
    text = f"Raised from {old_class} {old} to {new_class} {new}: {found.sentence}"
    noting.note(session, desk, incident, "incident.raised", text, TOCSIN, now, facts)
    to(session, desk, incident, new, now)


def to(
    session: Session, desk: Desk, incident: Incident, new: Severity, now: datetime, *, by_person: bool = False
) -> None:
    """Set the severity and do what follows. A rise to what one pages for un-acknowledges, and any that is told of ends
    a snooze, unless a person made it while holding the incident: they are awake and know. Nor if it would be held back
    then: nobody at all would have it."""
    old = Severity(incident.severity)
    incident.severity = new
    incident.severity_peak = severity.worst(Severity(incident.severity_peak), new)
    session.flush()
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        return
    wakes = routing.wakes_again(old, new)
    kept = taken_back = False
    if (
        (wakes or (incident.snoozed_until is not None and routing.begins_anew(old, new)))
        and incident.status == Status.ACKNOWLEDGED
        and not by_person
        and not (kept := _left(session, desk, incident, now))
    ):
        text = f"The severity rose to {new}; the acknowledgement no longer holds, and people are paged anew."
        taken_back = clocks.take_back(session, desk, incident, text, TOCSIN, now)
    tell(session, desk, incident, now)
    if incident.silenced_until is not None:
        silences.look_again(session, desk, incident, now)  # if it is silenced no more, all that follows has been done
        return
    if taken_back and silences.hold(session, desk, incident, now):
        return
    if incident.incident_class == IncidentClass.CONSTITUTIONAL:
        remedying.forbid(session, desk, incident, now)
    elif routing.begins_anew(old, new) and not kept:
        remedying.begin(session, desk, incident, session.get_one(Service, incident.service_id), now)
    if incident.status == Status.OPEN and (wakes or routing.begins_anew(old, new)):
        escalate.resume(
            session,
            desk.journal,
            incident.id,
            urgency=routing.urgency_of(new),
            standing=briefing.standing(session, incident, now),
            now=now,
        )
    elif incident.incident_class == IncidentClass.CONSTITUTIONAL and (why := _no_person_has_it(incident)):
        text = f"It is constitutional now, and {why}; nobody has it any more."
        if clocks.take_back(session, desk, incident, text, TOCSIN, now):
            clocks.resume(session, desk, incident, now)
    elif routing.begins_anew(old, new):
        clocks.start(session, incident, now)  # held, and nobody was waiting for it before


def _left(session: Session, desk: Desk, incident: Incident, now: datetime) -> bool:
    """Whether who has it keeps it, because a silence would hold it back from all others. They are told, quietly.

    Not if a program has it, nobody can be told, or it is snoozed: then people are woken once the silence is over.
    """
    holder = incident.acknowledged_by_id if incident.snoozed_until is None else None
    hold = silences.find(session, incident, now) if holder is not None else None
    if hold is None or holder is None:
        return False
    until = wording.moment(hold.until, now)
    title = wording.one_line(incident.title, clocks.TITLE_CHARACTERS_SHOWN)
    note = f"Incident {incident.id}, which you have, rose to {incident.severity}; nobody else is woken until {until}: {title}"
    told = beside.tell(session, incident.id, holder, note=note, now=now)
    if told is None:
        return False
    text = (
        f"The severity rose to {incident.severity}. Nobody is woken anew until {until}: it would be held back "
        f"{hold.words}. {told.name} still has it, and is told."
    )
    facts = {"responder": told.key, "silences": sorted(hold.of)}
    noting.note(session, desk, incident, "acknowledgement.kept", text, TOCSIN, now, facts)
    return True


def _no_person_has_it(incident: Incident) -> str:
    """Of one that is not open: why a constitutional one cannot be left so; empty if a person has it."""
    if incident.snoozed_until is not None:
        return "those are never snoozed"
    return "" if incident.acknowledged_by_id is not None else f"{incident.acknowledged_by} is no person"


def tell(session: Session, desk: Desk, incident: Incident, now: datetime) -> None:
    """What is known of it has changed: its runbook may, and its messages say it."""
    alert = briefing.leading(session, incident)
    service = session.get_one(Service, incident.service_id)
    wanted = Wanted(
        rule_runbook=str(incident.classification.get("runbook", {}).get("id", "")),
        service=service.key,
        default_runbook=service.runbook,
        labels=alert.labels,
        alert_name=alert.labels.get("alertname", ""),
        incident_class=incident.incident_class,
        severity=incident.severity,
        title=incident.title,
    )
    link = links.reattach(session, desk.journal, desk.shelf, incident.id, wanted, now)
    flaps = flapping.sentence(session, alert)
    brief = briefing.brief(incident, alert, service.key, link, base_url=desk.base_url, shelf=desk.shelf, flaps=flaps)
    standing = briefing.standing(session, incident, now)
    escalate.rebrief(session, desk.journal, incident.id, brief=brief, standing=standing, now=now)
