"""Who acts on what is a person's own: the person behind the request, and nobody else."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.actor import Actor
from config.errors import NotAllowedError
from escalation.models import Responder


def person(session: Session, who: Actor, *, lock: bool = False) -> Responder:
    """The person who acts; a program has nothing of its own, and is told so. `lock` lets one request of theirs in at
    a time."""
    if who.responder_id is None:
        raise NotAllowedError(
            f"{who.name} is a program, and has no contact methods, rules or shifts of its own. "
            "Use a token that acts as you: `tocsin token create --responder YOU`."
        )
    if not lock:
        return session.get_one(Responder, who.responder_id)
    return session.scalars(
        select(Responder).where(Responder.id == who.responder_id).with_for_update(key_share=True)
    ).one()
