"""What the HTTP API takes and gives of people, schedules and policies."""

from __future__ import annotations

from marshmallow import Schema, fields

from config.schemas import Cursor, Moment, Strict, limit_field

# Taken


class OnCallQuery(Strict):
    at = Moment(load_default=None, metadata={"description": "now, if left out"})
    limit = limit_field()
    cursor = Cursor(of="oncall", position=str, load_default="")


class RespondersQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="responders", position=str, load_default="")


class SchedulesQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="schedules", position=str, load_default="")


class PoliciesQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="policies", position=str, load_default="")


# Given


class OnCallShown(Schema):
    key = fields.String(attribute="person.key")
    name = fields.String(attribute="person.name")
    until = Moment(allow_none=True, metadata={"description": "null: no end in sight"})


class ShadowShown(Schema):
    key = fields.String()
    name = fields.String()


class GapShown(Schema):
    starts_at = Moment()
    ends_at = Moment()


class WatchShown(Schema):
    key = fields.String(metadata={"description": "the schedule's"})
    timezone = fields.String()
    on_call = fields.List(fields.Nested(OnCallShown), metadata={"description": "the first rotation's person first"})
    next_change_at = Moment(allow_none=True)
    gaps = fields.List(
        fields.Nested(GapShown), metadata={"description": "when nobody is on call, in the 90 days that follow"}
    )
    shadows = fields.List(fields.Nested(ShadowShown), metadata={"description": "who learns beside them"})


class WatchPage(Schema):
    at = Moment(metadata={"description": "the moment this is true of"})
    items = fields.List(fields.Nested(WatchShown))
    next = fields.String(allow_none=True)


class ContactShown(Schema):
    channel = fields.String()
    address = fields.String(metadata={"description": "hidden in part, except one's own and for administrators"})
    disabled_reason = fields.String(metadata={"description": "empty: nothing speaks against it"})
    declared = fields.Boolean(metadata={"description": "by the file; else by the person, and used once it is verified"})
    verified_at = Moment(
        allow_none=True, metadata={"description": "when a code that went there came back; null: never"}
    )


class ResponderShown(Schema):
    key = fields.String()
    name = fields.String()
    timezone = fields.String()
    roles = fields.List(fields.String())
    active = fields.Boolean()
    contacts = fields.List(fields.Nested(ContactShown))


class ResponderPage(Schema):
    items = fields.List(fields.Nested(ResponderShown))
    next = fields.String(allow_none=True)


class RestrictionShown(Schema):
    days = fields.List(fields.String(), metadata={"description": "mon, tue, …; left out: every day"})
    from_ = fields.String(data_key="from", attribute="from", metadata={"description": "09:00; left out: all day"})
    to = fields.String(metadata={"description": "not after `from`: on the next day"})


class RotationShown(Schema):
    members = fields.List(fields.String())
    starts = fields.NaiveDateTime(
        allow_none=True,
        metadata={
            "format": "date-time-local",  # apispec would have it with an offset
            "description": "wall time in the schedule's zone, without an offset; null: a calendar says it",
        },
    )
    turn = fields.String(allow_none=True, metadata={"description": "12h, 1d, 2w, 1mo"})
    layer = fields.Integer(metadata={"description": "only the highest with somebody on duty counts"})
    restrictions = fields.List(
        fields.Nested(RestrictionShown),
        data_key="only",
        attribute="only",
        metadata={"description": "when it is on duty; empty: always"},
    )
    at_once = fields.Integer(metadata={"description": "how many have each turn together"})
    shadow = fields.Boolean(metadata={"description": "they learn: no pages, no coverage"})
    calendar = fields.String(allow_none=True, metadata={"description": "the host of the calendar that says who it is"})


class OverrideShown(Schema):
    starts_at = Moment()
    ends_at = Moment()
    responder = fields.String(allow_none=True, metadata={"description": "who takes over; null: nobody"})
    replaces = fields.String(allow_none=True, metadata={"description": "whom; null: nobody, they are added"})


class ScheduleShown(Schema):
    key = fields.String()
    timezone = fields.String()
    rotations = fields.List(fields.Nested(RotationShown))
    overrides = fields.List(fields.Nested(OverrideShown), metadata={"description": "those that have not ended"})


class SchedulePage(Schema):
    items = fields.List(fields.Nested(ScheduleShown))
    next = fields.String(allow_none=True)


class LevelShown(Schema):
    level = fields.Integer()
    after_seconds = fields.Float(metadata={"description": "from the start of the escalation"})
    page = fields.List(fields.String())
    announce = fields.List(fields.String(), metadata={"description": "URLs are hidden, except for administrators"})
    round_robin = fields.Boolean(metadata={"description": "of all whom it names, one: the next in turn"})
    during = fields.String(metadata={"description": "hours outside which it is passed over; or empty"})
    outside = fields.String(metadata={"description": "hours during which it is passed over; or empty"})
    runbook = fields.String(metadata={"description": "attached when the level fires; or empty"})


class PolicyShown(Schema):
    key = fields.String()
    repeat = fields.Integer()
    repeat_after_seconds = fields.Integer()
    ack_timeout_seconds = fields.Integer(metadata={"description": "0: whoever has it is never asked"})
    unack_after_seconds = fields.Integer()
    acknowledgements = fields.Integer(metadata={"description": "how many people must acknowledge"})
    levels = fields.List(fields.Nested(LevelShown))


class PolicyPage(Schema):
    items = fields.List(fields.Nested(PolicyShown))
    next = fields.String(allow_none=True)
