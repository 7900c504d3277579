"""Who is calling, and what they may do.

Deny by default: a route answers a known caller only, unless it is marked `@auth.public`; and a caller who may only
read is kept from everything but reading. A caller is a responder or a program. Programs, and responders' own
scripts, send `Authorization: Bearer TOKEN`; a browser has a session (`config.sessions`), whose writing requests must
carry the form token too. A request with a bearer token is judged by that alone: its session is not looked at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeVar

from flask import Flask, current_app, g, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import http, ids, passwords, security, sessions
from config.actor import Actor
from config.auth_models import ApiToken
from config.database import Database
from config.errors import InvalidInputError, NotAllowedError, NotSignedInError
from config.sessions import People, Person

ROLES = ("responder", "manager", "keeper", "admin", "observer")
# Which roles a verb takes. An admin who is no keeper cannot approve: governance is not a matter of operating Tocsin.
MAY: Mapping[str, frozenset[str]] = {
    "read": frozenset(ROLES),
    "act": frozenset({"responder", "manager", "keeper", "admin"}),
    "approve": frozenset({"keeper"}),
    "administer": frozenset({"admin"}),
}
FOR_PEOPLE_ONLY = frozenset({"approve"})  # nobody lends their judgement to a program
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
NAME_CHARACTERS_MAX = 200

_EXTENSION = "tocsin_auth"
_WITHOUT_DATABASE = "tocsin_readable_without_database"

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")

public = security.public  # `@auth.public`, beside `@auth.requires(...)`


@dataclass(frozen=True, slots=True)
class Caller:
    responder_id: int | None  # None for a program, and for who is let in on their cookie alone
    key: str  # the responder's; "" where there is no id
    name: str
    roles: frozenset[str]
    kind: str = "responder"  # or program

    def may(self, verb: str) -> bool:
        return bool(self.roles & MAY[verb]) and (self.kind == "responder" or verb not in FOR_PEOPLE_ONLY)


@dataclass(frozen=True, slots=True)
class _Register:
    """Where callers are looked up."""

    database: Database
    people: People


def install(app: Flask, database: Database, people: People, *, secret_key: str, clock: Callable[[], datetime]) -> None:
    passwords.prepare()
    sessions.install(app, database, people, secret_key=secret_key, clock=clock)
    app.extensions[_EXTENSION] = _Register(database, people)
    app.before_request(_let_in)
    # Who has been recognised by now; a template never asks the database.
    app.context_processor(lambda: {"caller": g.get("caller")})


def readable_without_database(what: security.Markable) -> security.Markable:
    """Mark what can be shown while the database is away. A signed-in browser is then let in to read on its cookie
    alone: what helps most at that moment must not wait for the database."""
    return security.mark(what, _WITHOUT_DATABASE)


def caller() -> Caller:
    """Raises NotSignedInError on a public route that nobody known has called."""
    who = caller_or_none()
    if who is None:
        raise NotSignedInError("Sign in, or send an API token as `Authorization: Bearer TOKEN`.")
    return who


def caller_or_none() -> Caller | None:
    """None for a stranger. Raises NotSignedInError for credentials that are not good."""
    if "caller" not in g:
        token = _bearer_token()
        g.caller = _by_session() if token is None else _by_token(token)
    found: Caller | None = g.caller
    return found


def acting(via: str) -> Actor:
    """The caller as verbs know them."""
    who = caller()
    return Actor(who.name, who.kind, who.responder_id, who.key, who.roles, via)


def require(verb: str) -> Caller:
    """The caller, who may do this; else NotAllowedError. `verb` is one of MAY."""
    who = caller()
    if who.kind != "responder" and verb in FOR_PEOPLE_ONLY:
        raise NotAllowedError(f"This takes a person; {who.name} is a program.")
    if not who.may(verb):
        raise _not_allowed(who, MAY[verb])
    return who


def require_role(*roles: str) -> Caller:
    """The caller, who has one of these roles; else NotAllowedError."""
    who = caller()
    if not who.roles & set(roles):
        raise _not_allowed(who, frozenset(roles))
    return who


def requires(*roles: str) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """`require_role` for a whole view. Stands below the route's own decorator."""

    def decorate(view: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        @functools.wraps(view)
        def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
            require_role(*roles)
            return view(*args, **kwargs)

        return checked

    return decorate


def unprotected_routes(app: Flask) -> list[str]:
    """`POST /sign-in`, …: what answers anybody. Everything, if `install` was forgotten."""
    guarded = _let_in in app.before_request_funcs.get(None, [])
    return sorted(
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not guarded or security.is_public(app, rule.endpoint)
    )


def create_token(
    session: Session, *, name: str, now: datetime, responder_id: int | None = None, role: str | None = None
) -> str:
    """The token, told this once: it acts as the responder, or as a program with the role. Only its hash is kept."""
    if not name.strip() or len(name) > NAME_CHARACTERS_MAX:
        problem = f"must have 1 to {NAME_CHARACTERS_MAX} characters"
        raise InvalidInputError(f"The token's name {problem}.", fields={"name": problem})
    if (responder_id is None) == (role is None):
        raise InvalidInputError("A token acts either as a responder or as a program with a role.")
    if role is not None and role not in ROLES:
        problem = f"must be one of {', '.join(ROLES)}"
        raise InvalidInputError(f"The role {problem}.", fields={"role": problem})
    token = ids.new_token()
    session.add(
        ApiToken(hash=ids.secret_hash(token), name=name.strip(), responder_id=responder_id, role=role, created_at=now)
    )
    session.flush()
    return token


def find_token(session: Session, token: str) -> ApiToken | None:
    """None for one that was never given out, or was revoked."""
    known = select(ApiToken).where(ApiToken.hash == ids.secret_hash(token), ApiToken.revoked_at.is_(None))
    return session.scalar(known)


def _let_in() -> None:
    if request.endpoint is None:
        return  # no such route: 404 or 405, for strangers too
    writes = request.method not in READING_METHODS
    if not security.is_public(current_app, request.endpoint):
        require("act" if writes else "read")
    if writes and _bearer_token() is None:
        security.check_form()


def _bearer_token() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _by_token(token: str) -> Caller:
    register = _register()
    with register.database.reading() as session:
        known = find_token(session, token)
        if known is None:
            raise NotSignedInError("This API token is not known, or was revoked. `tocsin token create` makes one.")
        if known.responder_id is None:
            return Caller(None, "", known.name, frozenset({known.role} if known.role else ()), "program")
        person = register.people.by_id(session, known.responder_id)
    if person is None or not person.active:
        raise NotSignedInError("The person this API token acts for is no longer active.")
    return _as_caller(person)


def _by_session() -> Caller | None:
    try:
        person = sessions.signed_in()
    except http.DATABASE_AWAY:
        name = sessions.name_by_cookie_alone()
        if name is None or not security.is_marked(current_app, request.endpoint or "", _WITHOUT_DATABASE):
            raise
        return Caller(None, "", name, frozenset({"observer"}))
    return None if person is None else _as_caller(person)


def _as_caller(person: Person) -> Caller:
    return Caller(person.id, person.key, person.name, frozenset(person.roles))


def _not_allowed(who: Caller, roles: frozenset[str]) -> NotAllowedError:
    needed, has = " or ".join(sorted(roles)), ", ".join(sorted(who.roles)) or "none"
    return NotAllowedError(f"{who.name} may not do this: it takes the role {needed}, and {who.name} has {has}.")


def _register() -> _Register:
    register: _Register = current_app.extensions[_EXTENSION]
    return register
