"""What Opsgenie's actions on an alert do here, each inside the caller's transaction.

A verb that cannot be done raises a TocsinError, whose words the request then has as its status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from config.errors import ConflictError
from incidents import actions, assigning, intake
from incidents.compat import opsgenie
from incidents.compat.opsgenie import Said
from incidents.desk import Actor, Desk
from incidents.intake import Door
from incidents.lifecycle import Status
from incidents.models import Alert
from incidents.sources import opsgenie as source
from incidents.sources import reading
from incidents.sources.base import AlertStatus

ENTRY_CHARACTERS = 1_800  # of a note in one entry of the timeline, which also says whose it is
NOT_OURS = "Noted on the timeline; whom Tocsin pages is its policies' matter."


@dataclass(frozen=True, slots=True)
class Asked:
    door: Door
    alert: Alert
    payload: Mapping[str, Any]
    now: datetime

    @property
    def said(self) -> Said:
        return opsgenie.said(self.payload)

    @property
    def actor(self) -> Actor:
        name = f"{self.door.source} ({self.door.service.key})"
        return Actor(f"{self.said.user} by {name}" if self.said.user else name, kind="source", via=self.door.source)

    @property
    def incident(self) -> int:
        return self.alert.incident_id


@dataclass(frozen=True, slots=True)
class Done:
    """`succeeded` False: what was asked for was not done, though something may have been noted."""

    status: str
    succeeded: bool = True


def close(session: Session, desk: Desk, asked: Asked) -> Done:
    _open(asked)
    _note_said(session, desk, asked)
    actions.resolve_alert(session, desk, asked.alert, asked.actor, asked.now)
    return Done("Closed alert")


def acknowledge(session: Session, desk: Desk, asked: Asked) -> Done:
    _open(asked)
    _note_said(session, desk, asked)
    outcome = actions.acknowledge(session, desk, asked.incident, asked.actor, asked.now, of=asked.alert)
    if not outcome.changed and outcome.status == Status.ACKNOWLEDGED:
        return Done("Alert is already acknowledged.", succeeded=False)
    return Done("Acknowledged alert" if outcome.changed else outcome.sentence, succeeded=outcome.changed)


def unacknowledge(session: Session, desk: Desk, asked: Asked) -> Done:
    _open(asked)
    reason = asked.said.note or "Its sender says that nobody has it."
    assigning.unacknowledge(session, desk, asked.incident, asked.actor, asked.now, reason=reason[:2_000])
    return Done("Unacknowledged alert")


def note(session: Session, desk: Desk, asked: Asked) -> Done:
    _note_said(session, desk, asked)
    return Done("Added note to alert")


def snooze(session: Session, desk: Desk, asked: Asked) -> Done:
    """Until 7 days from now at most: what is asked for beyond is cut, not refused."""
    _open(asked)
    _note_said(session, desk, asked)
    until = reading.moment(asked.payload.get("endTime")) or asked.now
    until = min(until, asked.now + assigning.SNOOZE_MAX)
    assigning.snooze(session, desk, asked.incident, asked.actor, asked.now, until=until, of=asked.alert)
    return Done("Snoozed alert")


def escalate(session: Session, desk: Desk, asked: Asked) -> Done:
    """Whichever escalation is named: Tocsin's own goes on to its next level."""
    _open(asked)
    _note_said(session, desk, asked)
    actions.escalate_now(session, desk, asked.incident, asked.actor, asked.now)
    return Done("Escalated alert to its next level")


def only_noted(session: Session, desk: Desk, asked: Asked) -> Done:
    words = reading.one_line(reading.readable(asked.payload))
    _note(session, desk, asked, f"Asked for in Opsgenie: {words}")
    return Done(NOT_OURS, succeeded=False)


def message(session: Session, desk: Desk, asked: Asked) -> Done:
    return _amend(session, desk, asked, {"message": asked.payload.get("message")}, "message")


def description(session: Session, desk: Desk, asked: Asked) -> Done:
    return _amend(session, desk, asked, {"description": asked.payload.get("description")}, "description")


def priority(session: Session, desk: Desk, asked: Asked) -> Done:
    return _amend(session, desk, asked, {"priority": asked.payload.get("priority")}, "priority")


def add_tags(session: Session, desk: Desk, asked: Asked) -> Done:
    tags = dict.fromkeys([*source.tags_of(asked.alert.raw), *source.tags_of(asked.payload)])
    return _amend(session, desk, asked, {"tags": list(tags)[: reading.LABELS_MAX]}, "tags")


def remove_tags(session: Session, desk: Desk, asked: Asked) -> Done:
    gone = set(source.tags_of(asked.payload))
    return _amend(session, desk, asked, {"tags": [t for t in source.tags_of(asked.alert.raw) if t not in gone]}, "tags")


def add_details(session: Session, desk: Desk, asked: Asked) -> Done:
    """As many as are labels: what grows with each call needs an end."""
    new = {
        name: reading.cut(reading.label_text(value), reading.LABEL_CHARACTERS_MAX)
        for name, value in _details(asked.payload).items()
    }
    details = {**new, **_details(asked.alert.raw), **new}
    kept = dict(list(details.items())[: reading.LABELS_MAX])
    return _amend(session, desk, asked, {"details": kept}, "details")


def remove_details(session: Session, desk: Desk, asked: Asked) -> Done:
    gone = set(map(str, source.items_of(asked.payload.get("keys"))))
    details = {name: value for name, value in _details(asked.alert.raw).items() if name not in gone}
    return _amend(session, desk, asked, {"details": details}, "details")


Verb = Callable[[Session, Desk, Asked], Done]

# (method, the path's last part) -> what Opsgenie calls it, and what it does here. Deleting ends an alert: nothing that
# was accepted is ever taken away.
VERBS: Mapping[tuple[str, str], tuple[str, Verb]] = {
    ("POST", "close"): ("Close", close),
    ("POST", "acknowledge"): ("Acknowledge", acknowledge),
    ("POST", "unacknowledge"): ("UnAcknowledge", unacknowledge),
    ("POST", "notes"): ("AddNote", note),
    ("POST", "snooze"): ("Snooze", snooze),
    ("POST", "escalate"): ("EscalateToNext", escalate),
    ("POST", "assign"): ("Assign", only_noted),
    ("POST", "responders"): ("AddResponder", only_noted),
    ("POST", "teams"): ("AddTeam", only_noted),
    ("POST", "actions"): ("ExecuteCustomAction", only_noted),
    ("POST", "tags"): ("AddTags", add_tags),
    ("POST", "details"): ("AddDetails", add_details),
    ("PUT", "message"): ("UpdateMessage", message),
    ("PUT", "description"): ("UpdateDescription", description),
    ("PUT", "priority"): ("UpdatePriority", priority),
    ("DELETE", "tags"): ("RemoveTags", remove_tags),
    ("DELETE", "details"): ("RemoveDetails", remove_details),
    ("DELETE", ""): ("Delete", close),
}
# What a body must hold: Opsgenie refuses these at once, as a sender's mistake.
NEEDED: Mapping[tuple[str, str], str] = {
    ("POST", "notes"): "note",
    ("POST", "snooze"): "endTime",
    ("PUT", "message"): "message",
    ("PUT", "priority"): "priority",
}


def refused(verb: tuple[str, str], payload: Mapping[str, Any]) -> opsgenie.Refusal | None:
    field = NEEDED.get(verb)
    if field is None:
        return None
    written = reading.text_of(payload.get(field)).strip()
    if not written:
        return opsgenie.unprocessable(field, f"{field[0].upper()}{field[1:]} can not be empty.")
    if field == "endTime" and reading.moment(written) is None:
        return opsgenie.unprocessable(field, "EndTime is not a time such as 2026-11-21T08:00:00Z.")
    if field == "priority" and written.upper() not in source.PRIORITIES:
        return opsgenie.unprocessable(field, "Priority must be one of P1, P2, P3, P4 and P5.")
    return None


def _open(asked: Asked) -> None:
    if asked.alert.status != AlertStatus.FIRING:
        raise ConflictError("Alert is already closed.")


def _note_said(session: Session, desk: Desk, asked: Asked) -> None:
    if asked.said.note:
        _note(session, desk, asked, asked.said.note)


def _note(session: Session, desk: Desk, asked: Asked, text: str) -> None:
    """Whole: a long one takes several entries."""
    for at in range(0, len(text), ENTRY_CHARACTERS):
        part = text[at : at + ENTRY_CHARACTERS]
        if part.strip():
            actions.add_note(session, desk, asked.incident, asked.actor, asked.now, text=part)


def _amend(session: Session, desk: Desk, asked: Asked, new: Mapping[str, Any], what: str) -> Done:
    """The alert as if it had come so: read and classified again, so that a rise wakes people."""
    _open(asked)
    (incoming,) = source.parse({**asked.alert.raw, **new}, now=asked.now)
    text = f"{asked.actor.name} changed its {what}."
    intake.amend(session, desk, asked.door, asked.alert, incoming, asked.now, actor=asked.actor, text=text)
    return Done(f"Updated {what} of alert")


def _details(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    details = payload.get("details")
    return details if isinstance(details, Mapping) else {}
