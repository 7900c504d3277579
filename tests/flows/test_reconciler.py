"""The reconciler's rounds: what is kept, who is told and by which way, also without an engine or a database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import OperationalError

from config.database import Database
from escalation.alarms import Alarms
from escalation.models import EnginePulse, Timer, TimerKind
from escalation.paging import reconciled
from escalation.paging.watchdog import Watchdog
from incidents import reconciler, reconciling
from incidents.reconciler import Reconciler
from tests.fakes.loopback import Answer, LoopbackServer, Request
from tests.world import PHONES, World, refused, team, unwell

ADMINISTERED = team(ana_by="[{after: 0s, by: sms}]").replace(
    "roles: [keeper], phone", "roles: [keeper, admin], phone", 1
)
KIM = PHONES["kim"]


class Silence:
    """Stands for the log, where a traceback drawn for a terminal takes seconds."""

    def exception(self, event: str, **facts: object) -> None: ...


class Watched:
    """A world with an engine's sign of life, and a reconciler that looks at it every 15 seconds."""

    def __init__(self, database: Database, config: str = ADMINISTERED) -> None:
        self.world = World(database, config=config)
        self.world.run()
        self.reconciler = self.new_reconciler()
        self.lives = True
        self.works = True

    def new_reconciler(self) -> Reconciler:
        return Reconciler(
            self.world.database, self.world.desk, Alarms(self.world.channels, "https://tocsin.example.org")
        )

    def turns(self, minutes: float, *, every_seconds: float = 15) -> None:
        end = self.world.now + timedelta(minutes=minutes)
        while self.world.now < end:
            self.turn()
            self.world.now += timedelta(seconds=every_seconds)

    def turn(self) -> list[Any]:
        if self.lives:
            self.pulse()
            if self.works:
                self.world.run()
        return self.reconciler.turn(self.world.now)

    def pulse(self) -> None:
        with self.world.database.transaction() as session:
            session.execute(delete(EnginePulse))
            session.add(EnginePulse(name="one", started_at=self.world.now, seen_at=self.world.now))

    def told(self) -> list[tuple[str, str]]:
        return [(sent.to, sent.message.note) for sent in self.world.deliveries if sent.message.note]

    def state(self) -> str:
        with self.world.database.reading() as session:
            return reconciled.newest(session, self.world.now).state


@pytest.fixture
def watched(sqlite_database: Database) -> Watched:
    return Watched(sqlite_database)


def forget(watched: Watched) -> int:
    number = watched.world.alert()
    with watched.world.database.transaction() as session:
        session.execute(delete(Timer).where(Timer.kind == TimerKind.ADVANCE))
    return number


def test_a_finding_is_mended_kept_and_told_to_administrators(watched: Watched) -> None:
    assert watched.state() == reconciled.NEVER
    watched.turn()
    assert watched.state() == reconciled.PASSED
    number = forget(watched)
    watched.world.now += timedelta(seconds=15)
    watched.turn()
    assert watched.state() == reconciled.REPAIRED
    sentence = f"Incident {number} (HIGH) is open, and nothing was due that would wake anybody else for it."
    assert watched.told() == [(KIM, f"{sentence} The engine looks at it now.")]
    assert watched.world.kinds(number)[-1] == "reconciler.repaired"
    watched.world.now += timedelta(seconds=15)
    watched.turn()
    assert watched.state() == reconciled.PASSED
    watched.world.now += timedelta(seconds=60)
    assert watched.state() == reconciled.STALE


def test_a_dead_engine_is_told_after_a_moment_and_again_and_when_it_is_back(watched: Watched) -> None:
    watched.turns(1)
    watched.lives = False
    watched.turns(0.25)
    assert watched.told() == [], "it may be starting again"
    watched.turns(17, every_seconds=60)
    no_engine = (KIM, "No engine is running: nobody is being paged. Start `tocsin engine`.")
    assert watched.told() == [no_engine, no_engine]
    watched.turn()
    assert watched.state() == reconciled.FAILED
    watched.lives = True
    watched.turns(5, every_seconds=60)
    watched.turn()
    assert watched.told()[2:] == [(KIM, "All is well again: what was wrong since 10:01 UTC is put right.")]
    assert watched.state() == reconciled.PASSED


def test_a_lag_of_more_than_a_minute_is_told(watched: Watched) -> None:
    number = watched.world.alert(run=False)
    watched.works = False
    watched.turns(2)
    (told,) = watched.told()
    assert told[0] == KIM
    assert "overdue by more than a minute; the oldest" in told[1]
    assert f"of incident {number}) by 75 seconds" in told[1]


def test_while_it_stands_each_further_way_follows_at_its_time(sqlite_database: Database) -> None:
    config = team(ana_by="[{after: 0s, by: slack}, {after: 2m, by: sms}]").replace(
        "[responder], slack: U0ANA", "[admin], slack: U0ANA"
    )
    watched = Watched(sqlite_database, config)
    watched.lives = False
    watched.turns(2)
    assert [to for to, _ in watched.told()] == ["U0ANA"]
    watched.turns(1)
    assert [to for to, _ in watched.told()] == ["U0ANA", PHONES["ana"]]


def test_a_way_that_fails_is_followed_by_the_next(sqlite_database: Database) -> None:
    config = team(ana_by="[{after: 0s, by: slack}, {after: 2m, by: sms}]").replace(
        "[responder], slack: U0ANA", "[admin], slack: U0ANA"
    )
    watched = Watched(sqlite_database, config)
    forget(watched)
    watched.world.channels["slack"].faults = [unwell()]
    watched.turn()
    assert [to for to, _ in watched.told()] == [PHONES["ana"]]


def test_without_an_administrator_the_last_resort_is_told(sqlite_database: Database) -> None:
    watched = Watched(sqlite_database, team())
    forget(watched)
    watched.turn()
    assert [to for to, _ in watched.told()] == [PHONES["mia"]]


def test_nobody_to_be_told_does_not_keep_it_from_mending(watched: Watched) -> None:
    number = forget(watched)
    watched.world.channels["sms"].faults = [refused()]
    watched.turn()
    assert watched.told() == []
    assert "reconciler.repaired" in watched.world.kinds(number)


def test_administrators_are_told_though_the_database_is_away(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.turns(1)
    away = OperationalError("SELECT 1", {}, Exception("no route to host"))

    def fail(*_: object, **__: object) -> Any:
        raise away

    with monkeypatch.context() as patched:
        patched.setattr(Database, "reading", fail)
        watched.lives = False
        watched.turns(10)
    assert [note for _, note in watched.told()] == [
        "The database does not answer: no alert is taken, and nobody is being paged."
    ]
    watched.lives = True
    watched.turns(4)
    assert [note[:20] for _, note in watched.told()[1:]] == ["All is well again: w"]


def test_an_incident_that_cannot_be_mended_does_not_keep_the_others_from_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = forget(watched), watched.world.alert(dedup_key="other")
    with watched.world.database.transaction() as session:
        session.execute(delete(Timer).where(Timer.kind == TimerKind.ADVANCE))
    mend = reconciling.reconcile.advance_now

    def advance_now(session: Any, escalation: Any, now: Any) -> None:
        if escalation.incident_id == first:
            raise RuntimeError("a slip")
        mend(session, escalation, now)

    monkeypatch.setattr(reconciling.reconcile, "advance_now", advance_now)
    monkeypatch.setattr(reconciling, "log", Silence())
    watched.turn()
    assert watched.state() == reconciled.FAILED
    assert watched.world.kinds(second)[-1] == "reconciler.repaired"
    assert f"Incident {first} could not be put right: RuntimeError('a slip')." in watched.told()[0][1]


def test_of_several_reconcilers_one_looks_at_a_time(postgresql_database: Database) -> None:
    watched = Watched(postgresql_database)
    watched.turn()
    other = watched.new_reconciler()
    number = forget(watched)
    watched.world.now += timedelta(seconds=5)
    assert other.turn(watched.world.now) == [], "the first has just looked"
    watched.world.now += timedelta(seconds=10)
    with postgresql_database.engine.connect() as somebody:
        somebody.execute(text("SELECT pg_advisory_lock(:key)"), {"key": reconciler.LOCK})
        assert other.turn(watched.world.now) == [], "the first is at it"
        watched.world.now += timedelta(minutes=1)
        watched.pulse()
        assert [each.finding.incident_id for each in other.turn(watched.world.now)] == [number], "it is stuck"


def test_the_watchdog_hears_of_a_fresh_pass_and_of_nothing_else(watched: Watched) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return Answer(200, b"OK")

    server = LoopbackServer(answer)
    watchdog = Watchdog(watched.world.database, f"{server.url}/ping/secret", lambda: watched.world.now)
    try:
        assert not watchdog.ping(), "nobody has looked yet"
        watched.turn()
        assert watchdog.ping()
        assert [(request.method, request.path) for request in asked] == [("GET", "/ping/secret")]
        watched.world.now += timedelta(seconds=61)
        assert not watchdog.ping(), "nobody has looked for a minute"
        forget(watched)
        watched.turn()
        assert not watchdog.ping(), "something was found, even if it was mended"
        watched.lives = False
        watched.turns(0.5)
        assert not watchdog.ping(), "something stands"
        assert len(asked) == 1
    finally:
        server.close()
    watched.lives = True
    watched.turns(0.5)
    assert not watchdog.ping(), "it is not there, and that is no reason to end"
