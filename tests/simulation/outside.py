"""What people and sources do to the simulated Tocsin, each in a process of its own, and what they are told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import TocsinError
from config.ids import secret_hash
from incidents import actions, governance, intake, reclassifying
from incidents.desk import Actor, Outcome
from incidents.lifecycle import Status
from incidents.models import Alert as AlertRow
from incidents.models import Incident
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.simulation import steps
from tests.simulation.course import PAGED_AT_ONCE, WORSE, Course, Rules
from tests.simulation.crashing import Crash, FragileDatabase, Moment
from tests.world import KEY, STORE_KEY, World

TITLES = {
    "CRITICAL": "Hash chain broken at sequence 48211",
    "HIGH": "Observer API down: health check failing on all replicas",
    "MEDIUM": "Worker returned unexpected state 7",
    "LOW": "Redis memory capacity warning 82% used",
    "INFO": "Deployment 2.4.1 completed successfully",
}
PROTECTED = 3  # this thing's service makes its incidents constitutional

Got = TypeVar("Got")


@dataclass(frozen=True)
class Stop:
    """What there was when the incident's escalation stopped."""

    pages: frozenset[int]
    deliveries: int
    in_flight: frozenset[int]


@dataclass
class Outside:
    world: World
    database: FragileDatabase
    rules: Rules
    actors: dict[str, Actor]
    sending: Callable[[], frozenset[int]]  # the pages that are being handed over at this moment
    courses: dict[int, Course] = field(default_factory=dict)
    accepted: list[tuple[int, int]] = field(default_factory=list)  # (thing, incident) of every alert answered
    stops: dict[int, Stop] = field(default_factory=dict)
    approvals: dict[int, set[str]] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=dict)  # thing -> its newest incident

    def do(self, act: steps.Act | steps.Storm | steps.Approve) -> None:
        match act:
            case steps.Storm(things, severities):
                for thing, severity in zip(things, severities, strict=True):
                    self._alert(thing, severity, None)
            case steps.Alert(thing, severity, crash):
                self._alert(thing, severity, crash)
            case steps.SourceSays(thing, status):
                self._source_says(thing, AlertStatus(status))
            case steps.Approve(thing, by):
                agree = partial(governance.decide, action="resolve", decision="approve", reason="agreed")
                if self._verb(thing, by, agree) is not None:
                    self.approvals.setdefault(self._numbers[thing], set()).add(by)
            case steps.Acknowledge(thing, by, crash):
                self._acknowledge(thing, by, crash)
            case steps.Resolve(thing, by, crash):
                self._verb(thing, by, partial(actions.resolve, reason="fixed"), crash)
            case steps.Escalate(thing):
                self._escalate(thing)
            case steps.Reclassify(thing, severity):
                change = partial(reclassifying.reclassify, new_severity=Severity(severity), reason="it is")
                self._verb(thing, "bo", change)

    def thing_of(self, number: int) -> int:
        return next(thing for thing, incident in reversed(self.accepted) if incident == number)

    def _alert(self, thing: int, severity: str, crash: Moment | None) -> None:
        before = self._firing(thing)
        received = self._receive(thing, TITLES[severity], AlertStatus.FIRING, crash)
        if received is None:
            return
        number = received.incident_id
        assert number is not None, f"an accepted alert about {thing} has no incident"
        self.accepted.append((thing, number))
        self._numbers[thing] = number
        if before is None:
            assert received.opened, f"an alert about {thing} joined {number}, where its key does not fire"
            course = self.courses[number] = Course(self.rules)
            course.begin(self.world.incident(number).severity, self.world.now)
        else:
            assert before.id == number, f"an alert about {thing} went to {number}; its key fires in {before.id}"
            after = self._reckon(before)
            rose = WORSE.index(after.severity) > WORSE.index(before.severity) and after.severity in PAGED_AT_ONCE
            assert not rose or after.status == Status.OPEN, f"{number} got worse, and an old answer keeps it quiet"

    def _source_says(self, thing: int, status: AlertStatus) -> None:
        before = self._firing(thing)
        self._receive(thing, "Over", status, None)
        if before is None:
            return
        after = self._reckon(before)
        if before.incident_class == IncidentClass.CONSTITUTIONAL:
            assert after.status == before.status, f"the source changed constitutional incident {after.id}"

    def _receive(self, thing: int, title: str, status: AlertStatus, crash: Moment | None) -> intake.Received | None:
        """None: it was never answered, and is not stored."""
        incoming = IncomingAlert(source="pagerduty", dedup_key=f"thing-{thing}", status=status, title=title)

        def take_in(session: Session) -> intake.Received:
            door = intake.door(session, secret_hash(STORE_KEY if thing == PROTECTED else KEY))
            assert door is not None
            return intake.receive(session, self.world.desk, door, incoming, self.world.now)

        return self._elsewhere(crash, take_in)

    def _acknowledge(self, thing: int, by: str, crash: Moment | None) -> None:
        number = self._numbers.get(thing)
        was_open = number is not None and self.world.incident(number).status == Status.OPEN
        if self._verb(thing, by, actions.acknowledge, crash) is not None and number is not None and was_open:
            assert self.world.incident(number).status == Status.ACKNOWLEDGED, f"{by}'s answer to {number} is lost"

    def _escalate(self, thing: int) -> None:
        outcome = self._verb(thing, "bo", actions.escalate_now)
        if outcome is not None and outcome.changed:
            self.courses[outcome.incident_id].hasten(self.world.now)

    def _verb(self, thing: int, by: str, verb: Callable[..., Outcome], crash: Moment | None = None) -> Outcome | None:
        """None: there is no such incident, it was refused, or the process died before it could commit."""
        number = self._numbers.get(thing)
        if number is None:
            return None
        before = self.world.incident(number)
        actor, desk, now = self.actors[by], self.world.desk, self.world.now
        try:
            outcome = self._elsewhere(crash, lambda session: verb(session, desk, number, actor, now))
        except TocsinError:
            return None
        if outcome is not None:
            self._reckon(before)
        return outcome

    def _elsewhere(self, crash: Moment | None, act: Callable[[Session], Got]) -> Got | None:
        """A request in another process; None when that died before it could commit."""
        got: list[Got] = []
        try:
            with self.database.elsewhere(crash), self.database.transaction() as session:
                got.append(act(session))
        except Crash:
            if crash is Moment.BEFORE:
                return None
        return got[0]

    def _reckon(self, before: Incident) -> Incident:
        """Tell the course what the world has just done to its incident."""
        after = self.world.incident(before.id)
        course = self.courses[after.id]
        worse = WORSE.index(after.severity) > WORSE.index(before.severity)
        if before.status == Status.OPEN and after.status != Status.OPEN:
            course.stop()
            pages = frozenset(page.id for page in self.world.pages(after.id))
            self.stops[after.id] = Stop(pages, len(self.world.deliveries), self.sending())
        elif before.status != Status.OPEN and after.status == Status.OPEN:
            assert worse and after.severity in PAGED_AT_ONCE, f"{after.id} was reopened without a reason"
            del self.stops[after.id]
            course.begin(after.severity, self.world.now)
        elif after.status == Status.OPEN and worse:
            course.worsen(after.severity, self.world.now)
        return after

    def _firing(self, thing: int) -> Incident | None:
        """The incident that this thing's firing alert belongs to."""
        firing = select(AlertRow.incident_id).where(
            AlertRow.dedup_key == f"thing-{thing}", AlertRow.status == AlertStatus.FIRING
        )
        with self.database.reading() as session:
            number = session.scalar(firing)
        return None if number is None else self.world.incident(number)
