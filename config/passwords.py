"""Passwords: argon2id with the library's defaults (the second choice of RFC 9106: 64 MiB, three passes)."""

from __future__ import annotations

import functools
import secrets
import unicodedata
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from config.errors import InvalidInputError

CHARACTERS_MIN = 12
HASHER = PasswordHasher()


class Keeper(Protocol):
    """Whoever has a password: a row with its hash, or with None."""

    password_hash: str | None


def set_password(session: Session, person: Keeper, password: str) -> None:
    """Raises InvalidInputError for a short one. Whoever is signed in as this person is signed out by it."""
    if len(password) < CHARACTERS_MIN:
        problem = f"needs at least {CHARACTERS_MIN} characters"
        raise InvalidInputError(f"The password {problem}.", fields={"password": problem})
    person.password_hash = hashed(password)
    session.flush()


def hashed(password: str) -> str:
    return HASHER.hash(_same_on_every_keyboard(password))


def is_right(stored: str | None, password: str) -> bool:
    """`stored`: the hash, or None for a person without password and for nobody at all. Either takes equally long."""
    try:
        HASHER.verify(stored or _of_nobody(), _same_on_every_keyboard(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Hashed with weaker parameters than new ones are."""
    return HASHER.check_needs_rehash(stored)


def prepare() -> None:
    """Called once at start, so that the first sign-in with an unknown e-mail address takes no longer than the others."""
    _of_nobody()


@functools.cache
def _of_nobody() -> str:
    return HASHER.hash(secrets.token_hex(16))


def _same_on_every_keyboard(password: str) -> str:
    # An é typed on one system is one character, on another two.
    return unicodedata.normalize("NFKC", password)
