"""The whole configuration as a tocsin.yaml that reads back to the same.

Of an integration's key only the hash is kept, so a variable stands in its place, with a comment that tells which key
it was. What a sender signs with could be read, and is not written either.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import writing
from config.writing import Noted
from escalation import apply_hooks, export
from escalation.export import EVERYBODY
from escalation.models import Owner
from incidents import apply, apply_events, apply_heartbeats, apply_maintenance
from incidents.models import Integration, Service
from incidents.sources import mapping

HEAD = "# Written by `tocsin export`. Keys and secrets of integrations are read from the environment; their last letters stand beside.\n"
_NOT_IN_A_NAME = re.compile(r"[^A-Z0-9]+")


def to_text(session: Session, owners: Collection[str] = EVERYBODY) -> str:
    """Services and the last resort are the file's."""
    found: dict[str, Any] = export.sections(session, owners)
    if Owner.FILE in owners:
        found |= {"services": services(session), "last_resort": export.last_resort(session)}
        if hooks := apply_hooks.as_written(session):
            found["hooks"] = hooks
        if receivers := apply_events.as_written(session):
            found["events"] = receivers
        if windows := apply_maintenance.as_written(session):
            found["maintenance"] = windows
    return HEAD + writing.to_text(found)


def services(session: Session) -> dict[str, Any]:
    """One that is kept only for its history has no way in."""
    ways_in: defaultdict[int, list[Integration]] = defaultdict(list)
    for row in session.scalars(select(Integration).order_by(Integration.id)):
        if not apply.is_retired(row):
            ways_in[row.service_id].append(row)
    beats = apply_heartbeats.as_written(session)
    found: dict[str, Any] = {}
    taken: set[str] = set()
    for service in session.scalars(select(Service).order_by(Service.key)):
        integrations = [_integration(service, row, taken) for row in ways_in[service.id]]
        found[service.key] = apply.as_written(service) | {"integrations": integrations}
        if service.id in beats:
            found[service.key]["heartbeats"] = beats[service.id]
        if service.remediation:
            found[service.key]["remediation"] = dict(service.remediation)
    return found


def _integration(service: Service, row: Integration, taken: set[str]) -> Noted:
    named = (service.key, row.source, row.key_hint)
    written: dict[str, Any] = {"source": row.source, "key": writing.variable(_variable((*named, "key"), taken))}
    if row.signing_secret:
        written["secret"] = writing.variable(_variable((*named, "secret"), taken))
    if row.topic:
        written["topic"] = row.topic
    if row.senders:
        written["from"] = list(row.senders)
    if row.mapping:
        written["map"] = {name: row.mapping[name] for name in mapping.KEYS if name in row.mapping}
    return Noted(written, f"the key that ends in {row.key_hint}")


def _variable(parts: tuple[str, ...], taken: set[str]) -> str:
    base = _NOT_IN_A_NAME.sub("_", "_".join(parts).upper())
    name = base if base[0].isalpha() else f"KEY_{base}"
    number = 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    return name
