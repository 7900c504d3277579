"""One world for the tests of a module that only ask what is answered: making one costs more than most of them do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from config.database import Database
from incidents.lifecycle import Status
from incidents.models import Alert, Incident
from incidents.proof import timeline
from tests.calling import Edge
from tests.world import World


@contextmanager
def shared(migrated_sqlite_file: Path, directory: Path, config: str | None = None) -> Iterator[Edge]:
    file = directory / "shared.db"
    shutil.copyfile(migrated_sqlite_file, file)
    database = Database(f"sqlite:///{file}", before_commit=timeline.write)
    yield Edge(World(database, config=config))
    database.close()


def begin(edge: Edge) -> int:
    """As if nothing had happened: what is open is resolved, an hour goes by, nobody was told anything. Gives the
    number of the newest alert there is."""
    world = edge.world
    with world.database.reading() as session:
        for number in session.scalars(
            select(Incident.id).where(Incident.status.in_((Status.OPEN, Status.ACKNOWLEDGED)))
        ):
            world.resolve(number)
        newest = session.scalar(select(func.max(Alert.id))) or 0
    world.fast_forward(hours=1)
    world.deliveries.clear()
    edge.received.clear()
    return newest


def since(edge: Edge, newest: int) -> list[Alert]:
    with edge.world.database.reading() as session:
        return list(session.scalars(select(Alert).where(Alert.id > newest).order_by(Alert.id)))
