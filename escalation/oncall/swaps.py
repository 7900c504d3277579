"""Swaps: one person offers time on call to another, perhaps for some of theirs, and the other agrees or does not.

Nothing changes until then. The agreement makes the overrides in its own transaction, after everything has been looked
at once more: between the offer and the answer, the time may have gone to somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from config import audit
from config.actor import Actor
from config.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from escalation import notices
from escalation.models import Responder, ScheduleRow
from escalation.oncall import changes, differences, moves, outlook, swap_rows, whose, words
from escalation.oncall.differences import Span
from escalation.oncall.models import SwapRow, SwapState
from escalation.oncall.swap_rows import Swap

KIND = "swap"


@dataclass(frozen=True, slots=True)
class Wanted:
    schedule: str  # keys
    other: str
    gives: Span
    takes: Span | None = None


def propose(session: Session, wanted: Wanted, actor: Actor, now: datetime, *, base_url: str = "") -> Swap:
    """The caller's own time. Raises NotFoundError, InvalidInputError that names the field, NotAllowedError, and
    ConflictError for time that is not theirs to give or to take."""
    whose.refuse_onlookers(actor)
    schedule = whose.schedule(session, wanted.schedule)
    proposer = _self(session, actor)
    other = whose.person(session, wanted.other, "other")
    if other.id == proposer.id:
        raise whose.refused("other", "is yourself")
    gives = _checked(wanted.gives, "gives", now)
    takes = _checked(wanted.takes, "takes", now) if wanted.takes else None
    if takes and differences.without([gives], [takes]) != [gives]:
        raise whose.refused("takes_starts_at", "lies in the time that is given")
    _refuse_unless_theirs(session, schedule, proposer, other, gives, takes, now)
    row = SwapRow(
        schedule_id=schedule.id,
        proposer_id=proposer.id,
        other_id=other.id,
        gives_starts_at=gives[0],
        gives_ends_at=gives[1],
        takes_starts_at=takes[0] if takes else None,
        takes_ends_at=takes[1] if takes else None,
        state=SwapState.PROPOSED,
        created_at=now,
    )
    session.add(row)
    session.flush()
    offer = f"{proposer.name} asks you to take {_time(gives, other)} on {schedule.key}"
    if takes:
        offer += f", and would take {_time(takes, other)} from you"
    text = f"{offer}. Nothing changes until you agree. Times are {words.clocks(other.timezone)}."
    _tell(session, other, f"{proposer.name} proposes a swap", text, now, base_url)
    _note(session, actor, "added", row, swap_rows.sentence(row, schedule, proposer, other), now)
    return swap_rows.shown(row, schedule, proposer, other)


def confirm(session: Session, swap_id: int, actor: Actor, now: datetime, *, base_url: str = "") -> Swap:
    """By the other person. Confirmed already: an answer, not an error. Raises NotFoundError, NotAllowedError,
    ConflictError."""
    row, schedule, proposer, other = _locked(session, swap_id)
    if actor.responder_id != other.id:
        raise NotAllowedError(f"Only {other.name} can agree to this swap.")
    if row.state == SwapState.CONFIRMED:
        return swap_rows.shown(row, schedule, proposer, other)
    _refuse_decided(row)
    gives, takes = _checked(swap_rows.gives(row), "gives", now), swap_rows.takes(row)
    if takes:
        takes = _checked(takes, "takes", now)
    if not proposer.active:
        raise ConflictError(f"{proposer.name} has left.")
    _refuse_unless_theirs(session, schedule, proposer, other, gives, takes, now)
    changes.refuse_overlap(session, schedule, other, proposer, *gives)
    if takes:
        changes.refuse_overlap(session, schedule, proposer, other, *takes)
    reason = f"swap {row.id}"
    with moves.told(session, actor, now, schedules=[schedule.key], base_url=base_url, tells=False):
        changes.insert(session, schedule, other, proposer, *gives, actor=actor, now=now, reason=reason)
        if takes:
            changes.insert(session, schedule, proposer, other, *takes, actor=actor, now=now, reason=reason)
    _tell_of_agreement(session, schedule, (proposer, other), (gives, takes), now, base_url)
    return _decided(session, row, SwapState.CONFIRMED, schedule, proposer, other, actor, now)


def decline(session: Session, swap_id: int, actor: Actor, now: datetime, *, base_url: str = "") -> Swap:
    """By the other person. Raises as confirm() does."""
    row, schedule, proposer, other = _locked(session, swap_id)
    if actor.responder_id != other.id:
        raise NotAllowedError(f"Only {other.name} can decline this swap.")
    if row.state == SwapState.DECLINED:
        return swap_rows.shown(row, schedule, proposer, other)
    _refuse_decided(row)
    text = f"{other.name} does not take your time on {schedule.key}: you keep {_time(swap_rows.gives(row), proposer)}."
    _tell(session, proposer, f"{other.name} declines your swap", text, now, base_url)
    return _decided(session, row, SwapState.DECLINED, schedule, proposer, other, actor, now)


def withdraw(session: Session, swap_id: int, actor: Actor, now: datetime, *, base_url: str = "") -> Swap:
    """By who proposed it, or a manager. Raises as confirm() does."""
    row, schedule, proposer, other = _locked(session, swap_id)
    if actor.responder_id != proposer.id and not whose.decides_for_all(actor):
        raise whose.only_managers(actor, f"withdraw what {proposer.name} proposed")
    if row.state == SwapState.WITHDRAWN:
        return swap_rows.shown(row, schedule, proposer, other)
    _refuse_decided(row)
    text = f"You need not answer any more: the swap that {proposer.name} proposed on {schedule.key} is withdrawn."
    _tell(session, other, f"The swap with {proposer.name} is withdrawn", text, now, base_url)
    return _decided(session, row, SwapState.WITHDRAWN, schedule, proposer, other, actor, now)


def _self(session: Session, actor: Actor) -> Responder:
    person = session.get(Responder, actor.responder_id) if actor.responder_id is not None else None
    if person is None:
        raise NotAllowedError(f"A swap takes a person; {actor.name} is a program.")
    return person


def _locked(session: Session, swap_id: int) -> tuple[SwapRow, ScheduleRow, Responder, Responder]:
    row = session.get(SwapRow, swap_id)
    if row is None:
        raise NotFoundError(f"There is no swap {swap_id}.")
    # The schedule first: of two answers at once the later one sees what the earlier one made of it.
    schedule = whose.schedule(session, session.get_one(ScheduleRow, row.schedule_id).key)
    session.refresh(row, with_for_update=True)
    return row, schedule, session.get_one(Responder, row.proposer_id), session.get_one(Responder, row.other_id)


def _checked(span: Span, name: str, now: datetime) -> Span:
    """`name`: what the fields of this time begin with."""
    try:
        return whose.span(*span, now, days_max=changes.SPAN_DAYS_MAX)
    except InvalidInputError as refused:
        field, problem = next(iter(refused.fields.items()))
        raise whose.refused(f"{name}_{field}", problem) from refused


def _refuse_unless_theirs(
    session: Session,
    schedule: ScheduleRow,
    proposer: Responder,
    other: Responder,
    gives: Span,
    takes: Span | None,
    now: datetime,
) -> None:
    """What is given must be on call time of the giver, all of it, or else the other would get less or nothing."""
    until = max(span[1] for span in (gives, takes) if span)
    held = outlook.shifts(session, now, until, [schedule.key])[schedule.key]
    for person, span, field in ((proposer, gives, "gives_starts_at"), (other, takes, "takes_starts_at")):
        mine = differences.joined((each.starts_at, each.ends_at) for each in held if each.responder == person.key)
        if span and differences.without([span], mine):
            raise ConflictError(
                f"{person.name} is not on call on {schedule.key} all of that time, {whose.when(*span)}.",
                fields={field: f"{person.name} is not on call all of that time"},
            )
    for person, span, field in ((other, gives, "gives_starts_at"), (proposer, takes, "takes_starts_at")):
        theirs = differences.joined((each.starts_at, each.ends_at) for each in held if each.responder == person.key)
        if span and differences.without([span], theirs) != [span]:
            raise ConflictError(
                f"{person.name} is on call on {schedule.key} in that time already, {whose.when(*span)}: there would be "
                "one person less.",
                fields={field: f"{person.name} is on call then already"},
            )


def _refuse_decided(row: SwapRow) -> None:
    if row.state != SwapState.PROPOSED:
        raise ConflictError(f"This swap is {row.state} already.")


def _decided(
    session: Session,
    row: SwapRow,
    state: SwapState,
    schedule: ScheduleRow,
    proposer: Responder,
    other: Responder,
    actor: Actor,
    now: datetime,
) -> Swap:
    row.state, row.decided_at = state, now
    session.flush()
    _note(session, actor, "changed", row, f"{swap_rows.sentence(row, schedule, proposer, other)}: {state}", now)
    return swap_rows.shown(row, schedule, proposer, other)


def _tell_of_agreement(
    session: Session,
    schedule: ScheduleRow,
    people: tuple[Responder, Responder],
    spans: tuple[Span, Span | None],
    now: datetime,
    base_url: str,
) -> None:
    """Each reads what they take and what they are rid of."""
    for me, you, rid_of, take in ((*people, *spans), (*people[::-1], *spans[::-1])):
        said = f"Your swap with {you.name} on {schedule.key} is agreed."
        if take:
            said += f" You take {_time(take, me)}."
        if rid_of:
            said += f" {you.name} takes {_time(rid_of, me)}."
        said += f" Times are {words.clocks(me.timezone)}."
        _tell(session, me, f"Your swap with {you.name} is agreed", said, now, base_url)


def _time(span: Span, reader: Responder) -> str:
    return words.span(*span, reader.timezone)


def _tell(session: Session, person: Responder, subject: str, text: str, now: datetime, base_url: str) -> None:
    url = f"{base_url}/oncall/mine" if base_url else ""
    notices.queue(session, person, kind=KIND, subject=subject, text=text, url=url, now=now)


def _note(session: Session, actor: Actor, action: audit.Action, row: SwapRow, text: str, now: datetime) -> None:
    audit.note(
        session,
        actor=actor.name,
        via=actor.via,
        action=action,
        what=f"swap {row.id}",
        text=text,
        after={"state": str(row.state)},
        now=now,
    )
