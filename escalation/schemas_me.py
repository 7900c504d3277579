"""What the HTTP API takes and gives of a person's own: contact methods and rules."""

from __future__ import annotations

from marshmallow import Schema, fields

from config.schemas import Cursor, Moment, Strict, Text, limit_field

# Taken


class NoBody(Strict):
    """No body, or an empty object."""


class ContactTaken(Strict):
    channel = Text(characters_max=32, required=True, metadata={"description": "sms, voice, email or slack"})
    address = Text(characters_max=320, required=True, metadata={"description": "as tocsin.yaml writes it"})


class CodeTaken(Strict):
    code = Text(characters_max=20, required=True)


class StepTaken(Strict):
    after = Text(characters_max=20, required=True, metadata={"description": "a duration such as 90s or 5m"})
    by = Text(characters_max=32, required=True, metadata={"description": "a channel"})
    begins = Text(characters_max=10, data_key="from", metadata={"description": "22:00, on one's own clocks"})
    ends = Text(characters_max=10, data_key="to")


class HoursTaken(Strict):
    begins = Text(characters_max=10, data_key="from", required=True)
    ends = Text(characters_max=10, data_key="to", required=True)


class RulesTaken(Strict):
    """What is left out stays as it is."""

    high = fields.List(
        fields.Nested(StepTaken), allow_none=True, metadata={"description": "for pages; null or empty: the usual steps"}
    )
    low = fields.List(
        fields.Nested(StepTaken),
        allow_none=True,
        metadata={"description": "for notifications; null or empty: the usual step"},
    )
    quiet = fields.Nested(HoursTaken, allow_none=True, metadata={"description": "null: no quiet hours"})


# Given


class DeliveryShown(Schema):
    state = fields.String(metadata={"description": "queued, sent or failed"})
    queued_at = Moment()
    sent_at = Moment(allow_none=True)
    error = fields.String(metadata={"description": "why it failed, or is being tried again"})


class OwnContact(Schema):
    id = fields.Integer()
    channel = fields.String()
    address = fields.String()
    declared = fields.Boolean(metadata={"description": "by the file: it can't be removed here"})
    verified_at = Moment(
        allow_none=True, metadata={"description": "when a code that went there came back; null: never"}
    )
    disabled_reason = fields.String()
    in_use = fields.Boolean(metadata={"description": "what goes to you on this channel goes there"})
    code_expires_at = Moment(allow_none=True, metadata={"description": "null: no code is out"})
    code = fields.Nested(DeliveryShown, allow_none=True, metadata={"description": "how the newest code was sent"})
    test = fields.Nested(DeliveryShown, allow_none=True, metadata={"description": "how the newest test page was sent"})


class ContactsQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="contacts", position=int, load_default=None)


class OwnContacts(Schema):
    items = fields.List(fields.Nested(OwnContact))
    next = fields.String(allow_none=True)


class Told(Schema):
    changed = fields.Boolean()
    sentence = fields.String()


class OwnRules(Schema):
    high = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))
    low = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))
    quiet = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "empty: none"})
    timezone = fields.String(metadata={"description": "whose clocks the times of day are told by"})
    rules_origin = fields.String(metadata={"description": "declared (read-only here), default or own"})
    quiet_origin = fields.String(metadata={"description": "declared (read-only here), default or own"})
    ways = fields.List(fields.String(), metadata={"description": "channels that a step may use"})
