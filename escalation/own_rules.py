"""How a person wants to be paged: their own steps for each urgency, and their quiet hours.

Read by the same readers as tocsin.yaml, so that a rule means one thing wherever it is written. What the file declares
is the file's; what it leaves open is the person's to say.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from config import audit, declaration, durations, fields
from config.actor import Actor
from config.changes import Changes
from config.declaration import DeclarationError, Problems
from config.errors import ConflictError, InvalidInputError
from config.fields import Fields
from escalation import declared_people, oneself, responders
from escalation.declared_people import URGENCIES
from escalation.models import Origin, Responder

READ_ONLY = "{} declared in the configuration file, and can be changed only there. Ask an administrator."
Step = dict[str, str]  # {"after": "1m", "by": "sms"}, and "from" and "to"


@dataclass(frozen=True, slots=True)
class OwnRules:
    """As the file writes them."""

    high: list[Step]
    low: list[Step]
    quiet: dict[str, str]  # {"from": "22:00", "to": "07:00"}, or empty
    timezone: str  # whose clocks all times of the day are told by
    rules_origin: Origin
    quiet_origin: Origin
    ways: tuple[str, ...]  # that a step may use


def of(session: Session, who: Actor) -> OwnRules:
    person = oneself.person(session, who)
    return OwnRules(
        high=_as_written(person.page_by.get("high", ())),
        low=_as_written(person.page_by.get("low", ())),
        quiet=dict(person.quiet),
        timezone=person.timezone,
        rules_origin=Origin(person.page_by_origin),
        quiet_origin=Origin(person.quiet_origin),
        ways=_ways(session, person),
    )


def change(session: Session, who: Actor, wanted: Mapping[str, Any], now: datetime) -> OwnRules:
    """`wanted` may hold `high` and `low` (steps as the file writes them; none: the usual ones) and `quiet` (none: no
    quiet hours); what it does not hold stays as it is.

    Raises ConflictError for what the file declares, and InvalidInputError with every problem by its field.
    """
    person = oneself.person(session, who, lock=True)
    before = of(session, who)
    _refuse_declared(person, wanted)
    ways = before.ways
    asked = {key: value for key, value in wanted.items() if value}
    found = _read(asked, person.name, ways)
    if set(URGENCIES) & wanted.keys():
        usual = declared_people.default_rules(ways)
        kept = {urgency: person.page_by.get(urgency, []) for urgency in URGENCIES}
        said = {urgency: found[urgency] or usual[urgency] for urgency in URGENCIES if urgency in wanted}
        person.page_by = kept | said
        person.page_by_origin = Origin.DEFAULT if person.page_by == usual else Origin.OWN
    if "quiet" in wanted:
        person.quiet = found["quiet"]
        person.quiet_origin = Origin.OWN if person.quiet else Origin.DEFAULT
    session.flush()
    after = of(session, who)
    if after != before:
        _audit(session, who, before, after, now)
    return after


def follow_ways(session: Session, person: Responder) -> None:
    """Somebody who has said nothing goes by the ways they have, and those have changed."""
    if person.page_by_origin == Origin.DEFAULT:
        person.page_by = declared_people.default_rules(_ways(session, person))


def _refuse_declared(person: Responder, wanted: Mapping[str, Any]) -> None:
    if set(URGENCIES) & wanted.keys() and person.page_by_origin == Origin.DECLARED:
        raise ConflictError(READ_ONLY.format("Your rules are"))
    if "quiet" in wanted and person.quiet_origin == Origin.DECLARED:
        raise ConflictError(READ_ONLY.format("Your quiet hours are"))


def _read(asked: Mapping[str, Any], name: str, ways: Collection[str]) -> dict[str, Any]:
    """Through the readers of the file, as they are stored."""
    try:
        document = declaration.read_text(json.dumps(asked, ensure_ascii=False), env={}, file_name="your rules")
        problems = Problems(document)
        section: Fields = fields.root(document, problems)
        steps = {urgency: declared_people.steps(section, urgency, name, ways) for urgency in URGENCIES}
        quiet = declared_people.quiet_hours(section)
        document.refuse_unread(problems)
        problems.raise_if_any()
    except DeclarationError as refused:
        found = {problem.where or "rules": problem.message for problem in refused.problems}
        raise InvalidInputError("These rules cannot be used.", fields=found) from refused
    return {urgency: [step.to_json() for step in each] for urgency, each in steps.items()} | {
        "quiet": dict(quiet.to_json()) if quiet else {}
    }


def _ways(session: Session, person: Responder) -> tuple[str, ...]:
    return tuple(responders.addresses_of(session, person.id))


def _as_written(steps: Collection[Mapping[str, Any]]) -> list[Step]:
    return [
        {"after": durations.to_text(step["after_seconds"])}
        | {key: str(step[key]) for key in ("by", "from", "to") if key in step}
        for step in steps
    ]


def _audit(session: Session, who: Actor, before: OwnRules, after: OwnRules, now: datetime) -> None:
    told = [{"page_by": {"high": each.high, "low": each.low}, "quiet": each.quiet} for each in (before, after)]
    changes = Changes()
    changes.changed(f"responder {who.key}", *told, otherwise="rules")
    audit.note_all(session, changes, actor=who.name, via=who.via, now=now)
