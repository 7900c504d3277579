"""A way to somebody has failed: their next one comes forward, and with none left the next level does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escalation import beside, escalate, fire, putting_aside, responders
from escalation.channels import names
from escalation.channels.base import Purpose
from escalation.journal import Journal
from escalation.models import Attempt, Escalation, Page, PageState, Responder
from escalation.plan import Stage

WENT_OUT = (PageState.SENT, PageState.DELIVERED, PageState.BUNDLED)


def fall_back(
    session: Session, journal: Journal, escalation: Escalation, page: Page, person: Responder, now: datetime
) -> None:
    """Bring this person's next way forward to now; with none left anywhere at this firing, go to the next level."""
    session.flush()
    siblings = session.scalars(
        select(Page)
        .where(
            Page.escalation_id == page.escalation_id,
            Page.firing == page.firing,
            Page.responder_id == page.responder_id,
        )
        .order_by(Page.step)
    ).all()
    later = [p for p in siblings if p.step > page.step]
    waiting = [p for p in later if p.state == PageState.QUEUED]
    if any(p.state in WENT_OUT for p in later):
        return  # the next way has worked; those after it keep their times
    if waiting:
        if waiting[0].due_at > now:
            waiting[0].due_at = now
            fire.queue(session, escalation, waiting[0])
        return
    way = responders.untried(session, person.id, {p.channel for p in siblings})
    if way is not None:
        extra = Page(
            escalation_id=page.escalation_id,
            incident_id=page.incident_id,
            responder_id=person.id,
            purpose=page.purpose,
            level=page.level,
            firing=page.firing,
            step=siblings[-1].step + 1,
            channel=way.channel,
            address=way.address,
            last_resort=page.last_resort,
            regardless=page.regardless,
            note=page.note,
            queued_at=now,
            due_at=now,
        )
        session.add(extra)
        session.flush()
        fire.queue(session, escalation, extra)
        text = f"Falling back to {names.name(way.channel)} to reach {person.name}."
        journal(session, page.incident_id, "page.fell_back", text, occurred_at=now, payload=facts(extra, person))
        return
    if page.firing < 0 and not page.regardless:
        return  # whoever shadows a shift is told beside the level, and nobody waits for them
    if page.state == PageState.FAILED and not _anyone_left(session, page):
        if page.regardless:
            beside.failed(session, journal, escalation, page, person, now)
            return
        newest = page.firing == escalation.firing  # else a later level has fired meanwhile
        goes_on = newest and not page.last_resort
        text = f"No page of level {page.level} could be handed over"
        text += "; going on to the next step at once." if goes_on else "."
        journal(session, page.incident_id, "nobody.reachable", text, occurred_at=now, payload={"level": page.level})
        if newest:
            escalate.skip_ahead(session, journal, escalation, _fired_at(page), now)


def put_aside(
    session: Session, journal: Journal, page: Page, person: Responder, code: str, why: str, now: datetime
) -> None:
    """The address was refused for what it is: after some of that in a row nobody is paged there any more."""
    if putting_aside.refused(session, page, code, why, now):
        text = f"{person.name} is not paged by {names.name(page.channel)} any more: {why}. Their other ways are used."
        journal(session, page.incident_id, "way.put_aside", text, occurred_at=now, payload=facts(page, person))


def _fired_at(page: Page) -> Stage:
    """The stage of the escalation that asked for this page."""
    if page.last_resort:
        return Stage.LAST_RESORT
    return Stage.NOTIFYING if page.purpose == Purpose.NOTIFICATION else Stage.PAGING


def _anyone_left(session: Session, page: Page) -> bool:
    """Whether any page of the same firing has gone out or may still go out."""
    left = session.scalar(
        select(func.count()).where(
            Page.escalation_id == page.escalation_id,
            Page.firing == page.firing,
            Page.state.not_in((PageState.FAILED, PageState.CANCELLED)),
        )
    )
    return bool(left)


def tries(session: Session, page: Page, *outcomes: str) -> int:
    counted = select(func.count()).where(Attempt.page_id == page.id, Attempt.outcome.in_(outcomes))
    return session.scalar(counted) or 0


def facts(page: Page, person: Responder) -> dict[str, str | int]:
    return {"page": page.id, "responder": person.key, "channel": page.channel, "level": page.level}
