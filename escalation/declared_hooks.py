"""What tocsin.yaml says of a team's own endpoints that are called for an incident, as values. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from config.fields import Fields

RETRIES_DEFAULT = 2
RETRIES_MAX = 5
URL_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Hook:
    url: str
    retries: int = RETRIES_DEFAULT

    def to_json(self) -> dict[str, Any]:
        return {"url": self.url, "retries": self.retries}

    def __repr__(self) -> str:
        return f"Hook({shown(self.url)})"


def hook(section: Fields, key: str) -> Hook | None:
    """`{url, retries}`; None if it is absent or has problems."""
    if not section.has(key):
        return None
    inner = section.inner(key)
    address = url(inner, "url", required=True)
    retries = inner.integer("retries", default=RETRIES_DEFAULT, maximum=RETRIES_MAX)
    return Hook(address, retries) if inner.sound else None


def url(section: Fields, key: str, *, required: bool = False) -> str:
    """An http or https address, never quoted in a problem: it may carry a secret. Calls are signed, so that a name and
    a password in it are not needed, and would be shown by whatever logs addresses."""
    written = section.text(key, required=required, characters_max=URL_CHARACTERS_MAX)
    if not written:
        return ""
    try:
        parts = urlsplit(written)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", written)
        named = bool(parts.username or parts.password)
        _ = parts.port
    except ValueError:
        usable = named = False
    if not usable:
        section.refuse(key, "needs an http or https URL with a host")
    elif named:
        section.refuse(key, "must hold no name and password; calls are signed (Tocsin-Signature)")
    return written


def shown(address: str) -> str:
    """Its scheme and host: the rest may be a secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}/…"
