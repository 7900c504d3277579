"""Who does something, and by which way. Handed in by the edge; verbs judge by it and record it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    name: str  # as the record names them: a responder's name, a program's, a source's
    kind: str = "responder"  # responder, program, source, engine
    responder_id: int | None = None  # set for a responder, and only then
    key: str = ""  # the responder's key
    roles: frozenset[str] = frozenset()
    via: str = "api"  # api, web, slack, sms, voice, email, cli, file, or the source's name
