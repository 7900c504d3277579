"""What every verb does first and last: lock the incident, see that the actor may act, note what was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import InvalidInputError, NotAllowedError, NotFoundError
from incidents.desk import Actor, Desk
from incidents.models import Incident
from incidents.sources import reading

ACTING_ROLES = frozenset({"responder", "manager", "keeper", "admin"})
REASON_CHARACTERS_MAX = 2_000
NOTE_CHARACTERS_MAX = 10_000


def locked(session: Session, number: int) -> Incident:
    """The incident, locked before everything else that belongs to it."""
    incident = session.scalar(
        select(Incident)
        .where(Incident.id == number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if incident is None:
        raise NotFoundError(f"There is no incident {number}.")
    return incident


def may_act(actor: Actor) -> None:
    if actor.kind != "source" and not actor.roles & ACTING_ROLES:
        raise NotAllowedError(
            f"{actor.name} may look but not act. Ask an administrator for one of: {', '.join(sorted(ACTING_ROLES))}."
        )


def worded(text: str, field: str, characters_max: int) -> str:
    text = reading.clean(text).strip()  # from a telephone or a form it may hold what no database keeps
    if not text:
        raise InvalidInputError(f"The {field} is empty: say it in a few words.", fields={field: "is empty"})
    if len(text) > characters_max:
        raise InvalidInputError(f"{field} is too long.", fields={field: f"at most {characters_max} characters"})
    return text


def active(incident: Incident, actor: Actor, now: datetime) -> None:
    """A person has done something to it: whoever holds it need not be asked whether they still do."""
    if actor.responder_id is not None:
        incident.activity_at = now
        incident.reminded_at = None


def note(
    session: Session,
    desk: Desk,
    incident: Incident,
    kind: str,
    text: str,
    actor: Actor,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """What a person does is noted here, and so it is also here that it counts as activity."""
    active(incident, actor, now)
    desk.journal(
        session,
        incident.id,
        kind,
        text,
        occurred_at=now,
        actor=actor.name,
        actor_kind=actor.kind,
        payload={"via": actor.via, **(facts or {})},
    )
