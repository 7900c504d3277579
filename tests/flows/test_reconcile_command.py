"""`tocsin reconcile`: what it says and how it ends; and, as a process, that a dead engine is told of without it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, select, update

from config import clock
from config.database import Database
from escalation.models import EnginePulse, Timer, TimerKind
from escalation.paging.reconcile import ENGINE_SILENT_AFTER
from incidents.cli_reconcile import Tools, command
from tests.edge import url_of_database_away
from tests.fakes import twilio
from tests.fakes.providers import FakeProviders
from tests.world import PHONES, World, team

ADMINISTERED = team().replace("roles: [keeper], phone", "roles: [keeper, admin], phone", 1)
PATIENCE_SECONDS = 40


@pytest.fixture
def world(sqlite_database: Database) -> World:
    world = World(sqlite_database, config=ADMINISTERED, now=clock.now())
    with sqlite_database.transaction() as session:
        session.add(EnginePulse(name="one", started_at=world.now, seen_at=world.now))
    return world


def reconcile(world: World, *arguments: str) -> Result:
    tools = Tools(world.database, world.desk, world.channels)
    return CliRunner().invoke(command(lambda *, looping: tools), arguments)


def forget(world: World) -> int:
    number = world.alert()
    with world.database.transaction() as session:
        session.execute(delete(Timer).where(Timer.kind == TimerKind.ADVANCE))
    return number


def test_nothing_found_ends_with_0(world: World) -> None:
    said = reconcile(world)
    assert (said.exit_code, said.output) == (0, "Nothing is wrong: whoever should be woken will be.\n")


def test_what_was_mended_is_said_and_ends_with_1(world: World) -> None:
    number = forget(world)
    found = f"Incident {number} (HIGH) is open, and nothing was due that would wake anybody else for it."
    checked = reconcile(world, "--check")
    assert (checked.exit_code, checked.output) == (1, f"{found}\n")
    mended = reconcile(world)
    assert (mended.exit_code, mended.output.splitlines()[-1]) == (1, f"{found} The engine looks at it now.")
    assert [sent.to for sent in world.sent("sms")] == [PHONES["ana"], PHONES["kim"]]
    assert reconcile(world).exit_code == 0


def test_what_only_people_can_put_right_ends_with_2(world: World) -> None:
    with world.database.transaction() as session:
        session.execute(delete(EnginePulse))
    said = reconcile(world, "--check", "--json")
    assert said.exit_code == 2
    assert json.loads(said.output) == {
        "findings": [
            {
                "kind": "engine.none",
                "incident_id": None,
                "text": "No engine is running: nobody is being paged. Start `tocsin engine`.",
                "repaired": False,
                "done": "",
            }
        ]
    }


def test_a_database_that_is_away_ends_with_2(world: World, tmp_path: Path) -> None:
    away = Database(url_of_database_away("postgresql", tmp_path))
    said = CliRunner().invoke(command(lambda *, looping: Tools(away, world.desk, world.channels)), [])
    assert said.exit_code == 2
    assert "It cannot be known whether anybody is forgotten: the database does not answer" in said.output


def test_a_killed_engine_is_told_of_by_the_reconcilers_own_process(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    World(database, config=ADMINISTERED, now=clock.now())
    with FakeProviders() as providers, (tmp_path / "log").open("w+") as log:
        settings = {
            "TOCSIN_DATABASE_URL": sqlite_url,
            "TOCSIN_TWILIO_ACCOUNT_SID": twilio.ACCOUNT_SID,
            "TOCSIN_TWILIO_AUTH_TOKEN": twilio.AUTH_TOKEN,
            "TOCSIN_TWILIO_FROM": twilio.SENDER,
            "TOCSIN_TWILIO_API_URL": providers.twilio_url,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")} | settings
        commands = (("engine",), ("reconcile", "--loop", "--every", "0.2"))
        engine, reconciler = (
            subprocess.Popen([sys.executable, "-m", "wsgi", *words], env=environment, stdout=log, stderr=log)
            for words in commands
        )
        try:
            until(lambda: names_of_engines(database), tmp_path / "log")
            engine.kill()
            engine.wait(PATIENCE_SECONDS)
            with database.transaction() as session:  # its last sign of life was a while ago
                session.execute(update(EnginePulse).values(seen_at=clock.now() - 2 * ENGINE_SILENT_AFTER))
            until(lambda: providers.sms_to(PHONES["kim"]), tmp_path / "log")
            assert "No engine is running" in providers.sms_to(PHONES["kim"])[-1].body
            reconciler.send_signal(signal.SIGTERM)
            assert reconciler.wait(PATIENCE_SECONDS) == 0
        finally:
            for process in (engine, reconciler):
                process.kill()
                process.wait()
            database.close()


def names_of_engines(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(EnginePulse.name)))


def until(condition: Callable[[], object], log: Path) -> None:
    nap = threading.Event()
    for _ in range(PATIENCE_SECONDS * 20):
        if condition():
            return
        nap.wait(0.05)
    raise AssertionError(log.read_text()[-3000:])
