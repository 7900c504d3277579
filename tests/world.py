"""A whole Tocsin without HTTP: a real database, the real engine run inline, a clock that moves by hand, fake providers.

world.alert("Observer API down")
world.fast_forward(minutes=5)
assert [sent.to for sent in world.sent("sms")] == ["+15005550101", "+15005550102"]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

import runbook_links
from config.database import Database
from config.ids import secret_hash
from config.sealed import Vault
from config.settings import SHIPPED_RULES
from escalation import responders
from escalation.channels.base import ChannelError, Message, Sent
from escalation.models import Attempt, Page, Timer
from escalation.paging.engine import Engine, Submit
from incidents import actions, configuration, engine_work, events, intake, reclassifying, replies, rules
from incidents.desk import Actor, Desk, Outcome
from incidents.models import Incident
from incidents.proof import timeline
from incidents.proof.models import TimelineEntry
from incidents.severity import Severity
from incidents.sources.base import AlertStatus, IncomingAlert
from incidents.sources.table import SOURCES
from runbook_links.shelf import Shelf

MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
SHELF = Shelf(Path(runbook_links.__file__).parent / "library")
RULESET = rules.load(SHIPPED_RULES)
KEY = "c0" * 16
STORE_KEY = "e0" * 16
SECRET_KEY = "a secret key for tests, 32 and more"
HOOK_SECRET = "f0" * 16
PHONES = {
    "ana": "+15005550101",
    "bo": "+15005550102",
    "mia": "+15005550103",
    "kim": "+15005550104",
    "kai": "+15005550105",
}

TEAM = """
responders:
  ana: {{name: Ana Lima, email: ana@example.org, timezone: Europe/Lisbon, roles: [responder], slack: U0ANA, phone: "+15005550101",
        page_by: {{high: {ana_by}, low: [{{after: 0s, by: slack}}]}}}}
  bo:  {{name: Bo Chen, email: bo@example.org, roles: [responder], slack: U0BO, phone: "+15005550102",
        page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: slack}}]}}}}
  mia: {{name: Mia Berg, email: mia@example.org, roles: [manager], phone: "+15005550103",
        page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: sms}}]}}}}
  kim: {{name: Kim Osei, email: kim@example.org, roles: [keeper], phone: "+15005550104",
        page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: sms}}]}}}}
  kai: {{name: Kai Ito, email: kai@example.org, roles: [keeper], phone: "+15005550105",
        page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: sms}}]}}}}
schedules:
  primary: {{timezone: UTC, rotations: [{{members: [ana], starts: "{primary_starts}", turn: 1w}}]}}
  secondary: {{timezone: UTC, rotations: [{{members: [bo], starts: "{secondary_starts}", turn: 1w}}]}}
policies:
  standard:
    repeat: {repeat}
    ack_timeout: {ack_timeout}
    levels:
      - {{level: 1, after: 0s, page: ["schedule:primary"], announce: ["slack:#incidents"]}}
      - {{level: 2, after: 5m, page: ["schedule:secondary"]}}
      - {{level: 3, after: 15m, page: ["role:manager"], announce: ["slack:#all-hands"]}}
      - {{level: 4, after: 60m, page: ["role:manager", "responder:ana"]}}
services:
  checkout: {{policy: standard, integrations: [{{source: pagerduty, key: "{key}"}}]}}
  event-store: {{policy: standard, protected: true, integrations: [{{source: pagerduty, key: "{store_key}"}}]}}
last_resort: ["responder:mia"]
"""


def team(
    *,
    ana_by: str = "[{after: 0s, by: sms}]",
    repeat: int = 0,
    primary_starts: str = "2026-01-05T00:00",
    secondary_starts: str = "2026-01-05T00:00",
    ack_timeout: str = "0s",
) -> str:
    """Nobody is asked whether they still hold an incident unless `ack_timeout` says so."""
    return TEAM.format(
        ana_by=ana_by,
        repeat=repeat,
        primary_starts=primary_starts,
        secondary_starts=secondary_starts,
        ack_timeout=ack_timeout,
        key=KEY,
        store_key=STORE_KEY,
    )


@dataclass(frozen=True)
class Delivered:
    channel: str
    to: str
    message: Message
    at: datetime
    edit: bool = False


@dataclass
class FakeChannel:
    """Takes what it is given, unless faults are queued: each is raised once, in order."""

    name: str
    world: World
    faults: list[ChannelError] = field(default_factory=list)
    usergroups: dict[str, list[str]] = field(default_factory=dict)
    usergroup_fault: ChannelError | None = None  # raised for as long as it is set
    on_send: Callable[[str, Message], None] | None = None  # what happens while the send is in flight
    on_sent: Callable[[str, Message], None] | None = None  # and after the provider took it, before it is recorded

    def send(self, address: str, message: Message) -> Sent:
        if self.on_send is not None:
            self.on_send(address, message)
        if self.faults:
            raise self.faults.pop(0)
        self.world.deliveries.append(Delivered(self.name, address, message, self.world.now))
        number = len(self.world.deliveries)
        if self.on_sent is not None:
            self.on_sent(address, message)
        ref = {"channel": address, "ts": str(number)} if self.name == "slack" else {}
        return Sent(provider_id=f"{self.name}{number}", ref=ref)

    def update(self, address: str, ref: dict[str, str], message: Message) -> Sent:
        if self.faults:
            raise self.faults.pop(0)
        self.world.deliveries.append(Delivered(self.name, address, message, self.world.now, edit=True))
        return Sent(ref=ref)

    def set_usergroup(self, usergroup: str, members: Sequence[str]) -> None:
        if self.usergroup_fault is not None:
            raise self.usergroup_fault
        self.usergroups[usergroup] = list(members)


class World:
    def __init__(self, database: Database, *, config: str | None = None, now: datetime = MONDAY) -> None:
        self.now = now
        self.database = database
        database.before_commit = partial(events.before_commit, read_clock=lambda: self.now)
        self.desk = Desk(timeline.append, RULESET, SHELF, "https://tocsin.example.org", Vault(SECRET_KEY))
        self.deliveries: list[Delivered] = []
        self.channels = {name: FakeChannel(name, self) for name in ("slack", "sms", "voice", "email")}
        self.engine = self.new_engine("engine-1")
        self.apply(config or team())

    def new_engine(
        self, name: str, submit: Submit = lambda send: send(), *, rates: dict[str, float] | None = None
    ) -> Engine:
        return Engine(
            self.database,
            self.channels,
            timeline.append,
            name=name,
            read_clock=lambda: self.now,
            submit=submit,
            rates=rates,
            acts=engine_work.acts(self.desk),
            errands=engine_work.errands(self.desk, self.channels, secret=HOOK_SECRET),
        )

    def apply(self, text: str) -> None:
        configuration.apply_text(
            self.database,
            text,
            env={},
            file_name="tocsin.yaml",
            now=self.now,
            sources=SOURCES,
            runbook_ids={runbook.id for runbook in SHELF.library.runbooks},
            vault=self.desk.vault,
        )

    # What happens

    def alert(
        self,
        title: str = "Observer API down: health check failing on all replicas",
        *,
        dedup_key: str = "obs/api",
        status: AlertStatus = AlertStatus.FIRING,
        key: str = KEY,
        hint: Severity | None = None,
        labels: dict[str, str] | None = None,
        run: bool = True,
    ) -> int:
        """Take an alert in and let the engine do what is due at once; the incident's number (0 if it has none)."""
        incoming = IncomingAlert(
            source="pagerduty",
            dedup_key=dedup_key,
            status=status,
            title=title,
            severity_hint=hint,
            labels=labels or {},
        )
        with self.database.transaction() as session:
            door = intake.door(session, secret_hash(key))
            assert door is not None
            received = intake.receive(session, self.desk, door, incoming, self.now)
        if run:
            self.run()
        return received.incident_id or 0

    def actor(self, key: str, *, via: str = "slack") -> Actor:
        with self.database.reading() as session:
            person = responders.by_key(session, key)
        assert person is not None, key
        return replies.actor_of(person, via=via)

    def acknowledge(self, number: int, by: str = "ana", *, run: bool = True) -> Outcome:
        with self.database.transaction() as session:
            outcome = actions.acknowledge(session, self.desk, number, self.actor(by), self.now)
        if run:
            self.run()
        return outcome

    def resolve(self, number: int, by: str = "ana", *, reason: str = "fixed") -> Outcome:
        with self.database.transaction() as session:
            outcome = actions.resolve(session, self.desk, number, self.actor(by), self.now, reason=reason)
        self.run()
        return outcome

    def escalate_now(self, number: int, by: str = "ana") -> Outcome:
        with self.database.transaction() as session:
            outcome = actions.escalate_now(session, self.desk, number, self.actor(by), self.now)
        self.run()
        return outcome

    def reclassify(self, number: int, to: Severity, by: str = "ana") -> Outcome:
        with self.database.transaction() as session:
            outcome = reclassifying.reclassify(
                session, self.desk, number, self.actor(by), self.now, new_severity=to, reason="it is"
            )
        self.run()
        return outcome

    def run(self) -> None:
        """Let the engine act until nothing is due now."""
        for _ in range(1000):
            if not self.engine.tick(self.now):
                return
        raise AssertionError("the engine never comes to rest")

    def fast_forward(self, *, minutes: float = 0, seconds: float = 0, hours: float = 0) -> None:
        """Move the clock, stopping at each moment when something is due, as the sleeping engine would."""
        end = self.now + timedelta(hours=hours, minutes=minutes, seconds=seconds)
        while (due := self.engine.next_due_at()) is not None and due <= end:
            self.now = max(self.now, due)
            self.run()
        self.now = end

    # What can be seen

    def sent(self, channel: str | None = None, *, to: str | None = None, edits: bool = False) -> list[Delivered]:
        return [
            d
            for d in self.deliveries
            if (channel is None or d.channel == channel) and (to is None or d.to == to) and d.edit == edits
        ]

    def incident(self, number: int) -> Incident:
        with self.database.reading() as session:
            return session.get_one(Incident, number)

    def timeline(self, number: int) -> list[TimelineEntry]:
        return self._all(select(TimelineEntry).where(TimelineEntry.incident_id == number).order_by(TimelineEntry.seq))

    def kinds(self, number: int) -> list[str]:
        return [entry.kind for entry in self.timeline(number)]

    def pages(self, number: int) -> list[Page]:
        return self._all(select(Page).where(Page.incident_id == number).order_by(Page.id))

    def attempts(self, number: int) -> list[Attempt]:
        return self._all(
            select(Attempt)
            .join(Page, Page.id == Attempt.page_id)
            .where(Page.incident_id == number)
            .order_by(Attempt.id)
        )

    def timers(self, number: int) -> list[Timer]:
        return self._all(select(Timer).where(Timer.incident_id == number).order_by(Timer.due_at))

    def _all(self, statement: Any) -> list[Any]:
        with self.database.reading() as session:
            return list(session.scalars(statement))


def refused(code: str = "21211") -> ChannelError:
    return ChannelError("The number is not a valid phone number.", permanent=True, code=code)


def unwell(retry_after_seconds: float | None = None) -> ChannelError:
    return ChannelError(
        "The provider answered 503.", permanent=False, code="503", retry_after_seconds=retry_after_seconds
    )
