"""Unguessable identifiers and how secrets are kept: only their hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets

TOKEN_PREFIX = "tocsin_"  # noqa: S105  a visible mark, so that secret scanners can find leaked tokens


def new_token() -> str:
    """256 bits: too many to guess, so one SHA-256 suffices to store it."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_key() -> str:
    """32 hexadecimal characters: an integration key in the shape PagerDuty's senders accept."""
    return secrets.token_hex(16)


def secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def derived_secret(secret_key: str, purpose: str) -> str:
    """A secret of its own for each purpose, so that giving one away gives away nothing else."""
    return hmac.new(secret_key.encode(), f"tocsin/{purpose}".encode(), hashlib.sha256).hexdigest()
