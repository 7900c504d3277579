"""What the HTTP API takes and gives of changes to who is on call: overrides, time off, swaps, shifts, gaps, feeds."""

from __future__ import annotations

from marshmallow import Schema, fields

from config.schemas import Cursor, Moment, Strict, Text, limit_field
from escalation.oncall.changes import REASON_CHARACTERS_MAX

KEY_CHARACTERS_MAX = 64
TIME = "RFC 3339, or without an offset a time on the clocks of `timezone`"


def _key(description: str, *, required: bool = False) -> Text:
    if required:
        return Text(characters_max=KEY_CHARACTERS_MAX, required=True, metadata={"description": description})
    return Text(
        characters_max=KEY_CHARACTERS_MAX, load_default=None, allow_none=True, metadata={"description": description}
    )


def _time(description: str = TIME, *, required: bool = True) -> Text:
    if required:
        return Text(characters_max=40, required=True, metadata={"description": description})
    return Text(characters_max=40, load_default=None, allow_none=True, metadata={"description": description})


def _zone(whose: str) -> Text:
    return Text(characters_max=64, load_default="", metadata={"description": f"IANA name; {whose} if left out"})


# Taken


class SwapDecisionTaken(Strict):
    """No body, or an empty object."""


class OverrideTaken(Strict):
    responder = _key("who is added, or takes over; null takes `replaces` off")
    replaces = _key("whose turns; null adds `responder` beside the others")
    starts_at = _time()
    ends_at = _time()
    timezone = _zone("the schedule's")
    reason = Text(characters_max=REASON_CHARACTERS_MAX, load_default="")


class TimeOffTaken(Strict):
    starts_at = _time(f"{TIME}; or a date, from its beginning")
    ends_at = _time(f"{TIME}; or a date, the last day")
    timezone = _zone("the person's own")
    reason = Text(characters_max=REASON_CHARACTERS_MAX, load_default="")


class SwapTaken(Strict):
    schedule = _key("", required=True)
    other = _key("who is asked to take your time", required=True)
    gives_starts_at = _time()
    gives_ends_at = _time()
    takes_starts_at = _time("what you would take of theirs; nothing if left out", required=False)
    takes_ends_at = _time(required=False)
    timezone = _zone("the schedule's")


class FeedTaken(Strict):
    schedule = _key("whose shifts; your own on every schedule if left out")


class OverridesQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="overrides", position=str, load_default=None)


class TimeOffQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="time-off", position=str, load_default=None)


class CoverageQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="coverage", position=str, load_default=None)


class FeedsQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="feeds", position=int, load_default=None)


class ShiftsQuery(Strict):
    """A cursor keeps the times that its list began with."""

    since = Moment(load_default=None, metadata={"description": "now, if left out"})
    until = Moment(load_default=None, metadata={"description": "30 days after since, if left out; at most 400"})
    limit = limit_field()
    cursor = Cursor(of="shifts", position=str, load_default=None)


class SwapsQuery(Strict):
    all = fields.Boolean(load_default=False, metadata={"description": "everybody's, not only your own"})
    limit = limit_field()
    cursor = Cursor(of="swaps", position=int, load_default=None)


# Given


class OverrideGiven(Schema):
    id = fields.Integer()
    schedule = fields.String()
    responder = fields.String(allow_none=True)
    replaces = fields.String(allow_none=True)
    starts_at = Moment()
    ends_at = Moment()
    reason = fields.String()
    sentence = fields.String()


class Overrides(Schema):
    items = fields.List(fields.Nested(OverrideGiven))
    next = fields.String(allow_none=True)


class OnCallChangeDone(Schema):
    sentence = fields.String()


class TimeOffGiven(Schema):
    id = fields.Integer()
    responder = fields.String()
    starts_at = Moment()
    ends_at = Moment()
    reason = fields.String()
    declared = fields.Boolean(metadata={"description": "by the file, which alone takes it back"})


class TimesOff(Schema):
    items = fields.List(fields.Nested(TimeOffGiven))
    next = fields.String(allow_none=True)


class SwapGiven(Schema):
    id = fields.Integer()
    schedule = fields.String()
    proposer = fields.String()
    other = fields.String()
    gives_starts_at = Moment()
    gives_ends_at = Moment()
    takes_starts_at = Moment(allow_none=True)
    takes_ends_at = Moment(allow_none=True)
    state = fields.String(metadata={"description": "proposed, confirmed, declined, withdrawn"})
    created_at = Moment()
    decided_at = Moment(allow_none=True)


class Swaps(Schema):
    items = fields.List(fields.Nested(SwapGiven))
    next = fields.String(allow_none=True)


class ShiftGiven(Schema):
    schedule = fields.String()
    responder = fields.String()
    name = fields.String()
    starts_at = Moment(metadata={"description": "not before since"})
    ends_at = Moment(metadata={"description": "not after until"})
    shadow = fields.Boolean(metadata={"description": "learns, and is not paged"})


class Shifts(Schema):
    since = Moment()
    until = Moment()
    items = fields.List(fields.Nested(ShiftGiven))
    next = fields.String(allow_none=True)


class GapGiven(Schema):
    schedule = fields.String()
    starts_at = Moment()
    ends_at = Moment()
    regular = fields.Boolean(metadata={"description": "comes again each week"})


class Coverage(Schema):
    until = Moment(metadata={"description": "how far was looked"})
    items = fields.List(fields.Nested(GapGiven))
    next = fields.String(allow_none=True)


class FeedGiven(Schema):
    id = fields.Integer()
    schedule = fields.String(allow_none=True, metadata={"description": "null: your own shifts"})
    created_at = Moment()
    url = fields.String(allow_none=True, metadata={"description": "told once, when it is made"})


class Feeds(Schema):
    items = fields.List(fields.Nested(FeedGiven))
    next = fields.String(allow_none=True)
