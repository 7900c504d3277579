"""Whose a thing is: a declared file's, which alone may change it then, or people's, who edit it in the browser.

Applying a file touches what is the file's. What people own stays as it is, and the file may refer to it by name. A
file that declares a thing of people's takes it over, and says so. Overrides, time off and what people set for
themselves belong to nobody's file and survive it.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.changes import Changes
from escalation.declared_names import Beside
from escalation.models import HoursRow, Owner, PolicyRow, Responder, ScheduleRow
from escalation.oncall.hours import Hours

NOW_THE_FILES = "now declared in the file"


def of_people(session: Session) -> Beside:
    """What people own."""
    people = select(Responder.key).where(Responder.owner == Owner.PEOPLE, Responder.active)
    plans = (select(table.key).where(table.owner == Owner.PEOPLE) for table in (ScheduleRow, PolicyRow))
    hours = select(HoursRow.definition).where(HoursRow.owner == Owner.PEOPLE).order_by(HoursRow.key)
    names = [frozenset(session.scalars(statement)) for statement in (people, *plans)]
    return Beside(names[0], names[1], names[2], tuple(map(Hours.from_json, session.scalars(hours))))


def take_over(row: Responder | ScheduleRow | PolicyRow | HoursRow, what: str, changes: Changes) -> None:
    """The file declares it: it is the file's from now on."""
    if row.owner != Owner.FILE:
        row.owner = Owner.FILE
        changes.told(what, NOW_THE_FILES)
