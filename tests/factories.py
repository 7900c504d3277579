"""Rows for tests: plain functions, each with defaults that make sense together."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.models import Responder
from incidents.models import Incident, Service

_numbers = count(1)


def make_responder(session: Session, *, key: str = "", **fields: Any) -> Responder:
    key = key or f"responder-{next(_numbers)}"
    responder = Responder(
        key=key, **{"name": key.title(), "email": f"{key}@example.org", "roles": ["responder"], **fields}
    )
    session.add(responder)
    session.flush()
    return responder


def make_service(session: Session, *, key: str = "checkout", policy_key: str = "standard", **fields: Any) -> Service:
    service = Service(key=key, policy_key=policy_key, **fields)
    session.add(service)
    session.flush()
    return service


def make_incident(
    session: Session,
    *,
    now: datetime,
    title: str = "Checkout answers with 500",
    service: Service | None = None,
    severity: str = "HIGH",
    incident_class: str = "operational",
    **fields: Any,
) -> Incident:
    """An open incident. Without `service` it belongs to `checkout`, which is made if there is none."""
    service = service or session.scalar(select(Service).where(Service.key == "checkout")) or make_service(session)
    defaults: dict[str, Any] = {"severity_initial": severity, "severity_peak": severity, "classification": {}}
    incident = Incident(
        service_id=service.id,
        title=title,
        severity=severity,
        incident_class=incident_class,
        opened_at=now,
        **{**defaults, **fields},
    )
    session.add(incident)
    session.flush()
    return incident
