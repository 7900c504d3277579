"""How noise is to be held down, reckoned a second time from what people wrote: who joins whom, what flaps, what a
silence fits. None of it asks the code that it judges; what it looks at are rows, and what the world did."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidents.models import Alert, Incident
from incidents.models import Service as ServiceRow
from incidents.silence_models import SilenceRow

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OPERATIONAL = "operational"


@dataclass(frozen=True)
class Service:
    """As the team declares it."""

    name: str
    key: str  # of its integration
    within: timedelta | None = None  # alerts join the incident that opened less than this ago …
    by: tuple[str, ...] = ()  # … if they agree in these labels
    toggles: int | None = None  # what came and went more often than this …
    quiet: timedelta = timedelta()  # … in this time ends only after being quiet as long
    protected: bool = False


@dataclass
class Came:
    """One alert of a thing, from its first report to its end."""

    first_at: datetime
    last_at: datetime
    flapping: bool


@dataclass(frozen=True)
class Group:
    incident: int
    service: str
    values: tuple[str, ...]
    opened_at: datetime


@dataclass
class Noise:
    """`words`: what the source of each thing said last, and since when it says so."""

    services: Mapping[int, Service]
    groups: list[Group] = field(default_factory=list)
    came: dict[int, list[Came]] = field(default_factory=dict)
    words: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    lifted: dict[int, set[int]] = field(
        default_factory=dict
    )  # incident -> silences that a person woke people in spite of

    def says(self, thing: int, word: str, now: datetime) -> None:
        if self.words.get(thing, ("", now))[0] != word:
            self.words[thing] = (word, now)

    def opened(self, thing: int, number: int, labels: Mapping[str, str], now: datetime) -> None:
        service = self.services[thing]
        if service.within is not None:
            self.groups.append(Group(number, service.name, _values(service, labels), now))

    def joins(self, session: Session, thing: int, labels: Mapping[str, str], now: datetime) -> int | None:
        """The incident that a new operational alert belongs to; None: one of its own."""
        service = self.services[thing]
        if service.within is None or _is_alone(service, labels):
            return None
        candidates = [
            group
            for group in self.groups
            if (group.service, group.values) == (service.name, _values(service, labels))
            and group.opened_at > now - service.within
        ]
        for group in sorted(candidates, key=lambda each: (each.opened_at, each.incident), reverse=True):
            incident = session.get_one(Incident, group.incident)
            if incident.status in ("open", "acknowledged") and incident.incident_class == OPERATIONAL:
                return incident.id
        return None

    def flaps(self, thing: int, now: datetime) -> bool:
        """Whether a new operational alert of it is one that comes and goes."""
        service, came = self.services[thing], self.came.get(thing, [])
        if service.toggles is None or not came:
            return False
        if sum(each.first_at > now - service.quiet for each in came) > service.toggles:
            return True
        newest = max(came, key=lambda each: each.first_at)
        return newest.flapping and newest.last_at > now - service.quiet


def _is_alone(service: Service, labels: Mapping[str, str]) -> bool:
    """It has none of the labels by which the service tells one trouble from another."""
    return bool(service.by) and not any(_values(service, labels))


def _values(service: Service, labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in service.by)


# Silences


def silences(session: Session) -> Sequence[SilenceRow]:
    return session.scalars(select(SilenceRow).order_by(SilenceRow.id)).all()


def firing(session: Session, number: int) -> list[Alert]:
    return list(session.scalars(select(Alert).where(Alert.incident_id == number, Alert.status == "firing")))


def service_of(session: Session, number: int) -> str:
    found = select(ServiceRow.key).join(Incident, Incident.service_id == ServiceRow.id).where(Incident.id == number)
    return session.scalars(found).one()


def goes_on(row: SilenceRow, at: datetime) -> bool:
    if row.ended_at is not None or at < row.starts_at or (row.ends_at is not None and at >= row.ends_at):
        return False
    if not row.hours:
        return True
    assert row.hours["timezone"] == "UTC"
    begins, ends = _minutes(row.hours["from"]), _minutes(row.hours["to"])
    for days_before in (0, 1):
        day = datetime.combine(at.date() - timedelta(days=days_before), datetime.min.time(), UTC)
        until = day + ends + (timedelta(days=1) if ends <= begins else timedelta())
        if DAYS[day.weekday()] in row.hours["days"] and day + begins <= at < until:
            return True
    return False


def fits(row: SilenceRow, service: str, title: str, labels: Mapping[str, Any]) -> bool:
    return (
        (not row.services or service in row.services)
        and (not row.title or _like(row.title.casefold(), title.casefold()))
        and all(name in labels and _like(pattern, str(labels[name])) for name, pattern in row.labels.items())
    )


def held(
    rows: Sequence[SilenceRow], service: str, alerts: Sequence[Alert], at: datetime, *, without: set[int] | None = None
) -> bool:
    """Whether each of the alerts fits a silence that goes on."""
    going_on = [row for row in rows if goes_on(row, at) and row.id not in (without or ())]
    return bool(alerts) and all(any(fits(row, service, a.title, a.labels) for row in going_on) for a in alerts)


def _like(pattern: str, text: str) -> bool:
    expression = "".join(".*" if each == "*" else re.escape(each) for each in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _minutes(clock: str) -> timedelta:
    hours, minutes = clock.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
