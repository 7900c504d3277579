"""Plays a list of steps against the real intake, verbs and engine, and keeps what a bystander could have seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import TocsinError
from config.ids import secret_hash
from escalation.channels.base import ChannelError, Message
from escalation.models import Attempt
from escalation.paging import timers
from incidents import actions, governance, intake, reclassifying
from incidents.desk import Outcome
from incidents.lifecycle import Status
from incidents.models import Alert as AlertRow
from incidents.models import Incident
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.simulation import steps
from tests.simulation.course import WORSE, Course, Rules, nine_o_clock_after
from tests.simulation.crashing import Crash, FragileDatabase, Moment
from tests.simulation.sightings import Sightings
from tests.simulation.steps import Fault, Point, Step
from tests.world import KEY, STORE_KEY, World, refused, unwell

TITLES = {
    "CRITICAL": "Hash chain broken at sequence 48211",
    "HIGH": "Observer API down: health check failing on all replicas",
    "MEDIUM": "Worker returned unexpected state 7",
    "LOW": "Redis memory capacity warning 82% used",
    "INFO": "Deployment 2.4.1 completed successfully",
}
BUSY_SECONDS = 40
ROUNDS_MAX = 2_000

Got = TypeVar("Got")


@dataclass(frozen=True)
class Call:
    """A provider was called for a page; `fault` None: it took it."""

    page_id: int
    fault: Fault | None


@dataclass(frozen=True)
class Stop:
    """What there was when the incident's escalation stopped."""

    pages: frozenset[int]
    deliveries: int
    in_flight: frozenset[int]


class Play:
    def __init__(self, database: FragileDatabase, config: str, rules: Rules) -> None:
        self.database = database
        self.rules = rules
        with database.elsewhere():
            self.world = World(database, config=config)
            self.actors = {key: self.world.actor(key) for key in ("ana", "bo", "mia", "kim", "kai")}
        self.sightings = Sightings(database)
        self.courses: dict[int, Course] = {}
        self.numbers: dict[int, int] = {}  # thing -> its newest incident
        self.accepted: list[tuple[int, int]] = []  # (thing, incident) of every alert that was answered
        self.stops: dict[int, Stop] = {}
        self.approvals: dict[int, set[str]] = {}
        self.calls: list[Call] = []
        self.lost_attempts: set[int] = set()  # whoever made them died, or was overtaken, before recording
        self.up = True
        self._pool: list[Callable[[], None]] = []
        self._sending: list[int] = []
        self._meanwhile: dict[Point, steps.Act] = {}
        self._broken: dict[str, list[Fault]] = {}
        self._outage: dict[str, Fault] = {}
        self._overtaking = False
        self._engines: list[str] = []
        self._takes_over, self._down_seconds = False, 0
        self._start_engine(takes_over=False)
        for channel in self.world.channels.values():
            channel.on_send = partial(self._on_send, channel.name)
            channel.on_sent = self._on_sent

    def take(self, step: Step) -> None:
        match step:
            case steps.Pass(seconds):
                self._pass(seconds)
            case steps.UntilMorning():
                busy = any(course.mode not in ("off", "daily") for course in self.courses.values())
                morning = nine_o_clock_after(self.world.now) - self.world.now
                self._pass(900 if busy else int(morning.total_seconds()))
            case steps.Broken(channel, fault, times):
                self._broken.setdefault(channel, []).extend([fault] * times)
            case steps.Outage(channels, fault):
                self._outage.update(dict.fromkeys(channels, fault))
            case steps.Healed():
                self._broken, self._outage = {}, {}
            case steps.CrashAt(commits, moment, takes_over, down_seconds):
                self._takes_over, self._down_seconds = takes_over, down_seconds
                self.database.crash_at(commits, moment)
            case steps.Meanwhile(point, act):
                self._meanwhile[point] = act
            case steps.Down():
                self.up = False
            case steps.Up(takes_over):
                if not self.up:
                    self._start_engine(takes_over=takes_over)
            case _:
                self._do(step)
        self._rest()

    def come_to_an_end(self) -> None:
        """Nothing happens any more, all is well again, and there is time for every retry."""
        self.database.crash_at(0)
        self._meanwhile = {}
        self.take(steps.Healed())
        self.take(steps.Up(takes_over=False))
        self._pass(timers.LEASE_SECONDS + 1)
        self._pass(700)

    # People and sources

    def _do(self, act: steps.Act | steps.Approve) -> None:
        self._look()
        match act:
            case steps.Alert(thing, severity, crash):
                self._alert(thing, severity, crash)
            case steps.SourceSays(thing, status):
                self._source_says(thing, AlertStatus(status))
            case steps.CrashNow(takes_over):
                self._takes_over, self._down_seconds = takes_over, 1
                raise Crash
            case steps.Slow(seconds):
                self._overtaken(seconds)
            case steps.Approve(thing, by):
                self._verb(
                    thing, by, None, partial(governance.decide, action="resolve", decision="approve", reason="agreed")
                )
            case steps.Acknowledge(thing, by, crash):
                self._verb(thing, by, crash, actions.acknowledge)
            case steps.Resolve(thing, by, crash):
                self._verb(thing, by, crash, partial(actions.resolve, reason="fixed"))
            case steps.Escalate(thing):
                self._verb(thing, "bo", None, actions.escalate_now)
            case steps.Reclassify(thing, severity):
                change = partial(reclassifying.reclassify, new_severity=Severity(severity), reason="it is")
                self._verb(thing, "bo", None, change)
        self._look()

    def _alert(self, thing: int, severity: str, crash: Moment | None) -> None:
        before = self._firing(thing)
        received = self._receive(thing, TITLES[severity], AlertStatus.FIRING, crash)
        if received is None:
            return
        assert received.incident_id is not None, f"an accepted alert about {thing} has no incident"
        number = received.incident_id
        self.accepted.append((thing, number))
        self.numbers[thing] = number
        if received.opened:
            assert before is None, f"{thing} opened {number} while {before.id if before else 0} had its key"
            course = self.courses[number] = Course(self.rules)
            course.begin(self._incident(number).severity, self.world.now)
        else:
            assert before is not None and before.id == number
            self._reckon(before)

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
            door = intake.door(session, secret_hash(STORE_KEY if thing == 3 else KEY))
            assert door is not None
            return intake.receive(session, self.world.desk, door, incoming, self.world.now)

        return self._web(crash, take_in)

    def _verb(self, thing: int, by: str, crash: Moment | None, verb: Callable[..., Outcome]) -> None:
        number = self.numbers.get(thing)
        if number is None:
            return
        before = self._incident(number)
        try:
            outcome = self._web(
                crash, lambda session: verb(session, self.world.desk, number, self.actors[by], self.world.now)
            )
        except TocsinError:
            return
        if outcome is None:
            return
        after = self._reckon(before)
        if verb is actions.acknowledge and before.status == Status.OPEN:
            assert after.status == Status.ACKNOWLEDGED, f"{by}'s acknowledgement of {number} is lost"
        if verb is actions.escalate_now and outcome.changed:
            self.courses[number].hasten(self.world.now)
        if isinstance(verb, partial) and verb.func is governance.decide:
            self.approvals.setdefault(number, set()).add(by)

    def _web(self, crash: Moment | None, act: Callable[[Session], Got]) -> Got | None:
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
        after = self._incident(before.id)
        course = self.courses[after.id]
        worse = WORSE.index(after.severity) > WORSE.index(before.severity)
        if before.status == Status.OPEN and after.status != Status.OPEN:
            course.stop()
            pages = frozenset(page.id for page in self.world.pages(after.id))
            self.stops[after.id] = Stop(pages, len(self.world.deliveries), frozenset(self._sending))
        elif before.status != Status.OPEN and after.status == Status.OPEN:
            assert worse and after.severity in ("CRITICAL", "HIGH"), f"{after.id} was reopened without a reason"
            del self.stops[after.id]
            course.begin(after.severity, self.world.now)
        elif after.status == Status.OPEN and worse:
            course.worsen(after.severity, self.world.now)
        return after

    # Providers

    def _on_send(self, channel: str, _: str, message: Message) -> None:
        if message.page_id is None:
            if channel in self._outage:
                raise _error(self._outage[channel])
            return
        self._sending.append(message.page_id)
        try:
            self._come_between(Point.SENDING)
            waiting = self._broken.get(channel)
            fault = waiting.pop(0) if waiting else self._outage.get(channel)
            self.calls.append(Call(message.page_id, fault))
            if fault is not None:
                raise _error(fault)
        except BaseException:
            self._sending.pop()
            raise

    def _on_sent(self, _: str, message: Message) -> None:
        if message.page_id is None:
            return
        try:
            self._come_between(Point.TAKEN)
        finally:
            self._sending.pop()

    def _come_between(self, point: Point) -> None:
        act = None if self._overtaking else self._meanwhile.pop(point, None)
        if act is not None:
            self._do(act)

    # Engines

    def _pass(self, seconds: int) -> None:
        end = self.world.now + timedelta(seconds=seconds)
        while self.up and (due := self.world.engine.next_due_at()) is not None and due <= end:
            self.world.now = max(self.world.now, due)
            self._rest()
        self.world.now = max(self.world.now, end)

    def _rest(self) -> None:
        """Let the engine act until nothing is due; when it dies, the next one goes on."""
        for _ in range(ROUNDS_MAX):
            try:
                if not self.up or not self._tick():
                    break
            except Crash:
                self._crashed()
        else:
            raise AssertionError("the engine never comes to rest")
        self._look()

    def _tick(self) -> int:
        claimed = self.world.engine.tick(self.world.now)
        if self._pool:
            self._come_between(Point.CLAIMED)
        while self._pool:
            self._pool.pop(0)()
        return claimed

    def _crashed(self) -> None:
        self.lost_attempts |= self._open_attempts()
        self._pool.clear()
        self._sending.clear()
        self.database.crash_at(0)
        self.world.now += timedelta(seconds=self._down_seconds)
        self._start_engine(takes_over=self._takes_over)

    def _start_engine(self, *, takes_over: bool) -> None:
        dead, self.up = list(self._engines), True
        self._engines.append(f"engine-{len(dead) + 1}")
        self.world.engine = self.world.new_engine(self._engines[-1], self._pool.append)
        if takes_over:
            with self.database.elsewhere(), self.database.transaction() as session:
                timers.release(session, dead, self.world.now)

    def _overtaken(self, seconds: int) -> None:
        """The send that is under way takes so long that another engine comes by."""
        if seconds > timers.LEASE_SECONDS:
            self.lost_attempts |= self._open_attempts()
        self.world.now += timedelta(seconds=seconds)
        self._overtaking = True
        other = self.world.new_engine(f"other-{len(self.lost_attempts)}")
        with self.database.elsewhere():
            for _ in range(ROUNDS_MAX):
                if not other.tick(self.world.now):
                    break
        self._overtaking = False

    # Looking

    def _look(self) -> None:
        self.sightings.show(self.courses)

    def _open_attempts(self) -> set[int]:
        with self.database.reading() as session:
            return set(session.scalars(select(Attempt.id).where(Attempt.outcome == "")))

    def _incident(self, number: int) -> Incident:
        return self.world.incident(number)

    def _firing(self, thing: int) -> Incident | None:
        """The incident that this thing's firing alert belongs to."""
        with self.database.reading() as session:
            number = session.scalar(
                select(AlertRow.incident_id).where(
                    AlertRow.dedup_key == f"thing-{thing}", AlertRow.status == AlertStatus.FIRING
                )
            )
        return None if number is None else self._incident(number)


def _error(fault: Fault) -> ChannelError:
    if fault is Fault.REFUSED:
        return refused()
    return unwell(retry_after_seconds=BUSY_SECONDS if fault is Fault.BUSY else None)
