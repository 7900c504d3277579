"""Tells administrators what is wrong with the paging, without the paging: straight by their channels.

Neither timers nor an engine are needed, and once they are known not even the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from config import logs
from escalation import brief, responders, settled
from escalation.alarm_words import Telling
from escalation.brief import Standing
from escalation.channels.base import Channel, ChannelError, Message, Purpose
from escalation.models import Responder
from escalation.oncall import rota
from escalation.policies import Target
from escalation.reach import Way

ROLE = "admin"
FURTHER_WAY_AFTER_SECONDS_MIN = 60

log = logs.get("alarms")


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    ways: tuple[Way, ...]


class Alarms:
    def __init__(self, channels: Mapping[str, Channel], base_url: str) -> None:
        self._channels = channels
        self._base_url = base_url
        self._people: list[_Person] = []
        self._later: list[tuple[datetime, _Person, Way, Telling]] = []

    def remember(self, session: Session, now: datetime) -> None:
        """Who is to be told: the administrators; where none can be reached, whoever is the last resort."""
        found = self._reachable(session, responders.with_role(session, ROLE), now)
        if not found:
            targets = [Target.parse(written) for written in settled.last_resort(session)]
            found = self._reachable(session, rota.people(session, targets, now), now)
        self._people = found

    def tell(self, telling: Telling, now: datetime) -> int:
        """Send it to each by the first way that works; how many took it. Blocks for the channels' time-outs."""
        self._later = []
        reached = 0
        for person in self._people:
            used = next((way for way in person.ways if self._send(person, way, telling, now)), None)
            reached += used is not None
            if telling.insist and used is not None:
                self._later += [
                    (
                        now + timedelta(seconds=max(way.after_seconds, FURTHER_WAY_AFTER_SECONDS_MIN)),
                        person,
                        way,
                        telling,
                    )
                    for way in person.ways[person.ways.index(used) + 1 :]
                ]
        if not reached:
            log.error("no administrator could be told", subject=telling.subject, text=telling.text)
        return reached

    def go_on(self, now: datetime) -> None:
        """What stands is told by the further ways whose time has come."""
        due = [each for each in self._later if each[0] <= now]
        self._later = [each for each in self._later if each[0] > now]
        for _, person, way, telling in due:
            self._send(person, way, telling, now)

    def rest(self) -> None:
        """It is mended: nobody need be told by further ways."""
        self._later = []

    def _reachable(self, session: Session, people: list[Responder], now: datetime) -> list[_Person]:
        ways = responders.ways(session, people, "high", now)
        found = []
        for person in people:
            usable = [way for way in ways[person.id] if way.channel in self._channels]
            tried = {way.channel for way in ways[person.id]}
            while (way := responders.untried(session, person.id, tried)) is not None:
                tried.add(way.channel)
                if way.channel in self._channels and not usable:
                    usable.append(way)
            if usable:
                found.append(_Person(person.name, tuple(usable)))
        return found

    def _send(self, person: _Person, way: Way, telling: Telling, now: datetime) -> bool:
        message = Message(
            purpose=Purpose.NOTIFICATION,
            brief=brief.of_none(self._base_url, now),
            standing=Standing(),
            to_name=person.name,
            subject=telling.subject,
            note=telling.text,
        )
        try:
            self._channels[way.channel].send(way.address, message)
        except ChannelError as error:
            log.warning("an administrator was not told", responder=person.name, channel=way.channel, error=str(error))
            return False
        log.info("an administrator was told", responder=person.name, channel=way.channel, subject=telling.subject)
        return True
