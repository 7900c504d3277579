"""Browser sessions: who signed in, until when, and by which password.

A session is a signed cookie that names a person, the second they signed in and a fingerprint of their password's
hash. It ends after 12 hours, when the password changes, and when the person is no longer active.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Protocol

import flask_login
from flask import Flask, current_app, session
from sqlalchemy.orm import Session

from config.database import Database
from config.security import SESSION_HOURS

_LIFETIME = timedelta(hours=SESSION_HOURS)
_EXTENSION = "tocsin_sessions"
_NAME = "name"
_TICKET = re.compile(r"[0-9]{1,18}\.([0-9]{1,11})\.[0-9a-f]{32}")


class Person(Protocol):
    """What the edge needs to know of a responder."""

    @property
    def id(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def roles(self) -> Sequence[str]: ...
    @property
    def active(self) -> bool: ...

    password_hash: str | None


class People(Protocol):
    """Where the edge looks people up: `by_email` finds active ones only. Rows stay readable after their transaction."""

    def by_id(self, session: Session, responder_id: int, /) -> Person | None: ...
    def by_email(self, session: Session, email: str, /) -> Person | None: ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What Flask-Login calls a user."""

    person: Person
    ticket: str

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        return self.ticket


@dataclass(frozen=True, slots=True)
class Sessions:
    database: Database
    people: People
    secret_key: str
    clock: Callable[[], datetime]

    def ticket(self, person: Person) -> str:
        return f"{person.id}.{int(self.clock().timestamp())}.{self._fingerprint(person)}"

    def load(self, ticket: str) -> SignedIn | None:
        if self.is_over(ticket):
            return None
        responder_id, _, fingerprint = ticket.split(".")
        with self.database.reading() as reading:
            person = self.people.by_id(reading, int(responder_id))
        if person is None or not person.active or not hmac.compare_digest(fingerprint, self._fingerprint(person)):
            return None
        return SignedIn(person, ticket)

    def is_over(self, ticket: str) -> bool:
        """Also for a ticket that another version of Tocsin signed in another form: its owner signs in again."""
        found = _TICKET.fullmatch(ticket)
        return found is None or self.clock() - datetime.fromtimestamp(int(found[1]), UTC) >= _LIFETIME

    def _fingerprint(self, person: Person) -> str:
        # The cookie can be read by its owner: keyed, so that it tells nothing of the hash.
        told = f"session of {person.id} by {person.password_hash or ''}"
        return hmac.new(self.secret_key.encode(), told.encode(), hashlib.sha256).hexdigest()[:32]


def install(app: Flask, database: Database, people: People, *, secret_key: str, clock: Callable[[], datetime]) -> None:
    app.secret_key = secret_key
    kept = app.extensions[_EXTENSION] = Sessions(database, people, secret_key, clock)
    login = flask_login.LoginManager()
    login.session_protection = None  # it ends a session whose address changes, as a phone's does on its way
    login.user_loader(kept.load)
    # Its context processor would ask the database in every template, the one for "database away" included.
    login.init_app(app, add_context_processor=False)


def sign_in(person: Person) -> None:
    """Begins a new session. Nothing of the one before is kept: somebody else may have planted it."""
    session.clear()
    session.permanent = True
    session[_NAME] = person.name
    flask_login.login_user(SignedIn(person, _kept().ticket(person)))


def sign_out() -> None:
    flask_login.logout_user()
    session.clear()


def signed_in() -> Person | None:
    """Asks the database."""
    found: Person | None = getattr(flask_login.current_user, "person", None)
    return found


def name_by_cookie_alone() -> str | None:
    """Who signed in, as far as that can be told while the database is away: a changed password is not noticed."""
    ticket = session.get("_user_id")
    return None if ticket is None or _kept().is_over(ticket) else session.get(_NAME)


def _kept() -> Sessions:
    kept: Sessions = current_app.extensions[_EXTENSION]
    return kept
