"""What people and sources do to the simulated Tocsin, each in a process of its own, and what they are told of it."""

from __future__ import annotations

from collections import Counter
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
from tests.simulation import noise, quieting, steps
from tests.simulation.course import PAGED_AT_ONCE, WORSE, Course, Rules
from tests.simulation.crashing import Crash, FragileDatabase, Moment
from tests.simulation.noise import Came, Noise
from tests.world import World

TITLES = {
    "CRITICAL": "Hash chain broken at sequence 48211",
    "HIGH": "Observer API down: health check failing on all replicas",
    "MEDIUM": "Worker returned unexpected state 7",
    "LOW": "Redis memory capacity warning 82% used",
    "INFO": "Deployment 2.4.1 completed successfully",
}
CONSTITUTIONAL = "CRITICAL"  # the title of these is
Labels = dict[str, str]

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
    noise: Noise
    sending: Callable[[], frozenset[int]]  # the pages that are being handed over at this moment
    look: Callable[[], None]  # show the courses what has fired by now
    courses: dict[int, Course] = field(default_factory=dict)
    accepted: list[tuple[int, int]] = field(default_factory=list)  # (thing, incident) of every alert answered
    stops: dict[int, Stop] = field(default_factory=dict)
    approvals: dict[int, set[str]] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)  # silences that people have just made, or have just had last longer
    known_late: set[int] = field(default_factory=set)  # incidents that turned out constitutional after they were over
    opened_as: dict[int, bool] = field(default_factory=dict)  # incident -> whether its first alert was operational
    kept: Counter[int] = field(default_factory=Counter)  # how often each was left with who had it, under a silence
    _numbers: dict[int, int] = field(default_factory=dict)  # thing -> its newest incident

    def do(self, act: steps.Act | steps.Storm | steps.Approve) -> None:
        match act:
            case steps.Storm(things, severities, labels):
                for thing, severity in zip(things, severities, strict=True):
                    self._alert(thing, severity, dict(labels), None)
                    self.look()
            case steps.Alert(thing, severity, crash, labels):
                self._alert(thing, severity, dict(labels), crash)
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
            case steps.Escalate(thing, held):
                self._escalate(self._held_thing(thing) if held else thing)
            case steps.Reclassify(thing, severity):
                change = partial(reclassifying.reclassify, new_severity=Severity(severity), reason="it is")
                self._verb(thing, "bo", change)
            case steps.RaiseClass(thing):
                self._raise_class(thing)
            case steps.Silence() | steps.Extend() | steps.End() | steps.EndAll():
                self._quieting(act)

    def thing_of(self, number: int) -> int:
        return next(thing for thing, incident in reversed(self.accepted) if incident == number)

    def stop(self, number: int) -> None:
        """Nobody is to be woken for it from now on."""
        self.courses[number].stop()
        pages = frozenset(page.id for page in self.world.pages(number))
        self.stops[number] = Stop(pages, len(self.world.deliveries), self.sending())

    def _alert(self, thing: int, severity: str, labels: Labels, crash: Moment | None) -> None:
        operational = severity != CONSTITUTIONAL and not self.noise.services[thing].protected
        known, joins = self._firing(thing), None
        flaps = known is None and operational and self.noise.flaps(thing, self.world.now)
        if known is None and operational:
            with self.database.reading() as session:
                joins = self.noise.joins(session, thing, labels, self.world.now)
            known = None if joins is None else self.world.incident(joins)
        received = self._receive(thing, TITLES[severity], AlertStatus.FIRING, crash, labels)
        if received is None:
            return
        number = received.incident_id
        assert number is not None, f"an accepted alert about {thing} has no incident"
        self.accepted.append((thing, number))
        self._numbers[thing] = number
        self._came(thing, number, flaps=flaps, anew=known is None or joins is not None)
        if known is None:
            assert received.opened, f"an alert about {thing} joined {number}; it had nothing to join"
            self._opened(thing, number, labels, operational=operational)
        else:
            assert known.id == number, f"an alert about {thing} went to {number}; it belongs to {known.id}"
            self._added(known)

    def _opened(self, thing: int, number: int, labels: Labels, *, operational: bool) -> None:
        incident = self.world.incident(number)
        self.opened_as[number] = operational
        if operational:
            self.noise.opened(thing, number, labels, self.world.now)
        course = self.courses[number] = Course(self.rules)
        course.begin(incident.severity, self.world.now)
        is_held = operational and self._fits(number)
        assert (incident.silenced_until is not None) == is_held, f"{number} opened, and is held back: {not is_held}"

    def _added(self, before: Incident) -> None:
        """Another report of an incident, or another alert that joined it."""
        after = self._reckon(before)
        rose = WORSE.index(after.severity) > WORSE.index(before.severity) and after.severity in PAGED_AT_ONCE
        operational = after.incident_class == IncidentClass.OPERATIONAL
        is_held = operational and self._fits(after.id)
        if rose and before.status == Status.ACKNOWLEDGED and before.acknowledged_by_id is not None and is_held:
            self.kept[after.id] += 1
            assert after.status == Status.ACKNOWLEDGED, f"{after.id} is taken from who has it, and nobody gets it"
            return
        assert not rose or after.status == Status.OPEN, f"{after.id} got worse, and an old answer keeps it quiet"
        if before.silenced_until is not None or after.silenced_until is not None:
            assert (after.silenced_until is not None) == is_held, f"{after.id} is held back: {not is_held}"

    def _came(self, thing: int, number: int, *, flaps: bool, anew: bool) -> None:
        now, came = self.world.now, self.noise.came.setdefault(thing, [])
        if anew:
            came.append(Came(now, now, flaps))
            with self.database.reading() as session:
                is_marked = [each for each in noise.firing(session, number) if each.dedup_key == f"thing-{thing}"]
            assert [each.flapping for each in is_marked] == [flaps], f"{thing} comes and goes: {flaps}"
        came[-1].last_at = now

    def _fits(self, number: int) -> bool:
        with self.database.reading() as session:
            rows, alerts = noise.silences(session), noise.firing(session, number)
            without = self.noise.lifted.get(number)
            return noise.held(rows, noise.service_of(session, number), alerts, self.world.now, without=without)

    def _source_says(self, thing: int, status: AlertStatus) -> None:
        before = self._firing(thing)
        self._receive(thing, "Over", status, None, {})
        if before is None:
            return
        after = self._reckon(before)
        if before.incident_class == IncidentClass.CONSTITUTIONAL:
            assert after.status == before.status, f"the source changed constitutional incident {after.id}"
            if status is AlertStatus.RESOLVED:
                settles = self._settles_at(thing)
                assert settles is None, f"an alert of the constitutional incident {after.id} waits to be quiet"

    def _quieting(self, act: steps.Quieting) -> None:
        crash = act.crash if isinstance(act, steps.Silence | steps.End) else None
        try:
            begun = self._elsewhere(crash, lambda session: quieting.do(session, act, self.actors["bo"], self.world.now))
        except TocsinError:
            return
        self.begun |= {begun} if begun is not None else set()

    def _receive(
        self, thing: int, title: str, status: AlertStatus, crash: Moment | None, labels: Labels
    ) -> intake.Received | None:
        """None: it was never answered, and is not stored."""
        incoming = IncomingAlert(
            source="pagerduty", dedup_key=f"thing-{thing}", status=status, title=title, labels=labels
        )

        def take_in(session: Session) -> intake.Received:
            door = intake.door(session, secret_hash(self.noise.services[thing].key))
            assert door is not None
            return intake.receive(session, self.world.desk, door, incoming, self.world.now)

        received = self._elsewhere(crash, take_in)
        if received is not None and status is not AlertStatus.ACKNOWLEDGED:
            self.noise.says(thing, status, self.world.now)
        return received

    def _acknowledge(self, thing: int, by: str, crash: Moment | None) -> None:
        number = self._numbers.get(thing)
        was_open = number is not None and self.world.incident(number).status == Status.OPEN
        if self._verb(thing, by, actions.acknowledge, crash) is not None and number is not None and was_open:
            assert self.world.incident(number).status == Status.ACKNOWLEDGED, f"{by}'s answer to {number} is lost"

    def _escalate(self, thing: int) -> None:
        number = self._numbers.get(thing)
        fitting = self._fitting(number) if number is not None else set()
        outcome = self._verb(thing, "bo", actions.escalate_now)
        if outcome is not None and outcome.changed:
            self.noise.lifted.setdefault(outcome.incident_id, set()).update(fitting)
            self.courses[outcome.incident_id].hasten(self.world.now)

    def _held_thing(self, which: int) -> int:
        held = select(Incident.id).where(Incident.silenced_until.is_not(None)).order_by(Incident.id)
        with self.database.reading() as session:
            numbers = session.scalars(held).all()
        return self.thing_of(numbers[which % len(numbers)]) if numbers else which

    def _raise_class(self, thing: int) -> None:
        change = partial(reclassifying.reclassify, new_class=IncidentClass.CONSTITUTIONAL, reason="it is")
        outcome = self._verb(thing, "bo", change)
        if outcome is not None and outcome.status == Status.RESOLVED:
            self.known_late.add(outcome.incident_id)

    def _fitting(self, number: int) -> set[int]:
        """The silences that go on and fit one of its alerts."""
        with self.database.reading() as session:
            service, alerts = noise.service_of(session, number), noise.firing(session, number)
            going_on = [row for row in noise.silences(session) if noise.goes_on(row, self.world.now)]
            return {row.id for row in going_on if any(noise.fits(row, service, a.title, a.labels) for a in alerts)}

    def _settles_at(self, thing: int) -> object:
        waiting = select(AlertRow.settles_at).where(
            AlertRow.dedup_key == f"thing-{thing}", AlertRow.status == AlertStatus.FIRING
        )
        with self.database.reading() as session:
            return session.scalar(waiting)

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
        worse = WORSE.index(after.severity) > WORSE.index(before.severity)
        if before.status == Status.OPEN and after.status != Status.OPEN:
            self.stop(after.id)
        elif before.status != Status.OPEN and after.status == Status.OPEN:
            assert worse and after.severity in PAGED_AT_ONCE, f"{after.id} was reopened without a reason"
            del self.stops[after.id]
            self.courses[after.id].begin(after.severity, self.world.now)
        elif after.status == Status.OPEN and worse and before.silenced_until is None:
            self.courses[after.id].worsen(after.severity, self.world.now)
        return after

    def _firing(self, thing: int) -> Incident | None:
        """The incident that this thing's firing alert belongs to."""
        firing = select(AlertRow.incident_id).where(
            AlertRow.dedup_key == f"thing-{thing}", AlertRow.status == AlertStatus.FIRING
        )
        with self.database.reading() as session:
            number = session.scalar(firing)
        return None if number is None else self.world.incident(number)
