"""What a provider reports after it took a message over: delivered, or not after all.

A receipt never acknowledges: a telephone that has a message is no person who has read it. That it failed counts like
a refusal: the page has failed, and the person's next way comes forward at once. Reports come late, twice and in any
order; the first one that ends a message stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.channels import names
from escalation.channels.base import Fate, Receipt
from escalation.journal import Journal
from escalation.models import Attempt, Escalation, Page, PageState, Responder
from escalation.paging import falling_back, locking

EARLY_MAX = 8  # reports kept for one try whose hand-over is not written down yet
OUTCOMES = {"sent": Fate.UNDERWAY, "delivered": Fate.DELIVERED, "undelivered": Fate.FAILED}  # of an attempt
WENT_OUT = (PageState.SENT, PageState.BUNDLED)


def forward(stands: Fate, reported: Fate) -> Fate:
    """Where a message stands after a report: an end stands for ever, and nothing goes back."""
    return reported if stands is Fate.UNDERWAY else stands


def told_by(session: Session, receipt: Receipt) -> list[int]:
    """The pages that the message told of, the one that carried the others first; none for a message nobody knows."""
    carrier = session.scalar(
        select(Page.id).where(Page.provider_id == receipt.provider_id, Page.channel == receipt.channel).limit(1)
    )
    if carrier is None and receipt.page_id is not None:
        # Its hand-over may be under way, and the provider faster with its report than we with the record.
        carrier = session.scalar(
            select(Page.id)
            .join(Attempt, Attempt.page_id == Page.id)
            .where(Page.id == receipt.page_id, Page.channel == receipt.channel, Attempt.outcome == "")
            .limit(1)
        )
    if carrier is None:
        return []
    others = session.scalars(select(Page.id).where(Page.carrier_id == carrier, Page.id != carrier).order_by(Page.id))
    return [carrier, *others]


def take(session: Session, journal: Journal, page_id: int, receipt: Receipt, now: datetime) -> bool:
    """Note what is reported for one of these pages; whether it was news. The caller has a transaction for each."""
    page, escalation = locking.locked(session, page_id)
    if page is None or escalation is None or page.channel != receipt.channel:
        return False
    attempt = session.scalar(select(Attempt).where(Attempt.page_id == page.id).order_by(Attempt.id.desc()).limit(1))
    if attempt is None:
        return False
    if not attempt.outcome:
        return _keep(attempt, receipt)
    if receipt.provider_id != _provider_id(session, page):
        return False
    return _apply(session, journal, page, escalation, attempt, receipt.to_json(), now)


def take_early(
    session: Session,
    journal: Journal,
    page: Page,
    escalation: Escalation,
    attempt_id: int,
    report: Mapping[str, Any],
    now: datetime,
) -> None:
    """What was reported of a message before its hand-over was written down, which has just been."""
    attempt = session.get_one(Attempt, attempt_id, populate_existing=True)
    _apply(session, journal, page, escalation, attempt, report, now)


def _provider_id(session: Session, page: Page) -> str:
    """Of the message that told of it."""
    if page.carrier_id is None or page.carrier_id == page.id:
        return page.provider_id
    return session.scalar(select(Page.provider_id).where(Page.id == page.carrier_id)) or ""


def _keep(attempt: Attempt, receipt: Receipt) -> bool:
    known = attempt.early.get(receipt.provider_id)
    stands = Fate(known["fate"]) if known else Fate.UNDERWAY
    if forward(stands, receipt.fate) is stands or len(attempt.early) >= EARLY_MAX:
        return False
    attempt.early = {**attempt.early, receipt.provider_id: receipt.to_json()}
    return True


def _apply(
    session: Session,
    journal: Journal,
    page: Page,
    escalation: Escalation,
    attempt: Attempt,
    report: Mapping[str, Any],
    now: datetime,
) -> bool:
    stands = OUTCOMES.get(attempt.outcome)
    if stands is None:  # this try was refused, or its end is not known
        return False
    fate = forward(stands, Fate(report["fate"]))
    if fate is stands:
        return False
    person = session.get_one(Responder, page.responder_id)
    facts: dict[str, Any] = {**falling_back.facts(page, person)}
    if fate is Fate.DELIVERED:
        attempt.outcome = "delivered"
        page.delivered_at = now
        if page.state == PageState.SENT:  # a bundled one stays so, and has its time
            page.state = PageState.DELIVERED
        text = f"The page to {person.name} by {names.name(page.channel)} has arrived, says the provider. Nobody has answered by that."
        journal(session, page.incident_id, "page.delivered", text, occurred_at=now, payload=facts)
        return True
    attempt.outcome, attempt.code, attempt.error = "undelivered", report["code"], report["reason"]
    attempt.of_address = bool(report["of_address"])
    went_out = page.state in WENT_OUT
    if went_out:  # else cancelled in flight, and it stays so
        page.state = PageState.FAILED
    text = f"The page to {person.name} by {names.name(page.channel)} did not arrive: {report['reason']}."
    facts |= {"code": report["code"], "error": report["reason"]}
    journal(session, page.incident_id, "page.failed", text, occurred_at=now, payload=facts)
    if attempt.of_address:
        falling_back.put_aside(session, journal, page, person, report["code"], report["reason"], now)
    if went_out and not locking.is_over(page, escalation):
        falling_back.fall_back(session, journal, escalation, page, person, now)
    return True
