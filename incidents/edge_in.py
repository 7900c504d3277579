"""What all ways in for monitoring share: the key looked up, each alert taken in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import request

from config import clock, ids
from config.database import Database
from incidents import arrivals, fetching, intake
from incidents.arrivals import Arrival, Recorder, Verdict
from incidents.desk import Desk
from incidents.fetching import Fetch
from incidents.intake import Door, Received
from incidents.sources.base import IncomingAlert

KEY_CHARACTERS_SHOWN_MIN = 16  # what is shorter is no key, and its end would be too much of it


@dataclass(frozen=True, slots=True)
class Edge:
    """What the routes are given by `wsgi.py`."""

    database: Database
    desk: Desk
    read_clock: Callable[[], datetime]
    wake: Callable[[], None]  # tells a sleeping engine
    counted: Callable[[str], None]  # an alert of this source was accepted
    fetch: Fetch = fetching.get  # what a sender makes Tocsin fetch
    certificates: Fetch = field(default_factory=lambda: fetching.Kept(fetching.get))
    arrivals: Recorder = field(default_factory=Recorder)


def served(
    database: Database, desk: Desk, wake: Callable[[], None], counted: Callable[[str], None] = lambda _: None
) -> Edge:
    """Of a process that takes alerts in: what arrived is written a moment later."""
    return Edge(database, desk, clock.now, wake, counted, arrivals=Recorder(later=arrivals.in_a_moment))


def door(edge: Edge, key: str, source: str | None) -> Door | None:
    """The integration with this key; None if there is none, or it is another source's."""
    with edge.database.reading() as session:
        return intake.door(session, ids.secret_hash(key), source)


def stranger(key: str) -> dict[str, str]:
    """What the log says of a sender whose key is none here, for whoever has to find it: where it is, and what the key
    ends in, as the page of integrations shows those that there are."""
    return {
        "address": request.remote_addr or "",
        "key_ends_in": key[-4:] if len(key) >= KEY_CHARACTERS_SHOWN_MIN else "",
    }


def receive(edge: Edge, way_in: Door, alerts: Sequence[IncomingAlert], now: datetime) -> list[Received]:
    """When it returns, all of them are stored."""
    received = []
    for alert in alerts:
        with edge.database.transaction() as session:
            received.append(intake.receive(session, edge.desk, way_in, alert, now))
        edge.wake()
        edge.counted(way_in.source)
    note(edge, way_in, alerts, received, now)
    return received


def note(
    edge: Edge, way_in: Door, alerts: Sequence[IncomingAlert], received: Sequence[Received], now: datetime
) -> None:
    """What was taken is seen on the page of the integration."""
    verdict = Verdict.ACCEPTED if alerts else Verdict.IGNORED
    numbers = [each.incident_id for each in received]
    arrivals.note(
        edge.database, edge.arrivals, Arrival(way_in.integration_id, now, verdict, alerts=alerts, incidents=numbers)
    )


def refused(edge: Edge, way_in: Door, verdict: Verdict, problem: str, now: datetime) -> None:
    """What did not become an alert is seen on the page of the integration."""
    arrivals.note(edge.database, edge.arrivals, Arrival(way_in.integration_id, now, verdict, problem=problem))
