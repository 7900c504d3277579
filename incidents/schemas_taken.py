"""What the HTTP API takes of incidents: queries and bodies. `class` is `incident_class` outside the API."""

from __future__ import annotations

from marshmallow import fields, validate
from webargs.fields import DelimitedList

from config.schemas import Cursor, Strict, Text, limit_field
from incidents import actions, governance, noting
from incidents.lifecycle import Status
from incidents.severity import IncidentClass, Severity

KEY_CHARACTERS_MAX = 64

_one_of_statuses = validate.OneOf([each.value for each in Status])
_one_of_severities = validate.OneOf([each.value for each in Severity])
_one_of_classes = validate.OneOf([each.value for each in IncidentClass])


class ListQuery(Strict):
    """`status` and `severity` may name several, separated by commas."""

    statuses = DelimitedList(fields.String(validate=_one_of_statuses), data_key="status", load_default=list)
    severities = DelimitedList(fields.String(validate=_one_of_severities), data_key="severity", load_default=list)
    incident_class = fields.String(data_key="class", validate=_one_of_classes, load_default="")
    service = Text(characters_max=KEY_CHARACTERS_MAX, load_default="")
    silenced = fields.Boolean(load_default=None, metadata={"description": "held back by a silence, or not"})
    limit = limit_field()
    cursor = Cursor(of="incidents", position=int, load_default=None)


class AlertsQuery(Strict):
    status = fields.String(validate=validate.OneOf(("firing", "resolved")), load_default="")
    limit = limit_field()
    cursor = Cursor(of="alerts", position=int, load_default=None)


class TimelineQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="timeline", position=int, load_default=0)


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
