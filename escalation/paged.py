"""What a page says, read back: a caller asks to hear it again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from escalation.brief import Brief, Standing
from escalation.channels.base import Message, Purpose
from escalation.models import Escalation, Page, Responder


def message(session: Session, page_id: int) -> Message | None:
    """The page as it would be said now; None when there is none."""
    page = session.get(Page, page_id)
    if page is None:
        return None
    escalation = session.get_one(Escalation, page.escalation_id)
    return Message(
        purpose=Purpose(page.purpose),
        brief=Brief.from_json(escalation.brief),
        standing=Standing.from_json(escalation.standing),
        to_name=session.get_one(Responder, page.responder_id).name,
        level=page.level,
        page_id=page.id,
        last_resort=page.last_resort,
        note=page.note,
    )
