"""Hand-overs: when who is on call changes, both who goes and who comes are told, and Slack's usergroup follows.

Who was last seen on call is a row. What differs from it is told in the transaction that writes it anew, so each change
is told once, whatever crashes; what was missed while no engine ran is told as one change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escalation import notices, responders
from escalation.channels.base import Channel, ChannelError
from escalation.models import Escalation, Responder, ScheduleRow
from escalation.oncall import outlook, upkeep, words
from escalation.oncall.models import Duty
from escalation.oncall.outlook import Present
from escalation.paging import timers
from escalation.paging.timers import Claimed

KIND = "hand-over"
LOOK_AT_LEAST_EVERY = timedelta(days=30)  # where no change is in sight
USERGROUP_AGAIN_AFTER = timedelta(minutes=5)
USERGROUP_REFUSED_AGAIN_AFTER = timedelta(hours=6)  # somebody has to mend it first


@runtime_checkable
class HasUsergroups(Protocol):
    def set_usergroup(self, usergroup: str, members: Sequence[str]) -> None:
        """Raises ChannelError."""


@dataclass(frozen=True, slots=True)
class Usergroup:
    """What Slack is to be told."""

    schedule: str
    usergroup: str  # Slack's id of it
    members: tuple[str, ...]  # Slack's ids; never none


class DutyErrand:
    def __init__(self, channels: Mapping[str, Channel], base_url: str) -> None:
        slack = channels.get("slack")
        self._slack: HasUsergroups | None = slack if isinstance(slack, HasUsergroups) else None
        self._base_url = base_url

    def begin(self, session: Session, claimed: Claimed, now: datetime) -> Usergroup | None:
        row = session.get(ScheduleRow, claimed.subject_id)
        if row is None or not timers.still_held(session, claimed):
            timers.finish(session, claimed)
            return None
        present = outlook.present(session, row, now)
        _look(session, row, present, now, self._base_url)
        usergroup = self._usergroup(session, row, present)
        if usergroup is None:
            timers.set_all(session, [upkeep.duty(row, _next(present, now))])
        return usergroup

    def carry_out(self, work: Usergroup) -> None:
        assert self._slack is not None  # noqa: S101  without Slack there is no such work
        self._slack.set_usergroup(work.usergroup, work.members)

    def record(
        self, session: Session, claimed: Claimed, work: Usergroup, outcome: ChannelError | None, now: datetime
    ) -> None:
        row = session.get(ScheduleRow, claimed.subject_id)
        if row is None or not timers.still_held(session, claimed):
            return  # it was set anew meanwhile: whoever acts on it tells Slack what is true then
        again_at = _next(outlook.present(session, row, now), now)
        if outcome is not None:
            wait = USERGROUP_REFUSED_AGAIN_AFTER if outcome.permanent else USERGROUP_AGAIN_AFTER
            again_at = min(again_at, now + wait)
            _tell_of_failure(session, work, outcome, now)
        timers.set_all(session, [upkeep.duty(row, again_at)])

    def _usergroup(self, session: Session, row: ScheduleRow, present: Present) -> Usergroup | None:
        """None too where it would be empty: Slack takes no empty usergroup, and the last people in it are better than
        none."""
        wanted = row.definition.get("slack_usergroup")
        if not wanted or self._slack is None:
            return None
        people = session.execute(
            select(Responder.key, Responder.id).where(Responder.key.in_(present.on_call), Responder.active)
        )
        ids = {person.key: person.id for person in people}
        used = responders.usable(session, ids.values())  # an address that nobody vouches for is a stranger's
        of_each = {key: address for key in ids if (address := used.get(ids[key], {}).get("slack"))}
        found = tuple(of_each[key] for key in present.on_call if not of_each.get(key, "#").startswith("#"))
        return Usergroup(row.key, wanted, found) if found else None


def _next(present: Present, now: datetime) -> datetime:
    latest = now + LOOK_AT_LEAST_EVERY
    return latest if present.next_change_at is None else min(present.next_change_at, latest)


def _look(session: Session, row: ScheduleRow, present: Present, now: datetime, base_url: str) -> None:
    """Compares with who was last seen, and tells. Who is there when a schedule is first seen is told nothing: a new
    schedule, and the first start of this version, are no hand-over."""
    known = session.get(Duty, row.id)
    if known is None:
        session.add(Duty(schedule_id=row.id, on_call=list(present.on_call), since_at=now))
        session.flush()
        return
    gone = [key for key in known.on_call if key not in present.on_call]
    come = [key for key in present.on_call if key not in known.on_call]
    if not gone and not come:
        return
    known.on_call, known.since_at = list(present.on_call), now
    people = {
        each.key: each
        for each in session.scalars(
            select(Responder).where(Responder.key.in_({*gone, *present.on_call}), Responder.active)
        )
    }
    running = session.scalar(select(func.count()).where(Escalation.stopped_at.is_(None))) or 0
    url = f"{base_url}/oncall"
    for key in come:
        if person := people.get(key):
            beside, until = _names(people, present.on_call, key), outlook.until(session, row, key, now)
            text = _coming(row.key, person, _names(people, gone), beside, until, running)
            subject = f"You are on call for {row.key} now"
            notices.queue(session, person, kind=KIND, subject=subject, text=text, url=url, now=now)
    for key in gone:
        if person := people.get(key):
            text = _going(row.key, _names(people, present.on_call))
            subject = f"You are no longer on call for {row.key}"
            notices.queue(session, person, kind=KIND, subject=subject, text=text, url=url, now=now)


def _names(people: Mapping[str, Responder], keys: Collection[str], but: str = "") -> list[str]:
    return [people[key].name for key in keys if key in people and key != but]


def _coming(
    schedule: str, person: Responder, gone: Sequence[str], beside: Sequence[str], until: datetime | None, running: int
) -> str:
    said = f"You are on call for {schedule} now"
    if until is not None:
        said += f", until {words.moment(until, person.timezone)} {words.clocks(person.timezone)}"
    said += "."
    if gone:
        said += f" You take over from {words.listed(gone)}."
    if others := [name for name in beside if name not in gone]:
        said += f" With you: {words.listed(others)}."
    if running:
        said += (
            " 1 incident waits for somebody to acknowledge it."
            if running == 1
            else f" {running} incidents wait for somebody to acknowledge them."
        )
    return said


def _going(schedule: str, present: Sequence[str]) -> str:
    if not present:
        return f"You are no longer on call for {schedule}. Nobody has taken over: its pages go on to the next level."
    have = "has" if len(present) == 1 else "have"
    return f"You are no longer on call for {schedule}. {words.listed(present)} {have} it now."


def _tell_of_failure(session: Session, work: Usergroup, error: ChannelError, now: datetime) -> None:
    """Once a day."""
    notices.queue(
        session,
        responders.with_role(session, "admin"),
        kind="usergroup",
        subject=f"Slack's usergroup of {work.schedule} could not be changed",
        text=(
            f"Slack's usergroup {work.usergroup} does not follow the schedule {work.schedule}: {error} "
            "Who mentions it reaches the people of before. Tocsin tries again; the app needs the scope usergroups:write."
        ),
        now=now,
        dedup_key=f"usergroup {work.schedule} {now:%Y-%m-%d}",
    )
