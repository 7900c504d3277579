"""Whose a thing is: a declared file's, which alone may change it then, or people's, who edit it in the browser.

Applying a file touches what is the file's. What people own stays as it is, and the file may refer to it by name. A
file that declares a thing of people's takes it over, and says so; one that no longer declares what a policy of
people's refers to hands it over. Overrides, time off and what people set for
themselves belong to nobody's file and survive it.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.changes import Changes
from escalation.declared_names import Beside
from escalation.models import HoursRow, Owner, PolicyRow, Responder, ScheduleRow
from escalation.oncall.hours import Hours
from escalation.oncall.schedules import Schedule
from escalation.policies import Level, Policy

CONFIGURATION_LOCK = 0x746F6373_636F6E66  # "tocsconf": PostgreSQL's advisory locks are named by a number
NOW_THE_FILES = "now declared in the file"
NOW_PEOPLES = "not declared any more; people's now, whose policy refers to it"


def of_people(session: Session) -> Beside:
    """What people own."""
    people = select(Responder.key).where(Responder.owner == Owner.PEOPLE, Responder.active)
    plans = (select(table.key).where(table.owner == Owner.PEOPLE) for table in (ScheduleRow, PolicyRow))
    hours = select(HoursRow.definition).where(HoursRow.owner == Owner.PEOPLE).order_by(HoursRow.key)
    names = [frozenset(session.scalars(statement)) for statement in (people, *plans)]
    stored = select(ScheduleRow.definition).where(ScheduleRow.owner == Owner.PEOPLE).order_by(ScheduleRow.key)
    plans_read = map(Schedule.from_json, session.scalars(stored))
    groups = tuple((plan.slack_usergroup, plan.key) for plan in plans_read if plan.slack_usergroup)
    return Beside(names[0], names[1], names[2], tuple(map(Hours.from_json, session.scalars(hours))), groups)


def take_over(row: Responder | ScheduleRow | PolicyRow | HoursRow, what: str, changes: Changes) -> None:
    """The file declares it: it is the file's from now on."""
    if row.owner != Owner.FILE:
        row.owner = Owner.FILE
        changes.told(what, NOW_THE_FILES)


def hand_over(row: ScheduleRow | HoursRow, what: str, changes: Changes) -> None:
    """The file says it no more, and people's policies go on referring to it: else nobody could change it any more."""
    row.owner = Owner.PEOPLE
    changes.told(what, NOW_PEOPLES)


def levels_of_people(session: Session) -> list[Level]:
    """Of the policies that people own."""
    stored = session.scalars(select(PolicyRow.definition).where(PolicyRow.owner == Owner.PEOPLE))
    return [level for definition in stored for level in Policy.from_json(definition).levels]


def one_at_a_time(session: Session) -> None:
    """Who changes the configuration does it alone until the transaction ends. On SQLite every writing transaction has its turn anyway."""
    if session.get_bind().dialect.name == "postgresql":
        # A statement of its own: the next one must see what the previous holder of the lock committed.
        session.execute(select(func.pg_advisory_xact_lock(CONFIGURATION_LOCK)))
