"""What stands between a file and the database: what applying it now would change, and what no file says.

Somebody changed the file and did not apply it, or something else changed the database: that is drift. Overrides, things
that people own and addresses that were found not to work are no drift; they are told because whoever reads the file
alone would not know of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escalation.models import ContactMethod, HoursRow, OverrideRow, Owner, PolicyRow, Responder, ScheduleRow
from escalation.oncall.models import AbsenceRow
from incidents import silence_rows, silence_words
from incidents.configuration import Configuration
from incidents.models import Service
from incidents.silence_models import SilenceRow

OVERRIDES_TOLD_MAX = 20
MOMENT = "%Y-%m-%d %H:%M"
_THINGS: tuple[tuple[str, type[Responder] | type[ScheduleRow] | type[HoursRow] | type[PolicyRow]], ...] = (
    ("responder", Responder),
    ("schedule", ScheduleRow),
    ("hours", HoursRow),
    ("policy", PolicyRow),
)


def beside(session: Session, file_says: Configuration, now: datetime) -> list[str]:
    """A line for each thing that is in force, once the file is applied, and that the file does not say."""
    declared = {f"schedule {each.key}" for each in file_says.escalation.schedules}
    declared |= {f"policy {each.key}" for each in file_says.escalation.policies}
    return [
        *_owned(session, declared),
        *_kept_services(session, {each.key for each in file_says.services}),
        *_overrides(session, now),
        *_time_off(session, now),
        *_silences(session, now),
        *_addresses(session),
    ]


def _owned(session: Session, declared: set[str]) -> Iterator[str]:
    for word, table in _THINGS:
        for key, owner in session.execute(select(table.key, table.owner).order_by(table.key)):
            if owner == Owner.PEOPLE:
                yield f"{word} {key}: people own it and edit it in the browser"
            elif word not in ("responder", "hours") and f"{word} {key}" not in declared:
                yield f"{word} {key}: not declared any more, and kept because something still refers to it"


def _kept_services(session: Session, declared: set[str]) -> Iterator[str]:
    for key in session.scalars(select(Service.key).order_by(Service.key)):
        if key not in declared:
            yield f"service {key}: not declared any more, and kept for its history, without a way in"


def _overrides(session: Session, now: datetime) -> Iterator[str]:
    statement = (
        select(OverrideRow, ScheduleRow.key)
        .join(ScheduleRow, ScheduleRow.id == OverrideRow.schedule_id)
        .where(OverrideRow.ends_at > now)
        .order_by(OverrideRow.starts_at, OverrideRow.id)
    )
    found = session.execute(statement).all()
    keys = {row.id: row.key for row in session.execute(select(Responder.id, Responder.key))}
    for row, schedule in found[:OVERRIDES_TOLD_MAX]:
        on, off = keys.get(row.responder_id or 0), keys.get(row.replaces_id or 0)
        does = f"{on} instead of {off}" if on and off else f"{on} in addition" if on else f"without {off}"
        yield f"schedule {schedule}: override by {row.created_by}, {does}, {_span(row.starts_at, row.ends_at)}"
    if len(found) > OVERRIDES_TOLD_MAX:
        yield f"and {len(found) - OVERRIDES_TOLD_MAX} more overrides that are not over"


def _time_off(session: Session, now: datetime) -> Iterator[str]:
    statement = (
        select(Responder.key, AbsenceRow.starts_at, AbsenceRow.ends_at)
        .join(Responder, Responder.id == AbsenceRow.responder_id)
        .where(AbsenceRow.ends_at > now, ~AbsenceRow.declared)
        .order_by(AbsenceRow.starts_at, AbsenceRow.id)
    )
    for key, starts_at, ends_at in session.execute(statement):
        yield f"responder {key}: time off that they entered, {_span(starts_at, ends_at)}"


def _silences(session: Session, now: datetime) -> Iterator[str]:
    rows = session.scalars(
        select(SilenceRow).where(SilenceRow.ended_at.is_(None), SilenceRow.name == "").order_by(SilenceRow.id)
    ).all()
    for row in (row for row in rows if not silence_rows.value(row).is_over(now)):
        whom = silence_words.fits(row.services, row.labels, row.title)
        until = f"until {row.ends_at:{MOMENT}} UTC" if row.ends_at else "until it is ended"
        yield f"silence {row.id} by {row.created_by}: {whom}, {until}"


def _span(starts_at: datetime, ends_at: datetime) -> str:
    return f"{starts_at:{MOMENT}} to {ends_at:{MOMENT}} UTC"


def _addresses(session: Session) -> Iterator[str]:
    of_active = select(Responder.key, func.count()).join(ContactMethod, ContactMethod.responder_id == Responder.id)
    of_active = of_active.where(Responder.active).group_by(Responder.key).order_by(Responder.key)
    for key, count in session.execute(of_active.where(~ContactMethod.declared)):
        yield f"responder {key}: {count} contact {'method' if count == 1 else 'methods'} of their own"
    statement = (
        select(Responder.key, ContactMethod.channel, ContactMethod.disabled_reason)
        .join(Responder, Responder.id == ContactMethod.responder_id)
        .where(ContactMethod.disabled_reason != "", Responder.active)
        .order_by(Responder.key, ContactMethod.channel)
    )
    for key, channel, reason in session.execute(statement):
        yield f"responder {key}: {channel} is out of use: {reason}"
    own_rules = select(Responder.key).where(Responder.page_by_origin == "own", Responder.active).order_by(Responder.key)
    for key in session.scalars(own_rules):
        yield f"responder {key}: paged by rules of their own"
