"""A page and its escalation, locked in the order that holds everywhere: escalation before page."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from escalation.models import Escalation, Page
from escalation.plan import Stage

_ESCALATION = (
    select(Escalation)
    .join(Page, Page.escalation_id == Escalation.id)
    .where(Page.id == bindparam("page"))
    .with_for_update(key_share=True, of=Escalation)
    .execution_options(populate_existing=True)
)
_PAGE = select(Page).where(Page.id == bindparam("page")).with_for_update().execution_options(populate_existing=True)


def locked(session: Session, page_id: int) -> tuple[Page | None, Escalation | None]:
    escalation = session.scalar(_ESCALATION, {"page": page_id})
    page = session.scalar(_PAGE, {"page": page_id})
    return page, escalation


def is_over(page: Page, escalation: Escalation) -> bool:
    """Whether nobody is to be woken any more; a keeper is asked about a halt whoever holds the incident."""
    return escalation.stage == Stage.STOPPED and not page.regardless
