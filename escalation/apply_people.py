"""Bringing responders to what is declared; see `apply`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import durations
from config.changes import Changes
from escalation import addresses, apply_time_off, ownership
from escalation.declared_people import DeclaredResponder, default_rules
from escalation.models import ContactMethod, Origin, Owner, Responder


@dataclass(slots=True)
class _Person:
    """A stored responder, with the ways to reach them by (channel, address): those of the file, and their own."""

    row: Responder
    methods: dict[tuple[str, str], ContactMethod]
    own: dict[tuple[str, str], ContactMethod]

    def as_written(self) -> dict[str, Any]:
        return _as_written(self.row, dict(self.methods.keys()), self.row.page_by, self.row.quiet)

    def as_declared(self) -> dict[str, Any]:
        page_by = self.row.page_by if self.row.page_by_origin == Origin.DECLARED else {}
        quiet = self.row.quiet if self.row.quiet_origin == Origin.DECLARED else {}
        ways = dict(self.methods.keys())
        whole = {"apprise": ways["apprise"]} if "apprise" in ways else {}
        return _as_written(self.row, ways, page_by, quiet) | whole

    def differs(self, wanted: DeclaredResponder) -> bool:
        row = self.row
        said = (wanted.name, wanted.email, wanted.timezone, list(wanted.roles), _page_by(wanted, self))
        are = (row.name, row.email, row.timezone, row.roles, row.page_by)
        if (*said, _quiet(wanted, self), wanted.holidays) != (*are, row.quiet, row.holidays):
            return True
        return self.methods.keys() != set(wanted.ways.items())


def write(session: Session, declared: Iterable[DeclaredResponder], changes: Changes) -> None:
    stored = _stored_people(session)
    wanted = {responder.key: responder for responder in declared}
    for responder in wanted.values():
        person = stored.get(responder.key)
        if person is None or not person.row.active:
            after = _as_written(responder, responder.ways, _page_by(responder, person), _quiet(responder, person))
            changes.added(f"responder {responder.key}", f"({responder.name})", after=after)
        elif person.differs(responder):
            after = _as_written(responder, responder.ways, _page_by(responder, person), _quiet(responder, person))
            changes.changed(f"responder {responder.key}", person.as_written(), after, otherwise="contact methods")
    before = {key: person.as_written() for key, person in stored.items()}
    # All addresses that somebody gives up go first, so that two people can exchange theirs.
    for key, person in stored.items():
        if key not in wanted and person.row.owner != Owner.FILE:
            continue
        _free_addresses(session, person, wanted.get(key))
    _claim_addresses(session, stored.values(), wanted.values(), changes)
    session.flush()
    for key, person in stored.items():
        if key not in wanted and person.row.active and person.row.owner == Owner.FILE:
            person.row.active = False
            changes.removed(f"responder {key}", f"({person.row.name})", before=before[key])
    for responder in wanted.values():
        if found := stored.get(responder.key):
            ownership.take_over(found.row, f"responder {responder.key}", changes)
        _write_responder(session, stored.get(responder.key), responder)
    session.flush()


def as_written(session: Session, owners: Collection[str]) -> dict[str, Any]:
    """Those who are active, by key: what the file says of them, without what they added or set themselves."""
    people = sorted(_stored_people(session).values(), key=lambda person: person.row.key)
    time_off = apply_time_off.as_written(session)
    return {
        person.row.key: person.as_declared() | {"time_off": time_off.get(person.row.key, [])}
        for person in people
        if person.row.active and person.row.owner in owners
    }


def _stored_people(session: Session) -> dict[str, _Person]:
    """By key, in order of their making."""
    by_id = {row.id: _Person(row, {}, {}) for row in session.scalars(select(Responder).order_by(Responder.id))}
    for method in session.scalars(select(ContactMethod).order_by(ContactMethod.id)):
        person = by_id[method.responder_id]
        (person.methods if method.declared else person.own)[method.channel, method.address] = method
    return {person.row.key: person for person in by_id.values()}


def _free_addresses(session: Session, person: _Person, wanted: DeclaredResponder | None) -> None:
    kept = wanted.ways.items() if wanted else ()
    for way in [way for way in person.methods if way not in kept]:
        session.delete(person.methods.pop(way))
    if person.row.email != (wanted.email if wanted else None):
        person.row.email = None


def _claim_addresses(
    session: Session, people: Iterable[_Person], wanted: Iterable[DeclaredResponder], changes: Changes
) -> None:
    """What people added themselves stays theirs, unless the file now says whose it is."""
    declared = {way: responder for responder in wanted for way in responder.ways.items()}
    for person in people:
        for way in [way for way in person.own if way in declared]:
            method, owner = person.own.pop(way), declared[way]
            if owner.key == person.row.key:
                method.declared = True
                person.methods[way] = method
                continue
            session.delete(method)
            said = f"{way[0]} to {way[1]}, which {person.row.name} had added, is {owner.name}'s by the file"
            changes.told(f"responder {person.row.key}", said)


def _write_responder(session: Session, person: _Person | None, wanted: DeclaredResponder) -> None:
    row = person.row if person else Responder(key=wanted.key)
    row.name = wanted.name
    row.email = wanted.email
    row.timezone = wanted.timezone
    row.roles = list(wanted.roles)
    row.page_by = _page_by(wanted, person)
    row.quiet = _quiet(wanted, person)
    row.page_by_origin = _origin(row.page_by_origin, wanted.declares_rules)
    row.quiet_origin = _origin(row.quiet_origin, wanted.declares_quiet)
    row.holidays = wanted.holidays
    row.active = True
    session.add(row)
    if person is None:
        session.flush()  # for its id
    kept = person.methods if person else {}
    session.add_all(
        ContactMethod(responder_id=row.id, channel=channel, address=address)
        for channel, address in wanted.ways.items()
        if (channel, address) not in kept
    )


def _page_by(wanted: DeclaredResponder, person: _Person | None) -> dict[str, Any]:
    """As it is stored. What the file leaves open is the person's own to say, and else goes by the ways there are."""
    if person is not None and not wanted.declares_rules:
        if person.row.page_by_origin == Origin.OWN:
            return person.row.page_by
        return default_rules([*wanted.ways, *(way[0] for way, method in person.own.items() if method.verified_at)])
    return {urgency: [step.to_json() for step in steps] for urgency, steps in wanted.page_by.items()}


def _quiet(wanted: DeclaredResponder, person: _Person | None) -> dict[str, Any]:
    """As it is stored."""
    if person is not None and not wanted.declares_quiet and person.row.quiet_origin == Origin.OWN:
        return person.row.quiet
    return dict(wanted.quiet.to_json()) if wanted.quiet else {}


def _origin(before: str, declared: bool) -> str:
    if declared:
        return Origin.DECLARED
    return before if before == Origin.OWN else Origin.DEFAULT


def _as_written(
    person: Responder | DeclaredResponder,
    ways: Mapping[str, str],
    page_by: Mapping[str, Any],
    quiet: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "name": person.name,
        "email": person.email,
        "timezone": person.timezone,
        "roles": list(person.roles),
        "slack": ways.get("slack"),
        "phone": ways.get("sms"),
        "apprise": addresses.shown("apprise", ways["apprise"]) if "apprise" in ways else None,
        "page_by": {
            urgency: [
                {"after": durations.to_text(step["after_seconds"])}
                | {key: step[key] for key in ("by", "from", "to") if key in step}
                for step in steps
            ]
            for urgency, steps in page_by.items()
        },
        "quiet": dict(quiet),
        "holidays": person.holidays,
    }
