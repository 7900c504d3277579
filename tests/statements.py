"""A statement is compiled once a test process, as it is once in a process that serves.

Each test has a database of its own, and so an engine of its own; with each came an empty cache of compiled
statements. What is kept between tests is SQL text, no rows.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.util import LRUCache

from config import database as database_settings

KEPT = 4_000  # Tocsin has about a thousand of each kind

_first: dict[str, Engine] = {}  # of each kind of database; its dialect knows the server


def share() -> None:
    """From now on a `Database` of this process makes its engine here."""
    database_settings.create_engine = _engine


def _engine(url: URL, **settings: Any) -> Engine:
    engine = create_engine(url, **settings)
    kind = engine.dialect.name
    if kind in _first:
        # The cache's keys name the dialect, and what a dialect knows of types is worked out once for each of them.
        engine.dialect = _first[kind].dialect
        engine._compiled_cache = _first[kind]._compiled_cache
        return engine
    engine._compiled_cache = LRUCache(KEPT)

    @event.listens_for(engine, "connect", once=True)
    def _connected(_: Any, __: Any) -> None:
        _first.setdefault(kind, engine)

    return engine
