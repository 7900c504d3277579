"""What the HTTP API takes and gives of incidents. Names here are the API's; `class` is `incident_class` elsewhere."""

from __future__ import annotations

from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from config.schemas import Cursor, Moment, Strict, Text, limit_field
from incidents import actions, governance, noting
from incidents.lifecycle import Status
from incidents.severity import IncidentClass, Severity

KEY_CHARACTERS_MAX = 64

_one_of_statuses = validate.OneOf([each.value for each in Status])
_one_of_severities = validate.OneOf([each.value for each in Severity])
_one_of_classes = validate.OneOf([each.value for each in IncidentClass])


# Taken


class ListQuery(Strict):
    """`status` and `severity` may name several, separated by commas."""

    statuses = DelimitedList(fields.String(validate=_one_of_statuses), data_key="status", load_default=list)
    severities = DelimitedList(fields.String(validate=_one_of_severities), data_key="severity", load_default=list)
    incident_class = fields.String(data_key="class", validate=_one_of_classes, load_default="")
    service = Text(characters_max=KEY_CHARACTERS_MAX, load_default="")
    limit = limit_field()
    cursor = Cursor(of="incidents", position=int, load_default=None)


class TimelineQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="timeline", position=int, load_default=0)


class ReviewsQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="reviews", position=int, load_default=None)


class ServicesQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="services", position=str, load_default="")


class RunbooksQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="runbooks", position=str, load_default="")


class Nothing(Strict):
    """An empty body, or none."""


class ResolveBody(Strict):
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)


class MilestoneBody(Strict):
    milestone = fields.String(required=True, validate=validate.OneOf(actions.MILESTONES))


class NoteBody(Strict):
    text = Text(required=True, characters_max=noting.NOTE_CHARACTERS_MAX)
    starred = fields.Boolean(load_default=False, metadata={"description": "to be talked about in the review"})


class ReclassifyBody(Strict):
    severity = fields.Enum(Severity, by_value=True, load_default=None)
    incident_class = fields.Enum(IncidentClass, by_value=True, data_key="class", load_default=None)
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)


class ApprovalBody(Strict):
    action = fields.String(required=True, validate=validate.OneOf(governance.ACTIONS))
    decision = fields.String(required=True, validate=validate.OneOf(("approve", "decline")))
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)


# Given


class PersonShown(Schema):
    key = fields.String(metadata={"description": "empty for a program"})
    name = fields.String()


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
    confirm_class = fields.Boolean(metadata={"description": "a person is asked to confirm the class"})
    halt_recommended = fields.Boolean()
    awaiting = fields.String(metadata={"description": "whose approval it waits for, and for what; or empty"})


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
    url = fields.String()
    labels = fields.Dict()
    links = fields.List(fields.Raw())


class AttemptShown(Schema):
    started_at = Moment()
    finished_at = Moment(allow_none=True)
    outcome = fields.String(allow_none=True, metadata={"description": "sent, refused, failed, unknown; null: in flight"})
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


class Incident(IncidentLine):
    severity_initial = fields.String()
    milestones = fields.Nested(MilestonesShown)
    resolved_by = fields.String()
    resolution = fields.String()
    classification = fields.Nested(ClassificationShown)
    runbook = fields.Nested(RunbookAttached, allow_none=True)
    alerts = fields.List(fields.Nested(AlertShown), metadata={"description": "the newest, oldest first"})
    alerts_total = fields.Integer()
    pages = fields.List(fields.Nested(PageShown), metadata={"description": "the newest, oldest first"})
    pages_total = fields.Integer()
    requests = fields.List(fields.Nested(RequestShown))
    review_url = fields.String(data_key="review", allow_none=True)
    review_state = fields.String(allow_none=True)
    review_due_at = Moment(allow_none=True)
    next = fields.Nested(NextStep, allow_none=True, metadata={"description": "who is woken next, and when"})
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
