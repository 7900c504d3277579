"""What the HTTP API takes and gives of post-incident reviews. `class` is `incident_class` outside the API."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from config.schemas import Cursor, Moment, Strict, Text, limit_field
from incidents import noting
from incidents.reviews import publishing
from incidents.schemas import PersonShown


class ReviewsQuery(Strict):
    state = fields.String(validate=validate.OneOf((publishing.DRAFT, publishing.PUBLISHED)), load_default="")
    limit = limit_field()
    cursor = Cursor(of="reviews", position=int, load_default=None)


class PublishBody(Strict):
    url = Text(
        characters_max=publishing.URL_CHARACTERS_MAX,
        load_default="",
        metadata={"description": "where the finished text is: an https or http address"},
    )
    note = Text(characters_max=noting.NOTE_CHARACTERS_MAX, load_default="")


class WithdrawBody(Strict):
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)


class ReviewLine(Schema):
    number = fields.Integer(metadata={"description": "the incident's"})
    title = fields.String()
    incident_class = fields.String(data_key="class")
    severity = fields.String()
    service = fields.String()
    state = fields.String()
    owner = fields.Nested(PersonShown, allow_none=True)
    opened_at = Moment()
    due_at = Moment(allow_none=True, metadata={"description": "24 hours after resolution; null before it"})
    overdue = fields.Boolean(metadata={"description": "due, and not published"})
    published_at = Moment(allow_none=True, metadata={"description": "null: it is a draft"})
    published_by = fields.String()
    document_url = fields.String(metadata={"description": "where the finished text is; may be empty"})
    sections_written = fields.Integer()
    url = fields.String()


class ReviewPage(Schema):
    items = fields.List(fields.Nested(ReviewLine))
    next = fields.String(allow_none=True)
