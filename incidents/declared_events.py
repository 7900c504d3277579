"""What tocsin.yaml says of programs that are told of events, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from config import declaration, fields
from config.declaration import Document, Problems
from config.fields import Fields
from escalation import declared_hooks

KINDS = ("opened", "acknowledged", "escalated", "resolved", "review.published", "review.withdrawn")
RECEIVERS_MAX = 20
SECRET_CHARACTERS_MIN, SECRET_CHARACTERS_MAX = 16, 512


@dataclass(frozen=True, slots=True)
class DeclaredReceiver:
    url: str
    secret: str
    kinds: tuple[str, ...]  # of KINDS, in their order

    def __repr__(self) -> str:
        return f"DeclaredReceiver({declared_hooks.shown(self.url)})"


def read_declared(document: Document, problems: Problems) -> tuple[DeclaredReceiver, ...]:
    """The section `events`. What has problems is left out: raise them before using the result."""
    top = fields.root(document, problems)
    sections = top.each("events")
    if len(sections) > RECEIVERS_MAX:
        top.refuse("events", f"has more than {RECEIVERS_MAX} entries")
    seen: set[str] = set()
    found = [_receiver(section, seen) for section in sections]
    return tuple(receiver for receiver in found if receiver)


def _receiver(section: Fields, seen: set[str]) -> DeclaredReceiver | None:
    url = declared_hooks.url(section, "url", required=True)
    secret = section.text("secret", required=True, characters_max=SECRET_CHARACTERS_MAX)
    if secret and len(secret) < SECRET_CHARACTERS_MIN:
        section.refuse("secret", f"needs at least {SECRET_CHARACTERS_MIN} characters: it proves who sent an event")
    written = section.texts("on", required=section.has("on"))
    for path, kind in written.items():
        if kind not in KINDS:
            section.refuse_at(path, f'no event "{declaration.shown(kind)}"; {declaration.suggestion(kind, KINDS)}')
    if url in seen:
        section.refuse("url", "is there twice; name all its events in one entry")
    seen.add(url)
    wanted = set(written.values()) if section.has("on") else set(KINDS)
    return DeclaredReceiver(url, secret, tuple(k for k in KINDS if k in wanted)) if section.sound else None
