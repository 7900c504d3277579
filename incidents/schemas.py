"""What the HTTP API gives of incidents. `class` is `incident_class` outside the API."""

from __future__ import annotations

from marshmallow import Schema, fields

from config.schemas import Moment
from incidents.schemas_hands import EmergencyShown, HoldShown, ItemShown


class PersonShown(Schema):
    key = fields.String(metadata={"description": "empty for a program"})
    name = fields.String()


class HeldShown(Schema):
    authority = fields.String(metadata={"description": "what demands the wait"})
    min_end_at = Moment()


class HeldByShown(Schema):
    silence = fields.Integer()
    name = fields.String(metadata={"description": "of a maintenance window; empty: a person's silence"})
    by = fields.String()
    reason = fields.String()
    until = Moment()


class IncidentLine(Schema):
    number = fields.Integer()
    title = fields.String()
    incident_class = fields.String(data_key="class")
    severity = fields.String()
    severity_peak = fields.String()
    status = fields.String()
    service = fields.String()
    level = fields.Integer(metadata={"description": "the last level that fired; 0: none yet"})
    phase = fields.String(metadata={"description": "immediate, containment, recovery or post-incident"})
    opened_at = Moment()
    acknowledged_at = Moment(allow_none=True)
    acknowledged_by = fields.Nested(PersonShown, allow_none=True)
    resolved_at = Moment(allow_none=True)
    snoozed_until = Moment(allow_none=True)
    silenced_until = Moment(allow_none=True, metadata={"description": "nobody is woken before, unless it changes"})
    silenced_by = fields.List(fields.Nested(HeldByShown), metadata={"description": "what holds it back now"})
    confirm_class = fields.Boolean(metadata={"description": "a person is asked to confirm the class"})
    halt_recommended = fields.Boolean()
    awaiting = fields.String(metadata={"description": "whose approval it waits for, and for what; or empty"})
    held = fields.Nested(HeldShown, allow_none=True, metadata={"description": "the hold that runs now, if one does"})


class IncidentPage(Schema):
    items = fields.List(fields.Nested(IncidentLine))
    next = fields.String(allow_none=True)


class MilestonesShown(Schema):
    acknowledged_at = Moment(allow_none=True)
    contained_at = Moment(allow_none=True)
    recovered_at = Moment(allow_none=True)
    resolved_at = Moment(allow_none=True)
    closed_at = Moment(allow_none=True)


class ClassificationShown(Schema):
    incident_class = fields.String(data_key="class")
    severity = fields.String()
    sentence = fields.String()
    reasons = fields.List(fields.String())
    confirm_class = fields.Boolean()
    record = fields.Dict(metadata={"description": "every rule that matched, in which words, and what was suppressed"})


class CandidateShown(Schema):
    id = fields.String()
    reason = fields.String()


class StepShown(Schema):
    number = fields.Integer()
    title = fields.String()
    label = fields.String()
    done_by = fields.String(metadata={"description": "empty: not done yet"})
    done_at = Moment(allow_none=True)
    note = fields.String()


class RunbookAttached(Schema):
    id = fields.String()
    title = fields.String()
    version = fields.String()
    url = fields.String()
    reason = fields.String()
    attached_at = Moment()
    sha256 = fields.String()
    changed = fields.Boolean(metadata={"description": "the file is not the one any more that was attached"})
    candidates = fields.List(fields.Nested(CandidateShown))
    steps = fields.List(fields.Nested(StepShown))
    emergency = fields.Nested(
        EmergencyShown, allow_none=True, metadata={"description": "the one that a level attached beside it"}
    )


class AlertShown(Schema):
    id = fields.Integer()
    source = fields.String()
    dedup_key = fields.String()
    status = fields.String()
    title = fields.String()
    body = fields.String()
    severity = fields.String()
    count = fields.Integer(metadata={"description": "how often it was received"})
    started_at = Moment(allow_none=True, metadata={"description": "as the source says"})
    first_at = Moment()
    last_at = Moment()
    resolved_at = Moment(allow_none=True)
    flapping = fields.Boolean(metadata={"description": "it came and went so often that it is held as one"})
    settles_at = Moment(allow_none=True, metadata={"description": "when it ends, if it stays quiet until then"})
    url = fields.String()
    labels = fields.Dict()
    links = fields.List(fields.Raw())


class AlertPage(Schema):
    items = fields.List(fields.Nested(AlertShown))
    next = fields.String(allow_none=True)


class AttemptShown(Schema):
    started_at = Moment()
    finished_at = Moment(allow_none=True)
    outcome = fields.String(
        allow_none=True,
        metadata={"description": "sent, delivered, undelivered, refused, failed, unknown; null: in flight"},
    )
    code = fields.String()
    error = fields.String()


class PageShown(Schema):
    responder = fields.String(metadata={"description": "their key"})
    responder_name = fields.String()
    channel = fields.String()
    level = fields.Integer()
    purpose = fields.String()
    last_resort = fields.Boolean()
    state = fields.String(metadata={"description": "queued, sent, delivered, failed, cancelled or bundled"})
    queued_at = Moment()
    due_at = Moment()
    sent_at = Moment(allow_none=True)
    delivered_at = Moment(allow_none=True)
    told_with = fields.Integer(
        allow_none=True, metadata={"description": "bundled: the incident whose page's message told of this one too"}
    )
    attempts = fields.List(fields.Nested(AttemptShown))


class DecisionShown(Schema):
    by = fields.Nested(PersonShown)
    decision = fields.String()
    reason = fields.String()
    decided_at = Moment()


class RequestShown(Schema):
    action = fields.String()
    change = fields.Dict()
    reason = fields.String()
    requested_by = fields.Nested(PersonShown)
    requested_at = Moment()
    expires_at = Moment()
    state = fields.String()
    decided_at = Moment(allow_none=True)
    decisions = fields.List(fields.Nested(DecisionShown))


class NextStep(Schema):
    what = fields.String()
    at = Moment()


class ChangeShown(Schema):
    summary = fields.String()
    body = fields.String()
    source = fields.String()
    links = fields.List(fields.Dict(), metadata={"description": "each has href and text"})
    happened_at = Moment()


class Incident(IncidentLine):
    severity_initial = fields.String()
    milestones = fields.Nested(MilestonesShown)
    resolved_by = fields.String()
    resolution = fields.String()
    classification = fields.Nested(ClassificationShown)
    runbook = fields.Nested(RunbookAttached, allow_none=True)
    alerts = fields.List(fields.Nested(AlertShown), metadata={"description": "the newest, oldest first"})
    alerts_total = fields.Integer()
    alerts_ended = fields.Integer()
    flaps = fields.String(metadata={"description": "why one that fires is held as flapping; or empty"})
    pages = fields.List(fields.Nested(PageShown), metadata={"description": "the newest, oldest first"})
    pages_total = fields.Integer()
    requests = fields.List(fields.Nested(RequestShown))
    review_url = fields.String(data_key="review", allow_none=True)
    review_state = fields.String(allow_none=True)
    review_due_at = Moment(allow_none=True)
    review_published_at = Moment(allow_none=True)
    review_published_by = fields.String()
    review_document_url = fields.String(metadata={"description": "where the finished text is; may be empty"})
    holds = fields.List(fields.Nested(HoldShown), metadata={"description": "waits that governance demanded"})
    checklist = fields.List(fields.Nested(ItemShown), metadata={"description": "what each phase asks for"})
    next = fields.Nested(NextStep, allow_none=True, metadata={"description": "who is woken next, and when"})
    changes = fields.List(
        fields.Nested(ChangeShown),
        metadata={"description": "change events of its service, from a day before it opened; the newest first"},
    )
    url = fields.String()


class Answer(Schema):
    """What came of a verb, and the incident as it is now."""

    changed = fields.Boolean(metadata={"description": "false: it was so already, or waits for approval"})
    status = fields.String()
    sentence = fields.String()
    request = fields.Nested(RequestShown, allow_none=True, metadata={"description": "what waits for approval"})
    incident = fields.Nested(Incident)


class EntryShown(Schema):
    seq = fields.Integer()
    global_seq = fields.Integer()
    occurred_at = Moment()
    recorded_at = Moment()
    actor = fields.String()
    actor_kind = fields.String()
    kind = fields.String()
    text = fields.String()
    facts = fields.Dict()
    supersedes = fields.Integer(allow_none=True, metadata={"description": "global_seq of the entry it corrects"})
    hash = fields.String()


class TimelinePage(Schema):
    items = fields.List(fields.Nested(EntryShown))
    next = fields.String(allow_none=True)


class IntegrationShown(Schema):
    source = fields.String()
    key_hint = fields.String(metadata={"description": "the last characters of its key"})


class GroupShown(Schema):
    within = fields.String(metadata={"description": "a duration such as 5m, from the opening of the incident"})
    by = fields.List(fields.String(), metadata={"description": "labels that must agree; left out: none need to"})


class FlapShown(Schema):
    toggles = fields.Integer(metadata={"description": "what comes and goes more often than this is held as one"})
    within = fields.String()


class ServiceShown(Schema):
    key = fields.String()
    policy = fields.String()
    protected = fields.Boolean(metadata={"description": "its incidents are constitutional whatever they say"})
    runbook = fields.String()
    timezone = fields.String()
    integrations = fields.List(fields.Nested(IntegrationShown))
    group = fields.Nested(GroupShown, allow_none=True, metadata={"description": "which alerts share an incident"})
    flap = fields.Nested(FlapShown, allow_none=True, metadata={"description": "what counts as flapping"})


class ServicePage(Schema):
    items = fields.List(fields.Nested(ServiceShown))
    next = fields.String(allow_none=True)


class RunbookShown(Schema):
    id = fields.String()
    title = fields.String()
    version = fields.String()
    incident_class = fields.String(data_key="class")
    severities = fields.List(fields.String())
    services = fields.List(fields.String())
    owner = fields.String()
    active = fields.Boolean()
    last_updated = fields.Date(allow_none=True)
    next_review = fields.Date(allow_none=True)
    certification = fields.String(metadata={"description": "certified, due, in-review, overdue, expired, or empty"})
    steps = fields.Integer()
    sha256 = fields.String()
    url = fields.String()


class RunbookPage(Schema):
    items = fields.List(fields.Nested(RunbookShown))
    next = fields.String(allow_none=True)
