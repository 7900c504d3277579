"""Pages beside the levels: a keeper is asked, a holder reminded, a level raised by the clock, a responder added.

They go out whoever holds the incident (`Page.regardless`). Their firings count downwards from -1: none of them is a
firing of a level, and none makes the newest one look overtaken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from escalation import fire, hooks, locks, reach, responders, state, wake
from escalation.channels.base import Purpose
from escalation.journal import Journal
from escalation.models import Escalation, Page, PageState, Responder, TimerKind
from escalation.oncall import rota
from escalation.paging import timers
from escalation.policies import Level
from escalation.reach import Way

NO_LEVEL = 0  # of a page that no level asks for; the levels begin with 1


def consult(session: Session, journal: Journal, escalation: Escalation, now: datetime) -> None:
    """Constitutional CRITICAL: the recommended halt goes on record, and every keeper is asked at once to decide on it.

    Nothing is halted by Tocsin itself. Asking needs no acknowledgement, so it neither stops nor advances the levels.
    """
    keepers = rota.people(session, wake.CONSULTED, now)
    values = responders.as_values(session, keepers)
    ways = {keeper: reach.asked(values[keeper.id], now) for keeper in keepers}
    _queue(session, escalation, ways, now, purpose=Purpose.NOTIFICATION)
    asked = [keeper for keeper in keepers if ways[keeper]]
    names = ", ".join(keeper.name for keeper in asked)
    text = (
        f"A halt is recommended; asked to decide: {names}."
        if names
        else "A halt is recommended, and no keeper can be asked."
    )
    facts = {"asked": [keeper.key for keeper in asked]}
    journal(session, escalation.incident_id, "halt.recommended", text, occurred_at=now, payload=facts)
    hooks.halt(session, journal, escalation.incident_id, now)


def remind(session: Session, incident_id: int, responder_id: int, *, note: str, now: datetime) -> Responder | None:
    """Page the holder by what wakes them; None if there is no way to. The caller reports it."""
    return _to_one(session, incident_id, responder_id, "high", purpose=Purpose.PAGE, note=note, now=now)


def tell(session: Session, incident_id: int, responder_id: int, *, note: str, now: datetime) -> Responder | None:
    """Notify the holder by what does not wake them; None if there is no way to. The caller reports it."""
    return _to_one(session, incident_id, responder_id, "low", purpose=Purpose.NOTIFICATION, note=note, now=now)


def tell_keepers(
    session: Session, incident_id: int, *, note: str, now: datetime, but: int | None = None
) -> list[Responder]:
    """Notify every keeper, `but` this one; those there is a way to. The caller reports it."""
    keepers = [keeper for keeper in rota.people(session, wake.CONSULTED, now) if keeper.id != but]
    found = [tell(session, incident_id, keeper.id, note=note, now=now) for keeper in keepers]
    return [keeper for keeper in found if keeper is not None]


def add(session: Session, incident_id: int, responder_id: int, *, note: str, now: datetime) -> Responder | None:
    """Page one more person, whoever holds the incident; None if there is no way to. The caller reports it."""
    return _to_one(session, incident_id, responder_id, "high", purpose=Purpose.PAGE, note=note, now=now)


def raise_to(session: Session, journal: Journal, incident_id: int, number: int, *, note: str, now: datetime) -> int:
    """Page the people of this level although somebody holds the incident; the level that was reached.

    A policy without such a level raises to its next, or to its last. Where nobody can be reached the next level is
    taken, and after the last one the last resort. 0: there is no escalation, or nobody at all could be reached.
    """
    escalation = locks.of_incident(session, incident_id)
    if escalation is None:
        return 0
    levels = state.policy(escalation).levels
    wanted = [level for level in levels if level.level >= number] or levels[-1:]
    return _raise(session, journal, escalation, wanted, note=note, now=now)


def failed(
    session: Session, journal: Journal, escalation: Escalation, page: Page, person: Responder, now: datetime
) -> None:
    """None of the pages of one firing could be handed over. A level that was raised goes on to the next.

    The caller holds the escalation's lock.
    """
    raised = page.level != NO_LEVEL and not page.last_resort
    if raised:
        text = f"No page of level {page.level} could be handed over; going on to the next step at once."
    elif page.purpose == Purpose.NOTIFICATION and not page.note:
        text = "No keeper could be asked."
    else:
        text = f"No way to {person.name} worked."
    journal(session, page.incident_id, "nobody.reachable", text, occurred_at=now, payload={"level": page.level})
    if raised:
        levels = [level for level in state.policy(escalation).levels if level.level > page.level]
        _raise(session, journal, escalation, levels, note=page.note, now=now)


def _raise(
    session: Session, journal: Journal, escalation: Escalation, levels: Sequence[Level], *, note: str, now: datetime
) -> int:
    for level in levels:
        ways = _ways(session, rota.people(session, level.page, now), "high", now)
        pages = _queue(session, escalation, ways, now, level=level.level, note=note)
        fire.announce_new(session, escalation, level, now)
        escalation.level = max(escalation.level, level.level)
        if level.runbook:
            timers.set_timer(session, TimerKind.RUNBOOK, escalation.incident_id, escalation.incident_id, now)
        names = _names(ways)
        text = f"Level {level.level} is raised: paging {names}." if names else f"Level {level.level} reaches nobody."
        facts = {"level": level.level, "paged": [person.key for person, found in ways.items() if found]}
        kind = "level.raised" if pages else "nobody.reachable"
        journal(session, escalation.incident_id, kind, f"{text} {note}".strip(), occurred_at=now, payload=facts)
        if pages:
            return level.level
    return escalation.level if _last_resort(session, journal, escalation, note=note, now=now) else 0


def withdraw(
    session: Session, journal: Journal, incident_id: int, *, responder_id: int | None = None, why: str, now: datetime
) -> None:
    """Take back what waits to be sent beside the levels: one person's who has answered, or all when it is over."""
    waiting = update(Page).where(
        Page.incident_id == incident_id, Page.state == PageState.QUEUED, Page.regardless.is_(True)
    )
    if responder_id is not None:
        waiting = waiting.where(Page.responder_id == responder_id)
    withdrawn = session.scalars(
        waiting.values(state=PageState.CANCELLED).returning(Page.id).execution_options(synchronize_session=False)
    ).all()
    timers.cancel_subjects(session, TimerKind.DELIVER, withdrawn)
    if withdrawn:
        what = "1 queued page was" if len(withdrawn) == 1 else f"{len(withdrawn)} queued pages were"
        facts = {"pages": sorted(withdrawn)}
        journal(session, incident_id, "page.cancelled", f"{what} cancelled: {why}.", occurred_at=now, payload=facts)


def _to_one(
    session: Session, incident_id: int, responder_id: int, urgency: str, *, purpose: Purpose, note: str, now: datetime
) -> Responder | None:
    escalation = locks.of_incident(session, incident_id)
    person = responders.by_id(session, responder_id)
    if escalation is None or person is None or not person.active:
        return None
    ways = _ways(session, [person], urgency, now)
    return person if _queue(session, escalation, ways, now, purpose=purpose, note=note) else None


def _last_resort(session: Session, journal: Journal, escalation: Escalation, *, note: str, now: datetime) -> bool:
    ways = _ways(session, rota.people(session, state.last_resort(escalation), now), "high", now)
    pages = _queue(session, escalation, ways, now, level=escalation.level, note=note, last_resort=True)
    names = _names(ways)
    said = f"Nobody else is left; the last resort is called: paging {names}." if names else "The last resort is nobody."
    kind = "last_resort.raised" if pages else "nobody.reachable"
    facts = {"level": escalation.level}
    journal(session, escalation.incident_id, kind, f"{said} {note}".strip(), occurred_at=now, payload=facts)
    return bool(pages)


def _ways(
    session: Session, people: Sequence[Responder], urgency: str, now: datetime
) -> dict[Responder, tuple[Way, ...]]:
    ways = responders.ways(session, people, urgency, now)
    return {person: ways[person.id] for person in people}


def _names(ways: dict[Responder, tuple[Way, ...]]) -> str:
    return ", ".join(person.name for person, found in ways.items() if found)


def _queue(
    session: Session,
    escalation: Escalation,
    ways: dict[Responder, tuple[Way, ...]],
    now: datetime,
    *,
    purpose: Purpose = Purpose.PAGE,
    level: int = NO_LEVEL,
    note: str = "",
    last_resort: bool = False,
) -> list[Page]:
    return fire.page_by(
        session,
        escalation,
        {person.id: found for person, found in ways.items()},
        now,
        level=level,
        firing=fire.firing_beside(session, escalation),
        purpose=purpose,
        note=note,
        regardless=True,
        last_resort=last_resort,
    )
