"""The teams that are played with, and one whole play: from a database in which nothing has happened to the end."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import copyfile

import pytest

from config.database import Database
from escalation.paging import engine
from tests.simulation import invariants
from tests.simulation.course import Rules
from tests.simulation.crashing import FragileDatabase
from tests.simulation.noise import Service
from tests.simulation.play import Play
from tests.simulation.steps import Step
from tests.world import KEY, STORE_KEY, World, team

LOUD = {
    "ana": (("slack", 0), ("sms", 60), ("voice", 180)),
    "bo": (("sms", 0),),
    "mia": (("sms", 0),),
}
QUIET = {"ana": (("slack", 0),), "bo": (("slack", 0),), "mia": (("sms", 0),)}
ANA_BY = "[{after: 0s, by: slack}, {after: 1m, by: sms}, {after: 3m, by: voice}]"
RELAY_KEY, LEDGER_KEY = "a0" * 16, "b0" * 16

CHECKOUT = Service("checkout", KEY)
STORE = Service("event-store", STORE_KEY, protected=True)  # its incidents are constitutional
PLAIN = dict.fromkeys(range(7), CHECKOUT) | {3: STORE}

_GROUPING = Service("checkout", KEY, within=timedelta(minutes=5))
_RELAY = Service("relay", RELAY_KEY, toggles=2, quiet=timedelta(minutes=10))
_LEDGER = Service(
    "ledger", LEDGER_KEY, within=timedelta(minutes=20), by=("zone",), toggles=1, quiet=timedelta(minutes=4)
)
_STORE = Service(
    "event-store",
    STORE_KEY,
    within=timedelta(minutes=5),
    toggles=1,
    quiet=timedelta(minutes=10),
    protected=True,
)
NOISY = {0: _GROUPING, 1: _GROUPING, 2: _GROUPING, 3: _STORE, 4: _RELAY, 5: _LEDGER, 6: _LEDGER, 7: _LEDGER}


@dataclass(frozen=True)
class Team:
    config: str
    rules: Rules
    services: Mapping[int, Service] = field(default_factory=lambda: PLAIN)  # of each thing


def rules(*, secondary: tuple[str, ...] = ("bo",), repeat: int = 0) -> Rules:
    levels = (
        (timedelta(), ("ana",)),
        (timedelta(minutes=5), secondary),
        (timedelta(minutes=15), ("mia",)),
        (timedelta(minutes=60), ("mia", "ana")),
    )
    return Rules(levels, last_resort=("mia",), loud=LOUD, quiet=QUIET, repeat=repeat, keepers=("kim", "kai"))


def _declared(service: Service) -> str:
    group = flap = ""
    if service.within is not None:
        group = f"group: {{within: {service.within.seconds}s, by: [{', '.join(service.by)}]}}, "
    if service.toggles is not None:
        flap = f"flap: {{toggles: {service.toggles}, within: {service.quiet.seconds}s}}, "
    protected = "protected: true, " if service.protected else ""
    way_in = f'integrations: [{{source: pagerduty, key: "{service.key}"}}]'
    return f"  {service.name}: {{policy: standard, {protected}{group}{flap}{way_in}}}\n"


def _noisy() -> str:
    before, _, after = team(ana_by=ANA_BY).partition("services:\n")
    services = "".join(_declared(service) for service in dict.fromkeys(NOISY.values()))
    return f"{before}services:\n{services}{after[after.index('last_resort:') :]}"


TEAMS = {
    "plain": Team(team(ana_by=ANA_BY), rules()),
    "repeating": Team(team(ana_by=ANA_BY, repeat=1), rules(repeat=1)),
    "nobody on call at level 2": Team(team(ana_by=ANA_BY, secondary_starts="2027-01-04T00:00"), rules(secondary=())),
}
NOISY_TEAM = Team(_noisy(), rules(), NOISY)


class Complaints:
    """Stands for the engine's log: what only a slip in Tocsin can cause must not happen, whatever the world does."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def warning(self, event: str, **facts: object) -> None: ...

    def error(self, event: str, **facts: object) -> None:
        self.heard.append(f"{event} {facts}")

    exception = error


def begin(migrated: Path, team: Team, file: Path) -> Path:
    """A database of the team in which nothing has happened yet."""
    copyfile(migrated, file)
    database = Database(f"sqlite:///{file}")
    World(database, config=team.config)
    database.close()
    return file


@contextmanager
def copy_of(beginning: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tocsin-simulated-") as directory:
        copyfile(beginning, f"{directory}/tocsin.db")
        yield f"sqlite:///{directory}/tocsin.db"


def play(url: str, team: Team, run: Sequence[Step]) -> Counter[str]:
    """What of noise was seen. Raises AssertionError as soon as something does not hold."""
    complaints = Complaints()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "log", complaints)
        database = FragileDatabase(url)
        try:
            played = Play(database, team.config, team.rules, team.services)
            for step in run:
                played.take(step)
                invariants.check(played)
                assert not complaints.heard, complaints.heard
            played.come_to_an_end()
            invariants.check_the_end(played)
            assert not complaints.heard, complaints.heard
            return played.seen
        finally:
            database.close()
