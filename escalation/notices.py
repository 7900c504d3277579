"""Messages that are about no incident: a hand-over, a gap in the on-call, a code, an alarm. They ask for no answer.

A notice is a row with a timer, so it survives a crash as a page does. It goes to one person, by the first of their
ways that works, or to a room.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config import ids, logs
from escalation import brief, contact_codes, responders
from escalation.brief import Standing
from escalation.channels import wording
from escalation.channels.base import Answering, Channel, ChannelError, Message, Purpose, Sent
from escalation.models import Responder, TimerKind
from escalation.oncall import quiet
from escalation.paging import retries, timers
from escalation.paging.models import Notice, NoticeState
from escalation.paging.timers import Claimed, Wanted
from escalation.policies import Announcement
from escalation.reach import Way

RANK = 9  # behind every page and notification that waits for the same channel
SUBJECT_CHARACTERS_MAX = 200
DEDUP_KEY_CHARACTERS_MAX = 200
CODE, TEST, ANSWER = "code", "test", "answer"
ABOUT_ONE_WAY = frozenset({CODE, TEST})  # kinds that prove or try one way, and must not come by another

Urgency = Literal["high", "low"]
Recipient = Responder | Announcement

log = logs.get("notices")


def queue(
    session: Session,
    to: Recipient | Collection[Recipient],
    *,
    kind: str,
    subject: str,
    text: str,
    now: datetime,
    url: str = "",
    dedup_key: str | None = None,
    urgency: Urgency = "low",
) -> list[Notice]:
    """Have each recipient told, and wake whoever sends (the caller does, after its commit).

    `kind` has at most 32 characters and is for whoever looks at the table (`handoff`, `gap`, `alarm`). `text` stands
    by itself, in sentences, the weightiest first: a text message holds about 300 characters, a call as many. `subject`
    is what a letter is called. `url` is whole, for a browser. Of one `dedup_key` each recipient is told once, ever:
    whoever finds the same again says nothing. "low" goes by the quietest way and waits for the end of the person's
    quiet hours; "high" goes as pages do, at once.

    Gives the notices that were added: none for whoever was told before, or has no usable way, which is logged.
    """
    recipients = [to] if isinstance(to, Responder | Announcement) else list(to)
    people = [each for each in recipients if isinstance(each, Responder)]
    ways = responders.ways(session, people, urgency, now)
    added: list[Notice] = []
    for each in recipients:
        said_once = _dedup_key(dedup_key, each)
        if isinstance(each, Announcement):
            made = _new(kind, subject, text, url, now, channel=each.channel, address=each.address)
        elif not each.active or not ways[each.id]:
            log.warning("nobody was told, for want of a usable way", responder=each.key, kind=kind, subject=subject)
            continue
        else:
            way = ways[each.id][0]
            made = _new(kind, subject, text, url, now, channel=way.channel, address=way.address)
            made.responder_id = each.id
            if urgency == "low":
                made.due_at = quiet.ends_at(each.quiet, each.timezone, now) or now
        made.dedup_key = said_once
        stored = _insert(session, made)
        if stored is not None:
            added.append(stored)
    timers.set_all(session, [_timer(notice) for notice in added])
    return added


def queue_by(
    session: Session,
    person: Responder,
    way: Way,
    *,
    kind: str,
    subject: str,
    text: str,
    now: datetime,
    url: str = "",
    answering: Answering | None = None,
) -> Notice:
    """Have a person told by this way, at once; of a kind in ABOUT_ONE_WAY, by no other."""
    made = _new(kind, subject, text, url, now, channel=way.channel, address=way.address)
    made.responder_id = person.id
    made.letter = answering.to_json() if answering else {}
    session.add(made)
    session.flush()
    timers.set_all(session, [_timer(made)])
    return made


@dataclass(frozen=True, slots=True)
class Telling:
    """All that the send needs, so that no row is touched while it runs."""

    notice_id: int
    channel: str
    address: str
    message: Message


class NoticeErrand:
    """How the engine tells: as it pages, with the same retries, then by the person's next way."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels

    def begin(self, session: Session, claimed: Claimed, now: datetime) -> Telling | None:
        notice = _locked(session, claimed.subject_id)
        if notice is None or notice.state != NoticeState.QUEUED:
            timers.finish(session, claimed)
            return None
        if not timers.still_held(session, claimed):
            return None
        person = session.get(Responder, notice.responder_id) if notice.responder_id else None
        if person is not None and not person.active:
            _fail(notice, f"{person.name} is no longer active.")
            timers.finish(session, claimed)
            return None
        message = _message(notice, person)
        if person is not None and notice.kind not in ABOUT_ONE_WAY:
            # It may have waited for a night, and the address have been given up meanwhile.
            used = responders.addresses_of(session, person.id)
            if used.get(notice.channel) != notice.address:
                there = Way(0, notice.channel, used[notice.channel]) if notice.channel in used else None
                _take(session, claimed, notice, there or _next_way(session, notice), "Its address was removed.", now)
                return None
        if notice.kind == CODE:
            method = responders.method(session, notice.channel, notice.address)
            if person is None or method is None or method.responder_id != person.id:
                _fail(notice, "It has been removed.")
                timers.finish(session, claimed)
                return None
            code = contact_codes.fresh(session, method, now)
            said = contact_codes.words(notice.channel, code, person.name, notice.queued_at)
            message = replace(message, note=said)
        return Telling(notice.id, notice.channel, notice.address, message)

    def carry_out(self, work: Telling) -> Sent:
        channel = self._channels.get(work.channel)
        if channel is None:
            raise ChannelError(f"{work.channel} is not configured here.", permanent=True, code="not_configured")
        return channel.send(work.address, work.message)

    def record(
        self, session: Session, claimed: Claimed, work: Telling, outcome: Sent | ChannelError, now: datetime
    ) -> None:
        notice = _locked(session, work.notice_id)
        # A send that outlived its lease decides nothing, unless it arrived.
        if notice is None or notice.state == NoticeState.SENT:
            timers.finish(session, claimed)
        elif isinstance(outcome, Sent):
            notice.state, notice.sent_at, notice.error = NoticeState.SENT, now, ""
            timers.finish(session, claimed)
        elif notice.state == NoticeState.QUEUED and timers.still_held(session, claimed):
            _go_on(session, claimed, notice, outcome, now)


def _go_on(session: Session, claimed: Claimed, notice: Notice, error: ChannelError, now: datetime) -> None:
    """Again after a while, by the person's next way, or not at all any more."""
    notice.failures += 1
    notice.error = str(error)
    decision = retries.decide(notice.failures, permanent=error.permanent, retry_after_seconds=error.retry_after_seconds)
    if decision.retry_in_seconds is not None:
        again_at = now + timedelta(seconds=decision.retry_in_seconds)
        timers.put_back(session, claimed, again_at, error=str(error))
        return
    notice.tried = [*notice.tried, notice.channel]
    _take(session, claimed, notice, _next_way(session, notice), str(error), now)


def _next_way(session: Session, notice: Notice) -> Way | None:
    if notice.responder_id is None or notice.kind in ABOUT_ONE_WAY:
        return None
    return responders.untried(session, notice.responder_id, notice.tried)


def _take(session: Session, claimed: Claimed, notice: Notice, way: Way | None, why: str, now: datetime) -> None:
    """Go on by this way at once; without one it has failed, and `why` says what of."""
    if way is None:
        _fail(notice, why)
        timers.finish(session, claimed)
        return
    notice.channel, notice.address, notice.failures, notice.due_at = way.channel, way.address, 0, now
    session.flush()
    timers.set_all(session, [_timer(notice)])


def _fail(notice: Notice, why: str) -> None:
    notice.state, notice.error = NoticeState.FAILED, why
    log.warning("nobody was told", notice=notice.id, kind=notice.kind, subject=notice.subject, error=why)


def _message(notice: Notice, person: Responder | None) -> Message:
    return Message(
        purpose=Purpose.ANNOUNCEMENT if person is None else Purpose.NOTIFICATION,
        brief=brief.of_none(notice.url, notice.queued_at),
        standing=Standing(),
        to_name=person.name if person else "",
        subject=notice.subject,
        note=notice.text,
        answering=Answering(**notice.letter) if notice.letter else None,
    )


def _new(kind: str, subject: str, text: str, url: str, now: datetime, *, channel: str, address: str) -> Notice:
    return Notice(
        kind=kind,
        channel=channel,
        address=address,
        subject=wording.one_line(subject, SUBJECT_CHARACTERS_MAX),
        text=text,
        url=url,
        letter={},
        tried=[],
        state=NoticeState.QUEUED,
        queued_at=now,
        due_at=now,
        failures=0,
        error="",
    )


def _insert(session: Session, notice: Notice) -> Notice | None:
    """The stored notice; None if its dedup key has been used, also by somebody else at this very moment."""
    if notice.dedup_key is None:
        session.add(notice)
        session.flush()
        return notice
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    names = [column.key for column in Notice.__table__.columns if column.key != "id"]
    row = insert(Notice).values({name: getattr(notice, name) for name in names})
    made = session.scalar(row.on_conflict_do_nothing(index_elements=["dedup_key"]).returning(Notice.id))
    return session.get_one(Notice, made) if made is not None else None


def _dedup_key(key: str | None, to: Recipient) -> str | None:
    if key is None:
        return None
    whole = f"{key} {to.key if isinstance(to, Responder) else to}"
    return whole if len(whole) <= DEDUP_KEY_CHARACTERS_MAX else ids.secret_hash(whole)


def _timer(notice: Notice) -> Wanted:
    return Wanted(TimerKind.NOTICE, notice.id, None, notice.due_at, lane=notice.channel, rank=RANK)


def _locked(session: Session, notice_id: int) -> Notice | None:
    return session.scalar(
        select(Notice).where(Notice.id == notice_id).with_for_update().execution_options(populate_existing=True)
    )
