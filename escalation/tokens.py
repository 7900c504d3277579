"""API tokens after they were made: which there are, and taking one back. Only hashes are kept, so that a token is told
by its number and its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import audit
from config.actor import Actor
from config.auth_models import ApiToken
from config.errors import NotFoundError
from escalation import oneself
from escalation.contacts import Told
from escalation.models import Responder


@dataclass(frozen=True, slots=True)
class Known:
    """A token that was given out. `responder` is the key of whom it acts as; of a program's it is empty."""

    id: int
    name: str
    responder: str
    acts_as: str  # a person's name, or a program's role, for people to read
    created_at: datetime
    revoked_at: datetime | None

    def __str__(self) -> str:
        ended = f", revoked {self.revoked_at:%Y-%m-%d %H:%M} UTC" if self.revoked_at else ""
        return f"{self.id}  {self.name}: acts {self.acts_as}; made {self.created_at:%Y-%m-%d %H:%M} UTC{ended}"


def listed(session: Session, *conditions: ColumnElement[bool], revoked: bool = False) -> list[Known]:
    """By number; with `revoked`, those taken back too."""
    statement = select(ApiToken, Responder).outerjoin(Responder, Responder.id == ApiToken.responder_id)
    if not revoked:
        statement = statement.where(ApiToken.revoked_at.is_(None))
    rows = session.execute(statement.where(*conditions).order_by(ApiToken.id)).all()
    return [
        Known(token.id, token.name, person.key if person else "", _acts_as(token, person), token.created_at, token.revoked_at)
        for token, person in rows
    ]  # fmt: skip


def of_number(number: int) -> ColumnElement[bool]:
    return ApiToken.id == number


def of_name(name: str) -> ColumnElement[bool]:
    return ApiToken.name == name


def of_responder(key: str) -> ColumnElement[bool]:
    """Whoever has left has tokens too, as long as nobody takes them back."""
    return ApiToken.responder_id.in_(select(Responder.id).where(Responder.key == key))


def own(session: Session, who: Actor) -> list[Known]:
    """Those that act as the person who asks."""
    return listed(session, ApiToken.responder_id == oneself.person(session, who).id)


def revoke_own(session: Session, who: Actor, number: int, now: datetime) -> Told:
    """Raises NotFoundError for somebody else's, as for one that there is not."""
    mine = ApiToken.responder_id == oneself.person(session, who).id
    (gone,) = revoke(session, of_number(number), mine, actor=who.name, via=who.via, now=now)
    return Told(True, f"Revoked: token {gone.id}, {gone.name}. Whoever sends it is answered 401.")


def created(session: Session, token: ApiToken, *, actor: str, via: str, now: datetime) -> None:
    """Note in the audit that somebody had it made."""
    (known,) = listed(session, of_number(token.id))
    text = f"+ token {known.id} ({known.name}), which acts {known.acts_as}"
    audit.note(session, actor=actor, via=via, action="added", what=f"token {known.id}", text=text, after=_told(known), now=now)  # fmt: skip


def revoke(session: Session, *conditions: ColumnElement[bool], actor: str, via: str, now: datetime) -> Sequence[Known]:
    """Take these back at once, and note it in the audit; those that were. Raises NotFoundError where there is none.

    Whoever sends one of them from now on is answered 401.
    """
    rows = session.scalars(
        select(ApiToken).where(ApiToken.revoked_at.is_(None), *conditions).order_by(ApiToken.id).with_for_update()
    ).all()
    if not rows:
        said = "There is no such token, or it is revoked already. `tocsin token list` tells which there are, and the page Me your own."
        raise NotFoundError(said)
    known = listed(session, ApiToken.id.in_([row.id for row in rows]))
    for row in rows:
        row.revoked_at = now
    for each in known:
        text = f"- token {each.id} ({each.name}), which acted {each.acts_as}"
        audit.note(session, actor=actor, via=via, action="removed", what=f"token {each.id}", text=text, before=_told(each), now=now)  # fmt: skip
    session.flush()
    return known


def _acts_as(token: ApiToken, person: Responder | None) -> str:
    if person is None:
        return f"as a program with the role {token.role}"
    return f"as {person.name}" + ("" if person.active else ", who is no longer active")


def _told(known: Known) -> dict[str, str]:
    return {"name": known.name, "acts": known.acts_as}
