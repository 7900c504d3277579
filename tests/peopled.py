"""A team in the middle of its work, behind the whole HTTP API: incidents in every state, and some of everything that
an address of the API can name. What a test does to it is taken back by `afresh`."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

from config.database import Database
from incidents.sources.table import SOURCES
from tests.calling import Edge
from tests.world import STORE_KEY, World, team

EVENTS_SECRET = "a secret for what is told"
HEARTBEAT_KEY = "c4" * 16
NOBODY, OBSERVER, ALL_ROLES = "", "program:observer", "ana"

SCHEDULE = {
    "timezone": "Europe/Lisbon",
    "rotations": [
        {"members": ["ana", "bo"], "starts": "2026-01-05T09:00", "turn": "1w"},
        {"members": ["mia"], "starts": "2026-01-05T09:00", "turn": "1d", "layer": 2,
         "only": [{"days": ["mon", "tue"], "from": "09:00", "to": "17:00"}]},
    ],
}  # fmt: skip
POLICY = {
    "repeat": 1,
    "repeat_after": "30m",
    "ack_timeout": "30m",
    "levels": [
        {"level": 1, "after": "0s", "page": ["schedule:nights"], "announce": ["slack:#nights"], "during": "office"},
        {"level": 2, "after": "5m", "page": ["role:manager", "responder:bo"], "round_robin": True},
    ],
}
HOURS = {"timezone": "UTC", "days": ["mon", "fri"], "from": "08:00", "to": "18:00"}
WRITTEN: dict[str, dict[str, Any]] = {"schedules": SCHEDULE, "policies": POLICY, "hours": HOURS}


def key_of(source: str) -> str:
    """Of the integration of this source."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


def _integration(source: str) -> str:
    topic = ", topic: arn:aws:sns:eu-west-1:123456789012:alarms" if source == "cloudwatch" else ""
    return f'{{source: {source}, key: "{key_of(source)}"{topic}}}'


class Peopled:
    def __init__(self, database: Database) -> None:
        everything = team(ack_timeout="30m").replace(
            "roles: [responder], slack: U0ANA", "roles: [responder, manager, keeper, admin], slack: U0ANA"
        )
        everything = everything.replace(
            "integrations: [", f"integrations: [{', '.join(_integration(name) for name in sorted(SOURCES))}, ", 1
        )
        everything = everything.replace(
            "checkout: {policy: standard,",
            f'checkout: {{policy: standard, heartbeats: [{{name: backup, every: 15m, key: "{HEARTBEAT_KEY}"}}],', 1,
        )  # fmt: skip
        everything += f'events: [{{url: "http://127.0.0.1:1/events", secret: "{EVENTS_SECRET}"}}]\n'
        self.edge = Edge(World(database, config=everything))
        self._people()
        self.numbers = self._incidents()
        self.tokens = {by: self.edge.token(by) for by in (ALL_ROLES, OBSERVER)}
        self._kept = sqlite3.connect(":memory:", check_same_thread=False)
        self._copy(self._live(), self._kept)

    def afresh(self) -> None:
        """As it was at first: for each example anew, so that the same example always finds the same."""
        self._copy(self._kept, self._live())

    def is_untouched(self) -> bool:
        return self._counts(self._live()) == self._counts(self._kept)

    def _counts(self, of: sqlite3.Connection) -> list[Any]:
        return of.execute(
            "SELECT (SELECT count(*) FROM timeline_entries), (SELECT max(id) FROM audit_entries)"
        ).fetchall()

    def close(self) -> None:
        self._kept.close()

    def _people(self) -> None:
        edge = self.edge
        for path, body in (("/hours/office", HOURS), ("/schedules/nights", SCHEDULE), ("/policies/nightly", POLICY)):
            made = edge.call("PUT", path, body)
            assert made.status_code == 200, made.text
        edge.post(
            "/schedules/primary/overrides",
            {"responder": "bo", "starts_at": "2026-11-20T08:00Z", "ends_at": "2026-11-20T10:00Z"},
        )
        times = {"gives_starts_at": "2026-11-24T00:00Z", "gives_ends_at": "2026-11-25T00:00Z"}
        edge.post("/swaps", {"schedule": "primary", "other": "bo"} | times)
        edge.post("/me/time-off", {"starts_at": "2026-12-01", "ends_at": "2026-12-03", "reason": "away"})
        edge.post("/responders/bo/time-off", {"starts_at": "2026-12-05", "ends_at": "2026-12-06"})
        edge.post("/me/feeds", {})
        edge.post("/me/contacts", {"channel": "email", "address": "ana.lima@example.org"})

    def _incidents(self) -> list[int]:
        world, edge = self.edge.world, self.edge
        world.alert(dedup_key="open")
        held = world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, dedup_key="chain")
        edge.post(
            f"/incidents/{held}/holds", {"reason": "wait", "authority": "FR21", "min_end_at": "2026-11-18T10:00:00Z"}
        )
        waiting = world.alert("Signature of event 7 does not verify", key=STORE_KEY, dedup_key="signature")
        edge.post(f"/incidents/{waiting}/resolve", {"reason": "repaired"}, by="bo", status=202)
        for dedup_key in ("acknowledged", "resolved", "snoozed"):
            world.acknowledge(world.alert(dedup_key=dedup_key))
        world.fast_forward(minutes=6)
        numbers = [line["number"] for line in edge.get("/incidents?limit=200")["items"]]
        world.resolve(sorted(numbers)[4])
        edge.post(f"/incidents/{sorted(numbers)[5]}/snooze", {"for": "2h"})
        return sorted(numbers)

    def _live(self) -> sqlite3.Connection:
        with self.edge.world.database.engine.connect() as connection:
            found: Any = connection.connection.driver_connection
            assert isinstance(found, sqlite3.Connection)
            return found

    def _copy(self, whence: sqlite3.Connection, whither: sqlite3.Connection) -> None:
        whence.backup(whither)
