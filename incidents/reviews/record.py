"""Everything a review is drafted from: the facts of one incident, frozen. Pure.

Whoever reads the database builds a Record; drafting needs nothing else. All times are aware UTC. None always means
"not known" or "has not happened", never zero. Names are people's names as they should be printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from math import isfinite
from typing import Any

from config.clock import utc_text
from incidents.phases import Course, Hold


@dataclass(frozen=True, slots=True)
class AlertFact:
    title: str
    source: str
    dedup_key: str
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None = None
    count: int = 1  # how often it was received
    url: str = ""


@dataclass(frozen=True, slots=True)
class AttemptFact:
    at: datetime
    outcome: str  # "sent", "delivered", "failed", …
    error: str = ""


@dataclass(frozen=True, slots=True)
class PageFact:
    responder: str
    channel: str
    level: int
    state: str  # queued, sent, delivered, failed, cancelled, bundled
    queued_at: datetime
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    acknowledged: bool = False  # this page is the one that was answered
    attempts: tuple[AttemptFact, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryFact:
    seq: int  # in this incident's chain
    global_seq: int
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    kind: str  # dotted: "level.reached"
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    actor_kind: str = ""  # responder, source, engine, program


@dataclass(frozen=True, slots=True)
class NoteFact:
    """A timeline entry somebody starred for the review."""

    seq: int
    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class OverrideFact:
    """A person's change of class or severity, in force since `at`."""

    what: str  # "class" or "severity"
    before: str
    after: str
    reason: str
    requested_by: str
    approved_by: tuple[str, ...]
    at: datetime
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class SeverityChange:
    """The severity from this moment on; the first is the one the incident opened with."""

    at: datetime
    severity: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class StepFact:
    number: int
    title: str
    by: str
    at: datetime
    note: str = ""  # what the verification showed
    outcome: str = "done"  # done, skipped, failed


@dataclass(frozen=True, slots=True)
class RunbookFact:
    id: str
    title: str
    version: str
    sha256: str
    reason: str  # why it was attached
    primary: bool
    recert_status: str  # as it stood when it was attached
    steps_done: tuple[StepFact, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionFact:
    name: str
    role: str
    decision: str  # approve, decline
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalFact:
    action: str
    requested_by: str
    requested_at: datetime
    reason: str
    decisions: tuple[DecisionFact, ...]
    quorum_needed: int
    state: str  # pending, approved, declined, expired


@dataclass(frozen=True, slots=True)
class TickFact:
    """One ticked item of a phase's checklist; `item` is its key in phases.CHECKLISTS."""

    item: str
    by: str
    at: datetime
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class ActionFact:
    id: int
    kind: str  # prevent, detect, mitigate, process, runbook, governance
    title: str
    owner: str
    due: date | None
    status: str
    ticket: str = ""
    done_when: str = ""


@dataclass(frozen=True, slots=True)
class EarlierIncident:
    number: int
    title: str
    opened_at: datetime
    alike: str  # in what: "same rule K01", "same dedup key"
    actions_open: int


@dataclass(frozen=True, slots=True)
class AttachmentFact:
    name: str
    sha256: str
    held_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What a person wrote under one section. `declined`: the section does not apply, and the text says why."""

    author: str
    markdown: str
    at: datetime
    declined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    number: int
    title: str
    incident_class: str
    severity_initial: str
    severity_peak: str
    severity_final: str
    status: str  # open, acknowledged, resolved, closed
    service: str
    opened_at: datetime
    acknowledged_at: datetime | None = None
    contained_at: datetime | None = None
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    resolved_by: str = ""
    owner: str = ""  # of the review; "" while nobody has taken it
    commander: str = ""
    classification: Mapping[str, Any] = field(default_factory=dict)  # sentence, reasons, hits or rules, suppressed
    overrides: tuple[OverrideFact, ...] = ()
    alerts: tuple[AlertFact, ...] = ()
    pages: tuple[PageFact, ...] = ()
    timeline: tuple[EntryFact, ...] = ()
    runbooks: tuple[RunbookFact, ...] = ()
    approvals: tuple[ApprovalFact, ...] = ()
    notes: tuple[NoteFact, ...] = ()
    integrity: Mapping[str, Any] = field(default_factory=dict)  # verdict, head, entries, checkpoint, sealed, …
    sections_written: Mapping[str, Written] = field(default_factory=dict)  # by section key
    actions: tuple[ActionFact, ...] = ()
    ruleset_version: str
    template_version: str
    base_url: str
    generated_at: datetime
    review_due_at: datetime | None = None  # None: 24 hours after resolution

    # What a builder that does not have it may leave out; the draft then says "not known" or nothing.
    started_at: datetime | None = None  # when the trouble began, entered by a person
    review_state: str = "draft"  # draft, published
    published_at: datetime | None = None  # a person declared the review finished; None while it is a draft
    published_by: str = ""
    document_url: str = ""  # where the finished text is
    published_note: str = ""
    acknowledged_by: str = ""
    resolution: str = ""  # the reason given when it was resolved
    severity_changes: tuple[SeverityChange, ...] = ()
    holds: tuple[Hold, ...] = ()
    ticks: tuple[TickFact, ...] = ()
    governance_refs: tuple[str, ...] = ()  # FR, ADR and policy ids of the attached runbooks
    halt_recommended: bool = False
    # By follow_up.CONSTITUTIONAL_METRICS: before and after, as the governed system gives them.
    constitutional_metrics: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    earlier: tuple[EarlierIncident, ...] | None = None  # None: nobody looked
    attachments: tuple[AttachmentFact, ...] | None = None
    responder_minutes: int | None = None
    omissions: tuple[str, ...] = ()  # what was left out of this record, a sentence each

    @property
    def constitutional(self) -> bool:
        return self.incident_class == "constitutional"

    @property
    def url(self) -> str:
        return f"{self.base_url.rstrip('/')}/incidents/{self.number}"

    @property
    def course(self) -> Course:
        return Course(
            opened_at=self.opened_at,
            acknowledged_at=self.acknowledged_at,
            contained_at=self.contained_at,
            recovered_at=self.recovered_at,
            resolved_at=self.resolved_at,
            reviewed_at=self.published_at,
            holds=self.holds,
        )


def as_json(value: Any) -> Any:
    """Facts as JSON values: objects for dataclasses, lists for tuples, RFC 3339 text for times."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [as_json(item) for item in items]
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)  # JSON has no infinity
    return value if value is None or isinstance(value, bool | int | str) else str(value)
