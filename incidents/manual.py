"""An incident that a person reports. It goes the way of an alert: classified, deduplicated, escalated."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import ids
from config.errors import InvalidInputError
from incidents import apply, intake, noting
from incidents.desk import Actor, Desk
from incidents.intake import Door, Received
from incidents.judging import Report
from incidents.models import Integration, Service
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus, IncomingAlert

SOURCE = "manual"
TITLE_CHARACTERS_MAX = 500
DESCRIPTION_CHARACTERS_MAX = 20_000
DEDUP_KEY_CHARACTERS_MAX = 255


def report(
    session: Session, desk: Desk, actor: Actor, now: datetime,
    *, service: str, title: str, description: str = "", severity: Severity | None = None,
    incident_class: IncidentClass | None = None, dedup_key: str = "",
) -> Received:  # fmt: skip
    """`severity` and `incident_class` are the reporter's own, beside the automatic result: see judging.Report.

    With a `dedup_key` that is open already for this service, it is counted as a repeat of that one.
    """
    noting.may_act(actor)
    incoming = IncomingAlert(
        source=SOURCE,
        dedup_key=dedup_key.strip() or f"{SOURCE}/{ids.new_key()}",
        status=AlertStatus.FIRING,
        title=noting.worded(title, "title", TITLE_CHARACTERS_MAX),
        body=noting.worded(description, "description", DESCRIPTION_CHARACTERS_MAX) if description.strip() else "",
    )
    by = Report(actor, severity, incident_class)
    return intake.receive(session, desk, own_door(session, service, SOURCE), incoming, now, report=by)


def own_door(session: Session, key: str, source: str) -> Door:
    """What comes from no sender (people, heartbeats) comes in by an integration of its own, whose key nobody has. The
    service's row is locked, so that two first reports do not both make one."""
    service = session.scalar(select(Service).where(Service.key == key).with_for_update(key_share=True))
    if service is None:
        raise InvalidInputError("No such service.", fields={"service": f'there is no service "{key[:64]}"'})
    key_hash = apply.kept_hash(f"{source}/{service.key}")
    row = session.scalar(select(Integration).where(Integration.key_hash == key_hash))
    if row is None:
        row = Integration(service_id=service.id, source=source, key_hash=key_hash, key_hint="")
        session.add(row)
        session.flush()
    return Door(row.id, service, source)
