"""The HTTP API of a person's own contact methods and rules. There is no way to anybody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from config import auth
from config.database import Database
from config.errors import InvalidInputError
from config.routes import Routes
from config.schemas import NUMBER_MAX, paged_whole
from escalation import contacts, own_rules, schemas_me
from escalation.contacts import Contact, Told

CONTACT = f"/me/contacts/<int(max={NUMBER_MAX}):number>"
WRITTEN = {"begins": "from", "ends": "to"}  # as the file names it


def add(routes: Routes, database: Database, clock: Callable[[], datetime], wake: Callable[[], None]) -> None:
    _contacts(routes, database, clock)
    _sending(routes, database, clock, wake)
    _rules(routes, database, clock)


def _contacts(routes: Routes, database: Database, clock: Callable[[], datetime]) -> None:
    @routes.get("/me/contacts", query=schemas_me.ContactsQuery, gives=schemas_me.OwnContacts, refuses=[403])
    def own_contacts(query: dict[str, Any]) -> dict[str, Any]:
        """Your own contact methods, those of the file among them."""
        with database.reading() as session:
            found = contacts.own(session, auth.acting("api"), clock())
        return paged_whole(found, query, "contacts", lambda contact: contact.id)

    @routes.post("/me/contacts", takes=schemas_me.ContactTaken, gives=schemas_me.OwnContact, refuses=[429])
    def add_contact(body: dict[str, str]) -> Contact:
        """Add a way to reach you. It is used once you have confirmed it with a code."""
        who, now = auth.acting("api"), clock()
        with database.transaction() as session:
            made = contacts.add(session, who, body["channel"], body["address"], now)
            return next(each for each in contacts.own(session, who, now) if each.id == made.id)

    @routes.post(f"{CONTACT}/verify", takes=schemas_me.CodeTaken, gives=schemas_me.Told)
    def verify_contact(body: dict[str, str], number: int) -> Told:
        """Confirm a contact method with the code that went there."""
        with database.transaction() as session:
            told = contacts.confirm(session, auth.acting("api"), number, body["code"], clock())
        if not told.changed:  # raised only now: the wrong try is counted
            raise InvalidInputError(told.sentence, fields={"code": told.sentence})
        return told

    @routes.delete(CONTACT, gives=schemas_me.Told)
    def remove_contact(number: int) -> Told:
        """Remove a contact method that you added."""
        with database.transaction() as session:
            return contacts.remove(session, auth.acting("api"), number, clock())


def _sending(routes: Routes, database: Database, clock: Callable[[], datetime], wake: Callable[[], None]) -> None:
    @routes.post(f"{CONTACT}/code", takes=schemas_me.NoBody, gives=schemas_me.Told, refuses=[429])
    def send_code(_body: dict[str, Any], number: int) -> Told:
        """Have a code sent there: one a minute and 5 an hour."""
        with database.transaction() as session:
            told = contacts.send_code(session, auth.acting("api"), number, clock())
        wake()
        return told

    @routes.post(f"{CONTACT}/test", takes=schemas_me.NoBody, gives=schemas_me.Told, refuses=[429])
    def send_test(_body: dict[str, Any], number: int) -> Told:
        """Have a test page sent there: 5 an hour. Its result is shown with the contact method."""
        with database.transaction() as session:
            told = contacts.send_test(session, auth.acting("api"), number, clock())
        wake()
        return told


def _rules(routes: Routes, database: Database, clock: Callable[[], datetime]) -> None:
    @routes.get("/me/rules", gives=schemas_me.OwnRules, refuses=[403])
    def rules() -> dict[str, Any]:
        """How you are paged (high) and notified (low), and your quiet hours."""
        with database.reading() as session:
            return asdict(own_rules.of(session, auth.acting("api")))

    @routes.put("/me/rules", takes=schemas_me.RulesTaken, gives=schemas_me.OwnRules)
    def change_rules(body: dict[str, Any]) -> dict[str, Any]:
        """Change them where the configuration file does not declare them."""
        with database.transaction() as session:
            return asdict(own_rules.change(session, auth.acting("api"), _as_written(body), clock()))


def _as_written(value: Any) -> Any:
    """With the names that the file uses."""
    if isinstance(value, Mapping):
        return {WRITTEN.get(key, key): _as_written(each) for key, each in value.items()}
    return [_as_written(each) for each in value] if isinstance(value, list) else value
