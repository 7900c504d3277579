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

NOW_THE_FILES = "now declared in the file"


def of_people(session: Session) -> Beside:
    """What people own."""
    people = select(Responder.key).where(Responder.owner == Owner.PEOPLE, Responder.active)
    found = [select(row.key).where(row.owner == Owner.PEOPLE) for row in (ScheduleRow, PolicyRow, HoursRow)]
    return Beside(*(frozenset(session.scalars(statement)) for statement in (people, *found)))


def take_over(row: Responder | ScheduleRow | PolicyRow | HoursRow, what: str, changes: Changes) -> None:
    """The file declares it: it is the file's from now on."""
    if row.owner != Owner.FILE:
        row.owner = Owner.FILE
        changes.told(what, NOW_THE_FILES)
