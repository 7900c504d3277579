"""Bringing services and their integrations to what is declared. Of an integration's key only the hash is kept.

What happens to something that is no longer declared:
- An integration's key is refused from then on. The row is deleted, or, if alerts came in by it, retired: they refer to
  it. Declared again, a retired one is the same integration as before, and its open alerts can be resolved by it.
- A service is deleted, or, if history refers to it, stays as it was, without a way in. Its incidents go on: a running
  escalation keeps its policy, and the policy of a service that stays is kept too.
A key that is declared under another service moves there: new alerts go to that service, open ones stay where they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import ids
from config.changes import Changes
from config.sealed import Vault
from escalation import declared_hooks
from incidents import noise
from incidents.declared import DeclaredIntegration, DeclaredService
from incidents.models import Alert, Incident, Integration, Service
from incidents.routing import Choice

# Stands before the rest of a retired key's hash: no hash begins so, and so no key can be found to be it.
RETIRED = "retired:"


def is_retired(integration: Integration) -> bool:
    """Kept for its alerts' sake; its key is refused."""
    return integration.key_hash.startswith(RETIRED)


def write(
    session: Session, services: Collection[DeclaredService], changes: Changes, vault: Vault | None = None
) -> None:
    """Add and change what is declared. The caller lets only one do this at a time. `vault` keeps signing secrets."""
    stored = {row.key: row for row in session.scalars(select(Service))}
    for service in services:
        stored[service.key] = _write_service(session, stored.get(service.key), service, changes)
    session.flush()
    integrations = {row.key_hash: row for row in session.scalars(select(Integration))}
    names = {row.id: row.key for row in stored.values()}
    for service in services:
        for integration in service.integrations:
            key_hash = ids.secret_hash(integration.key)
            row = integrations.get(key_hash) or integrations.get(_retired(key_hash))
            _write_integration(session, row, integration, changes, into=stored[service.key], names=names, vault=vault)
    session.flush()


def drop_undeclared(session: Session, services: Collection[DeclaredService], changes: Changes) -> None:
    """Take away what is not declared, as far as history allows."""
    names = {row.id: row.key for row in session.scalars(select(Service))}
    # An alert that is just coming in holds its service, then its integration: the locks here are taken in that order.
    undeclared = select(Service).where(Service.key.not_in([service.key for service in services]))
    gone = session.scalars(undeclared.order_by(Service.key).with_for_update()).all()
    wanted = {ids.secret_hash(integration.key) for service in services for integration in service.integrations}
    closed: set[int] = set()  # services that lost a way in
    for row in session.scalars(select(Integration).order_by(Integration.id)):
        if row.key_hash not in wanted and not is_retired(row):
            _drop_integration(session, row)
            changes.removed(_name(row.source, row.key_hint), f"of {names[row.service_id]}")
            closed.add(row.service_id)
    session.flush()
    for service in gone:
        _drop_service(session, service, changes, was_open=service.id in closed)
    session.flush()


def _write_service(session: Session, row: Service | None, wanted: DeclaredService, changes: Changes) -> Service:
    what = f"service {wanted.key}"
    after = _as_written(
        wanted.policy, wanted.protected, wanted.runbook, wanted.timezone, wanted.holidays, wanted.choices
    )
    remediation = wanted.remediation.to_json() if wanted.remediation else {}
    grouping = wanted.group.to_json() if wanted.group else {}
    flapping = wanted.flap.to_json() if wanted.flap else {}
    after |= _remediation_shown(remediation) | noise.as_written(grouping, flapping)
    if row is None:
        row = Service(key=wanted.key)
        session.add(row)
        changes.added(what, f"(policy {wanted.policy}{', protected' if wanted.protected else ''})", after=after)
    else:
        before = as_written(row)
        if before != after or row.remediation != remediation:
            changes.changed(what, before, after, otherwise="its remediation hook's URL, which is not shown")
    row.policy_key = wanted.policy
    row.protected = wanted.protected
    row.runbook = wanted.runbook
    row.timezone = wanted.timezone
    row.holidays = wanted.holidays
    row.policy_choices = [choice.to_json() for choice in wanted.choices]
    row.remediation = remediation
    row.grouping = grouping
    row.flapping = flapping
    return row


def policies_in_use(session: Session) -> set[str]:
    """Those that a service names, also for some of its incidents only."""
    found: set[str] = set()
    for policy, choices in session.execute(select(Service.policy_key, Service.policy_choices)):
        found |= {policy, *(choice["policy"] for choice in choices)}
    return found


def as_written(row: Service) -> dict[str, Any]:
    choices = tuple(map(Choice.from_json, row.policy_choices))
    written = _as_written(row.policy_key, row.protected, row.runbook, row.timezone, row.holidays, choices)
    return written | _remediation_shown(row.remediation) | noise.as_written(row.grouping, row.flapping)


def _remediation_shown(remediation: dict[str, Any]) -> dict[str, Any]:
    """What follows the host may be a secret."""
    return {"remediation": remediation | {"url": declared_hooks.shown(remediation["url"])}} if remediation else {}


def _as_written(
    policy: str, protected: bool, runbook: str, timezone: str, holidays: str, choices: Sequence[Choice]
) -> dict[str, Any]:
    return {
        "policy": policy,
        "protected": protected,
        "runbook": runbook,
        "timezone": timezone,
        "holidays": holidays,
        "policies": [_choice_as_written(choice) for choice in choices],
    }


def _choice_as_written(choice: Choice) -> dict[str, Any]:
    """Hours as their names: what they are is told where they are declared."""
    return {
        "class": choice.incident_class,
        "severity": list(choice.severities),
        "during": choice.during and choice.during.key,
        "outside": choice.outside and choice.outside.key,
        "policy": choice.policy,
    }


def _write_integration(
    session: Session,
    row: Integration | None,
    wanted: DeclaredIntegration,
    changes: Changes,
    *,
    into: Service,
    names: dict[int, str],
    vault: Vault | None,
) -> None:
    what = _name(wanted.source, wanted.hint)
    has_other_secret = row is None or _secret(row, vault) != wanted.secret
    if row is None or is_retired(row):
        changes.added(what, f"of {into.key}")
    else:
        before = {"service": names[row.service_id], "source": row.source, "topic": row.topic, "map": row.mapping}
        after = {"service": into.key, "source": wanted.source, "topic": wanted.topic, "map": dict(wanted.mapping)}
        before["from"], after["from"] = list(row.senders), list(wanted.senders)
        if before != after or has_other_secret:
            changes.changed(what, before, after, otherwise="its signing secret, which is not shown")
    if row is None:
        row = Integration(key_hint=wanted.hint)
        session.add(row)
    row.service_id = into.id
    row.source = wanted.source
    row.topic = wanted.topic
    row.mapping = dict(wanted.mapping)
    row.senders = list(wanted.senders)
    if has_other_secret:  # sealed anew it would be another text, and a change each time
        row.signing_secret = _sealed(wanted.secret, vault)
    row.key_hash = ids.secret_hash(wanted.key)


def _secret(row: Integration, vault: Vault | None) -> str | None:
    """None if it can be read no more: then it is written again."""
    if not row.signing_secret:
        return ""
    return vault.open(row.signing_secret) if vault else None


def _sealed(secret: str, vault: Vault | None) -> str:
    if not secret:
        return ""
    if vault is None:
        raise ValueError("a signing secret is declared, and there is no vault to keep it in")
    return vault.seal(secret)


def _drop_integration(session: Session, row: Integration) -> None:
    # An alert that is just coming in by it holds this lock: whether there are any can be told only afterwards.
    session.refresh(row, with_for_update=True)
    if session.scalar(select(Alert.id).where(Alert.integration_id == row.id).limit(1)) is None:
        session.delete(row)
    else:
        row.key_hash = _retired(row.key_hash)


def _drop_service(session: Session, service: Service, changes: Changes, *, was_open: bool) -> None:
    incident = session.scalar(select(Incident.id).where(Incident.service_id == service.id).limit(1))
    # One that moved here before it was retired may have brought alerts of another service's incidents.
    integration = session.scalar(select(Integration.id).where(Integration.service_id == service.id).limit(1))
    if incident is None and integration is None:
        session.delete(service)
        changes.removed(f"service {service.key}")
    elif was_open:
        changes.removed(f"service {service.key}", "(its history stays)")


def _name(source: str, hint: str) -> str:
    return f"integration {source} …{hint}"


def kept_hash(name: str) -> str:
    """Of an integration that nobody has a key for, and that `apply` leaves alone: people report by it."""
    return _retired(ids.secret_hash(name))


def _retired(key_hash: str) -> str:
    """Of the same length, and still the only one for this key."""
    return RETIRED + key_hash[len(RETIRED) :]
