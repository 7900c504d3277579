"""The ground that readiness is judged by, from the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import ground, responders, settled
from escalation.ground import Coverage, Ground, Member, Span
from escalation.models import ContactMethod, Responder
from escalation.oncall import rota
from escalation.oncall.models import AbsenceRow, CalendarCopy
from escalation.oncall.schedules import AHEAD_DAYS, Roster
from escalation.policies import Target


def of_database(
    session: Session,
    now: datetime,
    *,
    policies_in_use: Collection[str],
    runbooks: Collection[str],
    channels: Collection[str] | None = None,
) -> Ground:
    """`channels`: those that are configured; None if that is not known here."""
    return Ground(
        now=now,
        people=_people(session, now),
        coverage=_coverage(session, now),
        policies={policy.key: policy for policy in settled.policies(session)},
        last_resort=tuple(map(Target.parse, settled.last_resort(session))),
        policies_in_use=frozenset(policies_in_use),
        runbooks=frozenset(runbooks),
        channels=None if channels is None else frozenset(channels),
    )


def _people(session: Session, now: datetime) -> dict[str, Member]:
    methods: defaultdict[int, list[ContactMethod]] = defaultdict(list)
    for method in session.scalars(select(ContactMethod).order_by(ContactMethod.id)):
        methods[method.responder_id].append(method)
    off: defaultdict[int, list[Span]] = defaultdict(list)
    coming = select(AbsenceRow.responder_id, AbsenceRow.starts_at, AbsenceRow.ends_at).where(AbsenceRow.ends_at > now)
    for responder_id, starts_at, ends_at in session.execute(coming):
        off[responder_id].append((starts_at, ends_at))
    rows = session.scalars(select(Responder).order_by(Responder.key)).all()
    used = responders.usable(session, [row.id for row in rows])
    return {row.key: _member(row, used.get(row.id, {}), methods[row.id], off[row.id]) for row in rows}


def _member(
    row: Responder, used: Mapping[str, str], methods: Collection[ContactMethod], off: Collection[Span]
) -> Member:
    return Member(
        key=row.key,
        name=row.name,
        active=row.active,
        roles=frozenset(row.roles),
        addresses=used,
        verified=frozenset(
            method.channel for method in methods if method.verified_at and used.get(method.channel) == method.address
        ),
        disabled={method.channel: method.disabled_reason for method in methods if method.disabled_reason},
        quiet=row.quiet,
        begins_seconds=min((step["after_seconds"] for step in row.page_by.get("high", ())), default=0),
        off=tuple(off),
    )


def _coverage(session: Session, now: datetime) -> dict[str, Coverage]:
    failing = {
        copy.url_hash: [copy.error, *copy.findings] if copy.error else copy.findings
        for copy in session.scalars(select(CalendarCopy))
    }
    found = rota.rosters(session, now, now + timedelta(days=AHEAD_DAYS))
    return {roster.schedule.key: ground.coverage_of(roster, now, _errors(roster, failing)) for roster in found}


def _errors(roster: Roster, failing: dict[str, list[str]]) -> tuple[str, ...]:
    hashes = [rota.calendar_hash(each.calendar) for each in roster.schedule.rotations if each.calendar]
    return tuple(error for each in hashes for error in failing.get(each, ()))
