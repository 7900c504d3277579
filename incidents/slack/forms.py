"""What people send in a modal's form: which verb it is, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from config.errors import InvalidInputError
from escalation.channels.slack_inbound import Said
from incidents import actions, assigning, governance, manual, noting, reclassifying, stepping
from incidents.desk import Actor, Desk, Outcome
from incidents.severity import IncidentClass, Severity
from incidents.slack.form_views import KEPT, STARRED


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent; `number` is 0 in one about no incident."""

    said: Said
    number: int

    def text(self, field: str) -> str:
        found = self.said.fields.get(field, "")
        return found.strip() if isinstance(found, str) else ""

    def ticks(self, field: str) -> list[str]:
        """Of all groups that the boxes were cut into."""
        found: list[str] = []
        for name, entered in self.said.fields.items():
            if name.partition(".")[0] == field and isinstance(entered, tuple):
                found += entered
        return found


Verb = Callable[[Session, Desk, Sent, Actor, datetime], Outcome]


def _resolve(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    return actions.resolve(session, desk, sent.number, who, now, reason=sent.text("reason"))


def _decide(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    reason = noting.worded(sent.text("reason"), "reason", noting.REASON_CHARACTERS_MAX)
    action, decision = sent.text("action"), sent.text("decision")
    return governance.decide(session, desk, sent.number, who, now, action=action, decision=decision, reason=reason)


def _note(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    starred = bool(sent.ticks(STARRED))
    return actions.add_note(session, desk, sent.number, who, now, text=sent.text("text"), starred=starred)


def _severity(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    return reclassifying.reclassify(
        session,
        desk,
        sent.number,
        who,
        now,
        new_severity=_severity_of(sent),
        new_class=next((each for each in IncidentClass if each.value == sent.text("class")), None),
        reason=sent.text("reason"),
    )


def _snooze(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    seconds = sent.text("until")
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 9):
        raise InvalidInputError("Say for how long.", fields={"until": "choose one"})
    return assigning.snooze(session, desk, sent.number, who, now, until=now + timedelta(seconds=int(seconds)))


def _add(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    to, reason = sent.text("responder"), sent.text("reason")
    return assigning.add_responder(session, desk, sent.number, who, now, responder=to, reason=reason)


def _reassign(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    return assigning.reassign(
        session, desk, sent.number, who, now, to=sent.text("responder"), reason=sent.text("reason")
    )


def _steps(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    """All of them or none: a step that may not be ticked yet is named under the boxes."""
    steps = sorted(int(each) for each in sent.ticks("steps") if each.isascii() and each.isdecimal() and len(each) < 6)
    if not steps:
        raise InvalidInputError("Nothing was ticked.", fields={"steps": "tick a step, or close this"})
    done = [stepping.tick(session, desk, sent.number, each, who, now, note=sent.text("note")) for each in steps]
    sentence = " ".join(each.sentence for each in done)
    return Outcome(sent.number, any(each.changed for each in done), done[0].status, sentence)


def _open(session: Session, desk: Desk, sent: Sent, who: Actor, now: datetime) -> Outcome:
    return report(
        session, desk, who, now,
        service=sent.text("service"), title=sent.text("title"),
        description=sent.text("description"), severity=_severity_of(sent),
    )  # fmt: skip


def report(
    session: Session, desk: Desk, who: Actor, now: datetime,
    *, service: str, title: str, description: str = "", severity: Severity | None = None,
) -> Outcome:  # fmt: skip
    received = manual.report(
        session, desk, who, now, service=service, title=title, description=description, severity=severity
    )
    number = received.incident_id or 0
    return Outcome(number, received.opened, "open", f"{number} is open: {desk.base_url}/incidents/{number}")


VERBS: dict[str, Verb] = {
    "resolve": _resolve,
    "decide": _decide,
    "note": _note,
    "severity": _severity,
    "snooze": _snooze,
    "add": _add,
    "reassign": _reassign,
    "steps": _steps,
    "open": _open,
}


def _severity_of(sent: Sent) -> Severity | None:
    chosen = sent.text("severity")
    return None if chosen == KEPT else next((each for each in Severity if each.value == chosen), None)
