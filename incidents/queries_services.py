"""Services as lists show them: by which ways their alerts come in, and how they hold noise down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidents import noise
from incidents.models import Integration, Service


@dataclass(frozen=True, slots=True)
class ServiceShown:
    key: str
    policy: str
    protected: bool
    runbook: str
    timezone: str
    integrations: tuple[IntegrationShown, ...]
    group: dict[str, Any] | None  # as declared
    flap: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class IntegrationShown:
    source: str
    key_hint: str  # the last characters of its key


def services(session: Session, *, after: str, limit: int) -> list[ServiceShown]:
    rows = session.scalars(select(Service).where(Service.key > after).order_by(Service.key).limit(limit)).all()
    ways_in: dict[int, list[IntegrationShown]] = {row.id: [] for row in rows}
    integrations = select(Integration).where(Integration.service_id.in_(ways_in)).order_by(Integration.id)
    for each in session.scalars(integrations):
        ways_in[each.service_id].append(IntegrationShown(each.source, each.key_hint))
    return [
        ServiceShown(
            row.key, row.policy_key, row.protected, row.runbook, row.timezone, tuple(ways_in[row.id]),
            **{"group": None, "flap": None} | noise.as_written(row.grouping, row.flapping),
        )
        for row in rows
    ]  # fmt: skip
