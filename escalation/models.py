"""What escalation keeps: people and how to reach them, schedules, policies, and the paging under way."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json, where


class Owner(StrEnum):
    """Who says what a thing is: a declared file, which alone may change it then, or people in the browser."""

    FILE = "file"
    PEOPLE = "people"


class Origin(StrEnum):
    """Where somebody's rules, or their quiet hours, come from."""

    DECLARED = "declared"  # the file's; it alone may change them
    DEFAULT = "default"  # nobody's: Tocsin's own, for the ways there are
    OWN = "own"  # the person's


class Responder(Base):
    __tablename__ = "responders"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)  # `ana` in tocsin.yaml
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    roles: Mapped[list[str]] = mapped_column(Json, default=list)
    page_by: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # urgency -> [{after_seconds, by, from, to}]
    page_by_origin: Mapped[str] = mapped_column(String(16), default=Origin.DECLARED)
    quiet: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # {"from": "22:00", "to": "07:00"}: own wall time
    quiet_origin: Mapped[str] = mapped_column(String(16), default=Origin.DEFAULT)
    holidays: Mapped[str] = mapped_column(String(16), default="")  # whose public holidays: "PT", "DE-BE"
    owner: Mapped[str] = mapped_column(String(16), default=Owner.FILE)
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(Text)


class ContactMethod(Base):
    __tablename__ = "contact_methods"
    # One address belongs to one person: an answer from it must name exactly one responder.
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    responder_id: Mapped[int] = mapped_column(ForeignKey("responders.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(320))
    disabled_reason: Mapped[str] = mapped_column(Text, default="")
    declared: Mapped[bool] = mapped_column(default=True)  # by the file, which vouches for it; else by its owner
    verified_at: Mapped[datetime | None]  # its owner has sent back a code that went there


class ScheduleRow(Base):
    __tablename__ = "schedules"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    definition: Mapped[dict[str, Any]] = mapped_column(Json)  # oncall.schedules.Schedule as JSON
    owner: Mapped[str] = mapped_column(String(16), default=Owner.FILE)


class OverrideRow(Base):
    __tablename__ = "overrides"
    __table_args__ = (Index("ix_overrides_schedule_ends", "schedule_id", "ends_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    responder_id: Mapped[int | None] = mapped_column(ForeignKey("responders.id"))  # who takes over; None removes
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("responders.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text, default="")


class HoursRow(Base):
    """Named hours (`office`) that levels and services refer to."""

    __tablename__ = "hours"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    definition: Mapped[dict[str, Any]] = mapped_column(Json)  # oncall.hours.Hours as JSON
    owner: Mapped[str] = mapped_column(String(16), default=Owner.FILE)


class PolicyRow(Base):
    __tablename__ = "policies"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    definition: Mapped[dict[str, Any]] = mapped_column(Json)  # policies.Policy as JSON
    owner: Mapped[str] = mapped_column(String(16), default=Owner.FILE)


class LastResort(Base):
    """The one row that says who is paged when nobody else can be."""

    __tablename__ = "last_resort"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    targets: Mapped[list[str]] = mapped_column(Json)


class Escalation(Base):
    """One incident's "wake someone, until I say stop". The policy is frozen when it starts."""

    __tablename__ = "escalations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    brief: Mapped[dict[str, Any]] = mapped_column(Json)
    standing: Mapped[dict[str, Any]] = mapped_column(Json)
    policy: Mapped[dict[str, Any]] = mapped_column(Json)
    last_resort: Mapped[list[str]] = mapped_column(Json)
    urgency: Mapped[str] = mapped_column(String(16))  # plan.Urgency
    stage: Mapped[str] = mapped_column(String(16))  # plan.Stage
    cycle: Mapped[int] = mapped_column(default=0)  # how often the policy has begun anew
    position: Mapped[int] = mapped_column(default=0)  # index of the next level to fire
    level: Mapped[int] = mapped_column(default=0)  # the last level that fired; 0: none yet
    firing: Mapped[int] = mapped_column(default=0)  # counts what fired, so that each firing's pages are told apart
    started_at: Mapped[datetime]
    base_at: Mapped[datetime]  # the levels' times count from here
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")  # the team's, for the next business day
    holidays: Mapped[str] = mapped_column(String(16), default="")  # the team's: no business days
    acks: Mapped[list[str]] = mapped_column(Json, default=list)  # keys of those who have it, where several must
    stopped_at: Mapped[datetime | None]


class PageState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BUNDLED = "bundled"


class Page(Base):
    """One message that is to wake one person, from the moment it is decided."""

    __tablename__ = "pages"
    # A firing asks for each step of a person's rules once, whatever is retried or repeated around it.
    __table_args__ = (
        UniqueConstraint("escalation_id", "firing", "responder_id", "step"),
        # The reconciler looks at every page that is still to go out; most there ever were have gone.
        Index("ix_pages_queued", "incident_id", **where("state = 'queued'")),
        # What somebody was told lately, asked before each page: the cost must not grow with what they ever were told.
        Index("ix_pages_told", "responder_id", "channel", "sent_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    responder_id: Mapped[int] = mapped_column(ForeignKey("responders.id"))
    purpose: Mapped[str] = mapped_column(String(16))  # channels.base.Purpose
    level: Mapped[int]
    firing: Mapped[int]
    step: Mapped[int]  # index in the person's rules; fall-backs beyond the rules count on
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(320))
    last_resort: Mapped[bool] = mapped_column(default=False)
    regardless: Mapped[bool] = mapped_column(default=False)  # goes out whoever holds the incident
    note: Mapped[str] = mapped_column(Text, default="")  # why this person, where no level says it
    carrier_id: Mapped[int | None] = mapped_column(BigId, index=True)  # bundled: the page whose message told of it
    state: Mapped[str] = mapped_column(String(16), default=PageState.QUEUED)
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    told_rank: Mapped[int | None]  # how urgent it was when it was told (fire.rank)
    delivered_at: Mapped[datetime | None]
    provider_id: Mapped[str] = mapped_column(String(200), default="", index=True)


class Attempt(Base):
    """One try to hand a page to a provider. `outcome` empty: in flight, or nobody lived to say."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    # sent, refused (permanent), failed, unknown; by the provider's later word: delivered, undelivered
    outcome: Mapped[str] = mapped_column(String(16), default="")
    code: Mapped[str] = mapped_column(String(64), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    of_address: Mapped[bool] = mapped_column(default=False)  # it was refused for what the address is
    # What the provider reported while the hand-over was not written down yet, by its id of the message.
    early: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class LivingMessage(Base):
    """A message that is edited as the state changes: the one in a channel, or the one to a paged person."""

    __tablename__ = "living_messages"
    __table_args__ = (UniqueConstraint("escalation_id", "channel", "address"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"), index=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(320))
    to_name: Mapped[str] = mapped_column(String(200), default="")  # empty: a room
    level: Mapped[int]
    ref: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # empty until it is posted
    shown: Mapped[str] = mapped_column(String(64), default="")  # digest of what it shows now
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")


class TimerKind(StrEnum):
    ADVANCE = "advance"  # subject: an escalation
    DELIVER = "deliver"  # subject: a page
    SHOW = "show"  # subject: a living message
    NOTICE = "notice"  # subject: a notice
    DUTY = "duty"  # subject: a schedule whose on-call changes then
    COVERAGE = "coverage"  # subject: always 1; a look for times when nobody will be on call
    CALENDAR = "calendar"  # subject: a calendar copy, to be read again
    HOOK = "hook"  # subject: a hook call
    ACK_TIMEOUT = "ack_timeout"  # subject: an incident, as of the kinds below; what they do is the incidents' matter
    PHASE = "phase"
    SNOOZE = "snooze"
    RUNBOOK = "runbook"
    SILENCE = "silence"  # is it still silenced?
    SETTLE = "settle"  # subject: an alert that flapped, to be ended if it stays quiet
    WINDOW = "window"  # subject: a silence that begins then
    EVENT = "event"  # subject: a delivery of an event to a team's own program
    HEARTBEAT = "heartbeat"  # subject: a heartbeat that must be heard of by then


class Timer(Base):
    """Something to do at a time. The row goes when it is done; `visible_at` doubles as the claim's lease."""

    __tablename__ = "timers"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id"),
        # The engine looks here every time it wakes: the cost must follow what is due, not what is open.
        Index("ix_timers_due", "visible_at", **where("parked_at IS NULL")),
        Index("ix_timers_incident", "incident_id"),
        # What one person waits for on one channel is taken together, to be told in one message.
        Index("ix_timers_party", "lane", "party", **where("party <> ''")),
        # There should be none: looking for them must cost nothing.
        Index("ix_timers_parked", "parked_at", **where("parked_at IS NOT NULL")),
        Index("ix_timers_claimed_by", "claimed_by", **where("claimed_by <> ''")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int] = mapped_column(BigId)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))  # None: about no incident
    party: Mapped[str] = mapped_column(String(64), default="")  # whom the message is for; "": nobody's
    lane: Mapped[str] = mapped_column(String(32), default="")  # the channel it waits for, or the engine itself
    rank: Mapped[int] = mapped_column(default=5)  # lower goes first among what is due
    due_at: Mapped[datetime]
    visible_at: Mapped[datetime]  # not before: due_at, or the end of the lease
    claim: Mapped[str] = mapped_column(String(32), default="")
    claimed_by: Mapped[str] = mapped_column(String(120), default="")
    tries: Mapped[int] = mapped_column(default=0)  # claims since it was last set
    parked_at: Mapped[datetime | None]  # it kept failing: kept for people to look at, and alarmed
    error: Mapped[str] = mapped_column(Text, default="")


class EnginePulse(Base):
    """An engine says it lives, and how late it is."""

    __tablename__ = "engines"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    lag_seconds: Mapped[float] = mapped_column(default=0.0)  # the oldest due timer's lateness at the last tick
