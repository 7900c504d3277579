"""What the HTTP API takes and gives of the audit."""

from __future__ import annotations

from marshmallow import Schema, fields

from config.schemas import Cursor, Moment, Strict, Text, limit_field


class AuditQuery(Strict):
    what = Text(
        characters_max=200, load_default="", metadata={"description": "of one thing only, such as `schedule primary`"}
    )
    limit = limit_field()
    cursor = Cursor(of="audit", position=int, load_default=0)


class AuditShown(Schema):
    id = fields.Integer()
    at = Moment()
    actor = fields.String(metadata={"description": "a person, a program, or the file and who applied it"})
    via = fields.String(metadata={"description": "web, api, cli or file"})
    action = fields.String(metadata={"description": "added, changed or removed"})
    what = fields.String(metadata={"description": "the thing, as `schedule primary`"})
    text = fields.String(metadata={"description": "what happened, in lines for people"})
    before = fields.Dict(allow_none=True, metadata={"description": "as the file writes it; null: it was not there"})
    after = fields.Dict(allow_none=True, metadata={"description": "as the file writes it; null: it is gone"})


class AuditPage(Schema):
    items = fields.List(fields.Nested(AuditShown))
    next = fields.String(allow_none=True)
