"""What the HTTP API takes and gives of silences."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from marshmallow import Schema, fields, validate

from config.errors import InvalidInputError
from config.schemas import Cursor, Moment, Strict, Text, limit_field
from escalation.declared_names import TIME_OF_DAY
from escalation.oncall import public_holidays
from escalation.oncall.hours import ALL_DAYS, DAYS, Hours, Window
from escalation.oncall.schedules import zone_names
from incidents import noting, silence_queries, silencing
from incidents.schemas_hands import KEY_CHARACTERS_MAX, Span
from incidents.silencing import Silence

TIME_CHARACTERS_MAX = 5
ZONE_CHARACTERS_MAX = 64
PLACE_CHARACTERS_MAX = 16


class SilencesQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="silences", position=int, load_default=None)
    state = fields.String(
        load_default="",
        validate=validate.OneOf(silence_queries.STATES),
        metadata={"description": "going_on, to_come (one that recurs, between two times, too) or over"},
    )


class Repeats(Strict):
    """At hours of the week by the clocks of a zone; over midnight if `to` is not after `from`."""

    days = fields.List(
        fields.String(validate=validate.OneOf(DAYS)),
        load_default=list,
        metadata={"description": "those it begins on; none: each"},
    )
    begins = Text(required=True, characters_max=TIME_CHARACTERS_MAX, data_key="from")
    ends = Text(required=True, characters_max=TIME_CHARACTERS_MAX, data_key="to")
    timezone = Text(required=True, characters_max=ZONE_CHARACTERS_MAX)
    weeks = fields.List(
        fields.Integer(strict=True, validate=validate.Range(silencing.WEEKS[0], silencing.WEEKS[-1])),
        load_default=list,
        metadata={"description": "of the month: 2 with tue is the second Tuesday; none: each"},
    )
    holidays = Text(
        characters_max=PLACE_CHARACTERS_MAX,
        load_default="",
        metadata={"description": "the place whose public holidays are left out"},
    )


class SilenceBody(Strict):
    """Services, labels and title must all fit; at least one of them must say something."""

    services = fields.List(Text(characters_max=KEY_CHARACTERS_MAX), load_default=list)
    labels = fields.Dict(
        keys=Text(characters_max=silencing.PATTERN_CHARACTERS_MAX),
        values=Text(characters_max=silencing.PATTERN_CHARACTERS_MAX),
        load_default=dict,
        metadata={"description": "label to pattern; * stands for anything"},
    )
    title = Text(characters_max=silencing.PATTERN_CHARACTERS_MAX, load_default="")
    reason = Text(required=True, characters_max=noting.REASON_CHARACTERS_MAX)
    starts_at = Moment(load_default=None, metadata={"description": "now, if it is left out"})
    ends_at = Moment(load_default=None)
    duration = Span(load_default=None, metadata={"type": "string", "description": "such as 2h, in place of ends_at"})
    repeats = fields.Nested(Repeats, load_default=None, allow_none=True)


class ExtendSilenceBody(Strict):
    """One of the two; `duration` counts from now."""

    ends_at = Moment(load_default=None)
    duration = Span(load_default=None, metadata={"type": "string", "description": "such as 2h"})


class RepeatsShown(Schema):
    days = fields.List(fields.String())
    begins = fields.Function(lambda row: row["from"], data_key="from", metadata={"type": "string"})
    ends = fields.Function(lambda row: row["to"], data_key="to", metadata={"type": "string"})
    timezone = fields.String()
    weeks = fields.List(fields.Integer())
    holidays = fields.String()


class SilenceShown(Schema):
    id = fields.Integer()
    name = fields.String(metadata={"description": "its key in the declared file; empty: a person's"})
    state = fields.String(metadata={"description": "going_on, to_come or over"})
    services = fields.List(fields.String())
    labels = fields.Dict()
    title = fields.String()
    reason = fields.String()
    starts_at = Moment()
    ends_at = Moment(allow_none=True, metadata={"description": "null: it recurs until it is ended"})
    repeats = fields.Nested(RepeatsShown, allow_none=True)
    until = Moment(allow_none=True, metadata={"description": "while it goes on: when it stops"})
    next_at = Moment(allow_none=True, metadata={"description": "when it goes on next, if it does not now"})
    created_by = fields.String()
    created_at = Moment()
    ended_at = Moment(allow_none=True)
    ended_by = fields.String()
    holding = fields.Integer(metadata={"description": "how many incidents it holds back now"})
    held = fields.Integer(metadata={"description": "how many it ever held back"})


class IncidentHeld(Schema):
    number = fields.Integer()
    title = fields.String()
    severity = fields.String()
    status = fields.String()
    since = Moment()
    until = Moment()
    ended_at = Moment(allow_none=True)
    outcome = fields.String(
        metadata={"description": "empty: held still; released, acknowledged, resolved, overridden or replaced"}
    )


class SilenceDetail(SilenceShown):
    incidents = fields.List(fields.Nested(IncidentHeld), metadata={"description": "that it held, the newest first"})


class SilenceMade(SilenceDetail):
    holds_now = fields.Integer(metadata={"description": "how many open incidents it fits"})


class SilencePage(Schema):
    items = fields.List(fields.Nested(SilenceShown))
    next = fields.String(allow_none=True)


def value(body: dict[str, Any], now: datetime) -> Silence:
    """Raises InvalidInputError for times that cannot be read; whether it may be made, `maintaining` says."""
    starts_at = body["starts_at"] or now
    return Silence(
        services=tuple(dict.fromkeys(body["services"])),
        labels=body["labels"],
        title=body["title"].strip(),
        starts_at=starts_at,
        ends_at=end_of(body, starts_at),
        hours=_hours(body["repeats"]) if body["repeats"] else None,
        weeks=tuple(sorted(set(body["repeats"]["weeks"]))) if body["repeats"] else (),
    )


def end_of(body: dict[str, Any], since: datetime) -> datetime | None:
    if body["ends_at"] is not None and body["duration"] is not None:
        raise InvalidInputError("Give one of ends_at and duration.", fields={"ends_at": "or duration; not both"})
    end: datetime | None = body["ends_at"]
    return end if body["duration"] is None else since + timedelta(seconds=body["duration"])


def _hours(repeats: dict[str, Any]) -> Hours:
    wrong: dict[str, str] = {}
    if repeats["timezone"] not in zone_names():
        wrong["repeats.timezone"] = "is not a time zone such as Europe/Lisbon"
    for field, name in (("begins", "from"), ("ends", "to")):
        if not TIME_OF_DAY.fullmatch(repeats[field]):
            wrong[f"repeats.{name}"] = "is not a time of day such as 09:00"
    place = repeats["holidays"].strip().upper()
    if place and (problem := public_holidays.place_problem(place)):
        wrong["repeats.holidays"] = problem
    if wrong:
        raise InvalidInputError("The times cannot be read.", fields=wrong)
    days = sorted({DAYS.index(day) for day in repeats["days"]})
    window = Window(time.fromisoformat(repeats["begins"]), time.fromisoformat(repeats["ends"]))
    return Hours("", repeats["timezone"], window, tuple(days) or ALL_DAYS, place)
