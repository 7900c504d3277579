"""Keeping living messages true: posted once, then edited whenever what they show has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escalation import addresses, fire
from escalation.brief import Brief, Standing
from escalation.channels import names
from escalation.channels.base import ChannelError, Message, Purpose, Sent
from escalation.journal import Journal
from escalation.models import ContactMethod, Escalation, LivingMessage, Page, PageState
from escalation.paging import retries, timers
from escalation.paging.timers import Claimed
from escalation.responders import VOUCHED_FOR

MENTIONING = frozenset({"slack"})  # the channels whose rooms can name people so that they hear of it
MENTIONED_MAX = 20
EARLIER = "earlier"
EARLIER_MAX = 4


@dataclass(frozen=True, slots=True)
class Edit:
    message_id: int
    channel: str
    address: str
    ref: dict[str, Any]  # empty: to be posted
    message: Message
    digest: str

    def refs(self) -> Iterator[dict[str, Any]]:
        """The newest message's, then those of earlier ones to the same person."""
        if self.ref:
            yield {name: value for name, value in self.ref.items() if name != EARLIER}
            yield from self.ref.get(EARLIER, ())


def newest(known: dict[str, Any] | None, ref: Mapping[str, Any]) -> dict[str, Any]:
    """Of a message beside which earlier ones to the same person stand: left alone, they would go on asking."""
    if not known:
        return dict(ref)
    before = {name: value for name, value in known.items() if name != EARLIER}
    return {**ref, EARLIER: [before, *known.get(EARLIER, ())][:EARLIER_MAX]}


def begin(session: Session, claimed: Claimed) -> Edit | None:
    """What to post or edit; None when the message already shows it."""
    living = session.scalar(select(LivingMessage).where(LivingMessage.id == claimed.subject_id))
    if living is None or not timers.still_held(session, claimed):
        return None
    escalation = session.get_one(Escalation, living.escalation_id)
    digest = digest_of(escalation)
    if living.ref and living.shown == digest:
        timers.finish(session, claimed)
        return None
    message = Message(
        purpose=_purpose(session, living) if living.to_name else Purpose.ANNOUNCEMENT,
        brief=Brief.from_json(escalation.brief),
        standing=Standing.from_json(escalation.standing),
        to_name=living.to_name,
        level=living.level,
        mentions=_paged(session, living) if not living.to_name else (),
    )
    return Edit(living.id, living.channel, living.address, dict(living.ref), message, digest)


def _purpose(session: Session, living: LivingMessage) -> Purpose:
    """Of what went to this person last: who was only told has not been paged, however often that message is edited."""
    last = session.scalar(
        select(Page.purpose)
        .where(
            Page.escalation_id == living.escalation_id,
            Page.channel == living.channel,
            Page.address == living.address,
            Page.sent_at.is_not(None),
        )
        .order_by(Page.sent_at.desc(), Page.id.desc())
        .limit(1)
    )
    return Purpose(last) if last else Purpose.PAGE


def _paged(session: Session, living: LivingMessage) -> tuple[str, ...]:
    """Who has been paged for it, by their addresses on the room's channel. A page that was called off is none."""
    if living.channel not in MENTIONING:
        return ()
    found = session.execute(
        select(ContactMethod.address, func.min(Page.id))
        .join(Page, Page.responder_id == ContactMethod.responder_id)
        .where(
            Page.escalation_id == living.escalation_id,
            Page.purpose == Purpose.PAGE,
            Page.state != PageState.CANCELLED,
            ContactMethod.channel == living.channel,
            ContactMethod.disabled_reason == "",
            VOUCHED_FOR,
        )
        .group_by(ContactMethod.address)
        .order_by(func.min(Page.id))
        .limit(MENTIONED_MAX)
    )
    return tuple(address for address, _ in found)


def record_shown(session: Session, journal: Journal, claimed: Claimed, edit: Edit, sent: Sent, now: datetime) -> None:
    living = _locked(session, edit)
    if living is None:
        return
    first = not living.ref
    if first:
        # A room that cannot be edited still has been told: the mark keeps it from being posted again.
        living.ref = dict(sent.ref) or {"posted": now.isoformat()}
        text = f"Announced in {names.name(edit.channel)} {addresses.shown(edit.channel, edit.address)}."
        facts = {"channel": edit.channel, "address": addresses.shown(edit.channel, edit.address)}
        journal(session, living.incident_id, "announcement.sent", text, occurred_at=now, payload=facts)
    living.shown, living.failures, living.error = edit.digest, 0, ""
    _finish(session, claimed, living, edit, now)


def record_failure(
    session: Session, journal: Journal, claimed: Claimed, edit: Edit, error: ChannelError, now: datetime
) -> None:
    living = _locked(session, edit)
    if living is None:
        return
    if error.retry_after_seconds is not None and not error.permanent:
        # Asked to wait, which is no failure: it is shown then, however often, with whatever is true by then.
        wait = min(max(error.retry_after_seconds, 1.0), retries.RETRY_AFTER_SECONDS_MAX)
        timers.put_back(session, claimed, now + timedelta(seconds=wait), error=str(error), in_order=True)
        living.error = str(error)
        return
    known = error.permanent and living.error == str(error)  # said once; each further edit would only say it again
    living.failures += 1
    living.error = str(error)
    decision = retries.decide(living.failures, permanent=error.permanent, retry_after_seconds=error.retry_after_seconds)
    if decision.retry_in_seconds is not None:
        again_at = now + timedelta(seconds=decision.retry_in_seconds)
        timers.put_back(session, claimed, again_at, error=str(error), in_order=True)
        return
    living.failures = 0
    _finish(session, claimed, living, edit, now)
    if known:
        return
    what = "edit the message in" if living.ref else "announce in"
    text = f"Could not {what} {names.name(edit.channel)} {addresses.shown(edit.channel, edit.address)}: {error}"
    facts = {"channel": edit.channel, "address": addresses.shown(edit.channel, edit.address), "code": error.code}
    journal(session, living.incident_id, "announcement.failed", text, occurred_at=now, payload=facts)


def _finish(session: Session, claimed: Claimed, living: LivingMessage, edit: Edit, now: datetime) -> None:
    """Done, unless what is to be shown, or the message that shows it, has changed while this was on its way."""
    if not timers.still_held(session, claimed):
        return
    # Whoever changes it now waits for the timer that we have just locked, and sets it anew.
    timers.finish(session, claimed)
    replaced = bool(edit.ref) and living.ref != edit.ref
    if replaced:
        living.shown = ""
    escalation = session.get_one(Escalation, living.escalation_id, populate_existing=True)
    if replaced or digest_of(escalation) != edit.digest:
        session.flush()
        fire.show(session, escalation, [living], now)


def _locked(session: Session, edit: Edit) -> LivingMessage | None:
    return session.scalar(
        select(LivingMessage)
        .where(LivingMessage.id == edit.message_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def digest_of(escalation: Escalation) -> str:
    """Of all that a message about it shows: a message is up to date while this stays the same."""
    shown = json.dumps([escalation.brief, escalation.standing], sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()
