"""Plays a list of steps against the real intake, verbs and engine: time, providers and engines that die."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sqlalchemy import select

from escalation.channels.base import ChannelError, Message
from escalation.models import Attempt, Page, PageState
from escalation.paging import timers
from tests.simulation import steps
from tests.simulation.course import Rules, nine_o_clock_after
from tests.simulation.crashing import Crash, FragileDatabase, Moment
from tests.simulation.noise import Noise, Service
from tests.simulation.outside import Outside
from tests.simulation.sightings import Sightings
from tests.simulation.steps import Fault, Point, Step
from tests.world import World, refused, unwell

PEOPLE = ("ana", "bo", "mia", "kim", "kai")
BUSY_SECONDS = 40
TICKS_MAX = 2_000
RETRIES_END_AFTER_SECONDS = 700


@dataclass(frozen=True)
class Call:
    """A provider was called for a page; `fault` None: it took it."""

    page_id: int
    fault: Fault | None


@dataclass(frozen=True)
class Told:
    """A message that arrived told of this page; `delivery`: its place among the deliveries."""

    page_id: int
    delivery: int


class Play:
    def __init__(self, database: FragileDatabase, config: str, rules: Rules, services: Mapping[int, Service]) -> None:
        self.database = database
        with database.elsewhere():
            self.world = World(database, config=config)
            actors = {key: self.world.actor(key) for key in PEOPLE}
        self.outside = Outside(self.world, database, rules, actors, Noise(services), self._being_sent, self._look)
        self.calls: list[Call] = []
        self.told: list[Told] = []
        self.lost_attempts: set[int] = set()  # whoever made them died, or was overtaken, before recording
        self.up = True
        self._sightings = Sightings(database)
        self.seen = self._sightings.seen
        self._pool: list[Callable[[], None]] = []  # sends that an engine has submitted
        self._sending: list[frozenset[int]] = []  # the pages of each message on its way, the innermost last
        self._meanwhile: dict[Point, steps.Act] = {}
        self._broken: dict[str, list[Fault]] = {}
        self._outage: dict[str, Fault] = {}
        self._engines: list[str] = []
        self._after_crash = steps.CrashAt(0, Moment.BEFORE, takes_over=False, down_seconds=0)
        self._overtaking = False
        self.set_back_seconds = 0  # what was set before that is due as much later
        self._objections: list[AssertionError] = []
        self._start_engine(takes_over=False)
        for channel in self.world.channels.values():
            channel.on_send = partial(self._on_send, channel.name)
            channel.on_sent = self._on_sent

    def take(self, step: Step) -> None:
        match step:
            case steps.Pass(seconds):
                self._pass(seconds)
            case steps.UntilMorning():
                busy = any(course.mode not in ("off", "daily") for course in self.outside.courses.values())
                morning = nine_o_clock_after(self.world.now) - self.world.now
                self._pass(900 if busy else int(morning.total_seconds()))
            case steps.Toggles():
                self._toggle(step)
            case steps.ClockBack(seconds):
                self.world.now -= timedelta(seconds=seconds)
                self.set_back_seconds += seconds
            case steps.Broken(channel, fault, times):
                self._broken.setdefault(channel, []).extend([fault] * times)
            case steps.Outage(channels, fault):
                self._outage.update(dict.fromkeys(channels, fault))
            case steps.Healed():
                self._broken, self._outage = {}, {}
            case steps.CrashAt(commits, moment):
                self._after_crash = step
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
        """Nothing happens any more, all is well again, and there is time for every lease and retry."""
        self.database.crash_at(0)
        self._meanwhile = {}
        self.take(steps.Healed())
        self.take(steps.Up(takes_over=True))
        self.take(steps.EndAll())
        self._pass(RETRIES_END_AFTER_SECONDS + self.set_back_seconds)

    def _do(self, act: steps.Act | steps.Storm | steps.Approve) -> None:
        self._look()
        match act:
            case steps.CrashNow(takes_over):
                self._after_crash = steps.CrashAt(0, Moment.BEFORE, takes_over, down_seconds=1)
                raise Crash
            case steps.Slow(seconds):
                self._overtaken(seconds)
            case _:
                self.outside.do(act)
        self._look()

    def _toggle(self, step: steps.Toggles) -> None:
        for _ in range(step.times):
            self._do(steps.SourceSays(step.thing, "resolved"))
            self._rest()
            self._pass(step.seconds)
            self._do(steps.Alert(step.thing, step.severity))
            self._rest()
            self._pass(step.seconds)
        if step.ends:
            self._do(steps.SourceSays(step.thing, "resolved"))

    # Time

    def _pass(self, seconds: int) -> None:
        end = self.world.now + timedelta(seconds=seconds)
        while self.up and (due := self.world.engine.next_due_at()) is not None and due <= end:
            self.world.now = max(self.world.now, due)
            self._rest()
        self.world.now = max(self.world.now, end)

    def _rest(self) -> None:
        """Let the engine act until nothing is due; when it dies, the next one goes on."""
        for _ in range(TICKS_MAX):
            try:
                if not self.up or not self._tick():
                    break
            except Crash:
                self._crashed()
        else:
            raise AssertionError("the engine never comes to rest")
        self._look()
        for objection in self._objections:
            raise objection

    def _tick(self) -> int:
        claimed = self.world.engine.tick(self.world.now)
        if claimed:
            self._look()
        if self._pool:
            self._come_between(Point.CLAIMED)
        while self._pool:
            self._pool.pop(0)()
        return claimed

    # Providers

    def _on_send(self, channel: str, _: str, message: Message) -> None:
        if message.page_id is None:  # an announcement: a room is no one's telephone
            if channel in self._outage:
                raise _error(self._outage[channel])
            return
        pages = self._pages_of(message)
        self._sending.append(pages)
        try:
            self._come_between(Point.SENDING, message)
            waiting = self._broken.get(channel)
            fault = waiting.pop(0) if waiting else self._outage.get(channel)
            self.calls += [Call(page, fault) for page in pages]
            if fault is not None:
                raise _error(fault)
        except BaseException:
            self._sending.pop()
            raise

    def _on_sent(self, _: str, message: Message) -> None:
        if message.page_id is None:
            return
        self.told += [Told(page, len(self.world.deliveries) - 1) for page in self._sending[-1]]
        try:
            self._come_between(Point.TAKEN, message)
        finally:
            self._sending.pop()

    def _pages_of(self, message: Message) -> frozenset[int]:
        """The pages that this message tells of: those that were begun with it. It names each of their incidents."""
        with self.database.reading() as session:
            rows = session.execute(
                select(Page.id, Page.incident_id, Attempt.started_at)
                .join(Attempt, Attempt.page_id == Page.id)
                .where(
                    (Page.id == message.page_id) | (Page.carrier_id == message.page_id),
                    Page.state == PageState.QUEUED,
                    Attempt.outcome == "",
                )
                .order_by(Attempt.id)
            ).all()
        # Others may still be begun with an earlier message that was overtaken, and be sent again by themselves.
        since = max((row.started_at for row in rows if row.id == message.page_id), default=None)
        begun = [row for row in rows if row.started_at == since]
        named = [message.brief.incident_id, *(other.incident_id for other in message.others)]
        # One that was acknowledged after it was begun is still named; nothing else may be.
        if not {row.incident_id for row in begun} <= set(named):
            self._objections.append(AssertionError(f"a message names {named}, and was begun for {begun}"))
        return frozenset({row.id for row in begun} | {message.page_id or 0})

    def _being_sent(self) -> frozenset[int]:
        return frozenset().union(*self._sending)

    def _come_between(self, point: Point, message: Message | None = None) -> None:
        act = None if self._overtaking else self._meanwhile.pop(point, None)
        if act is None:
            return
        if message is not None and not isinstance(act, steps.CrashNow | steps.Slow | steps.Quieting):
            act = replace(act, thing=self.outside.thing_of(message.brief.incident_id))
        try:
            self._do(act)
        except AssertionError as objection:  # here the engine would survive it; it is raised when the engine rests
            self._objections.append(objection)

    # Engines

    def _crashed(self) -> None:
        self.lost_attempts |= self._open_attempts()
        self._pool.clear()
        self._sending.clear()
        self.database.crash_at(0)
        self.world.now += timedelta(seconds=self._after_crash.down_seconds)
        self._start_engine(takes_over=self._after_crash.takes_over)

    def _start_engine(self, *, takes_over: bool) -> None:
        dead, self.up = list(self._engines), True
        self._engines.append(f"engine-{len(dead) + 1}")
        self.world.engine = self.world.new_engine(self._engines[-1], self._pool.append)
        if takes_over:
            with self.database.elsewhere(), self.database.transaction() as session:
                timers.release(session, dead, self.world.now)

    def _overtaken(self, seconds: int) -> None:
        """The send that is under way takes so long that another engine comes by, and acts on all that is due."""
        if seconds > timers.LEASE_SECONDS:
            self.lost_attempts |= self._open_attempts()
        self.world.now += timedelta(seconds=seconds)
        other = self.world.new_engine("another")
        self._overtaking = True
        try:
            with self.database.elsewhere():
                for _ in range(TICKS_MAX):
                    if not other.tick(self.world.now):
                        break
        finally:
            self._overtaking = False

    def _look(self) -> None:
        self._sightings.show(self.outside)

    def _open_attempts(self) -> set[int]:
        with self.database.reading() as session:
            return set(session.scalars(select(Attempt.id).where(Attempt.outcome == "")))


def _error(fault: Fault) -> ChannelError:
    if fault is Fault.REFUSED:
        return refused()
    return unwell(retry_after_seconds=BUSY_SECONDS if fault is Fault.BUSY else None)
