"""What the HTTP API takes and gives of who has an incident and what holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from config import durations
from config.schemas import NUMBER_MAX as NUMBER_MAX
from config.schemas import Moment, Strict, Text
from incidents import holding, manual, noting
from incidents.severity import IncidentClass, Severity

KEY_CHARACTERS_MAX = 64


class Span(fields.Field[int]):
    """A duration such as `2h`, as whole seconds."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> int:
        try:
            return durations.to_seconds(value) if isinstance(value, str) else _refuse()
        except durations.DurationError as refused:
            raise ValidationError(str(refused)) from refused


def _refuse() -> int:
    raise ValidationError("must be a duration such as 2h")


class ReasonBody(Strict):
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)


class ReportBody(Strict):
    """`severity` and `class` are the reporter's own: they move an operational result both ways, a constitutional one
    only up."""

    service = Text(required=True, characters_max=KEY_CHARACTERS_MAX)
    title = Text(required=True, characters_max=manual.TITLE_CHARACTERS_MAX)
    description = Text(characters_max=manual.DESCRIPTION_CHARACTERS_MAX, load_default="")
    severity = fields.Enum(Severity, by_value=True, load_default=None)
    incident_class = fields.Enum(IncidentClass, by_value=True, data_key="class", load_default=None)
    dedup_key = Text(characters_max=manual.DEDUP_KEY_CHARACTERS_MAX, load_default="")


class ReassignBody(Strict):
    """Either `responder` or `policy`."""

    responder = Text(characters_max=KEY_CHARACTERS_MAX, load_default="")
    policy = Text(characters_max=KEY_CHARACTERS_MAX, load_default="")
    reason = Text(characters_max=noting.REASON_CHARACTERS_MAX, load_default="")


class ResponderBody(Strict):
    responder = Text(required=True, characters_max=KEY_CHARACTERS_MAX)
    reason = Text(characters_max=noting.REASON_CHARACTERS_MAX, load_default="")


class SnoozeBody(Strict):
    """Either `until` or `for`."""

    until = Moment(load_default=None)
    seconds = Span(data_key="for", load_default=None, metadata={"type": "string", "description": "such as 2h"})


class TickBody(Strict):
    item = Text(required=True, characters_max=KEY_CHARACTERS_MAX, metadata={"description": "its key"})


class HoldBody(Strict):
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)
    authority = Text(
        required=True,
        characters_max=holding.AUTHORITY_CHARACTERS_MAX,
        metadata={"description": "what demands it: FR21"},
    )
    min_end_at = Moment(required=True)


class ExtendBody(Strict):
    min_end_at = Moment(required=True)
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)


class HoldShown(Schema):
    id = fields.Integer()
    reason = fields.String()
    authority = fields.String()
    opened_by = fields.String()
    started_at = Moment()
    min_end_at = Moment()
    ended_at = Moment(allow_none=True)
    ended_by = fields.String()


class EmergencyShown(Schema):
    id = fields.String()
    title = fields.String()
    version = fields.String()
    url = fields.String()
    reason = fields.String()
    attached_at = Moment()


class ItemShown(Schema):
    key = fields.String()
    phase = fields.String()
    group = fields.String()
    text = fields.String()
    ticked_by = fields.String(metadata={"description": "empty: not ticked"})
    ticked_at = Moment(allow_none=True)
