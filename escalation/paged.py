"""What a page says, read back: a caller asks to hear it again."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.brief import Brief, Standing
from escalation.channels import wording
from escalation.channels.base import Message, Purpose
from escalation.models import Escalation, Page, Responder
from escalation.paging import bundling


def message(session: Session, page_id: int) -> Message | None:
    """The page as it would be said now, with those that the same message told of; None when there is none."""
    page = session.get(Page, page_id)
    if page is None:
        return None
    beside = session.scalars(select(Page).where(Page.carrier_id == page_id).order_by(Page.id)).all()
    told = [_message(session, each) for each in (page, *beside)]
    still_open = [each for each in told if wording.needs_answer(each.standing)]
    return replace(bundling.one_message(still_open or told[:1]), page_id=page_id)


def _message(session: Session, page: Page) -> Message:
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
