"""What every verb on an incident needs beside the session, and who is acting. Both are handed in by the edge."""

from __future__ import annotations

from dataclasses import dataclass

from escalation.journal import Journal
from incidents.rules import Ruleset
from runbook_links.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Desk:
    journal: Journal
    ruleset: Ruleset
    shelf: Shelf
    base_url: str  # without a slash at its end


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and by which way."""

    name: str  # as the timeline names them: a responder's name, a program's, a source's
    kind: str = "responder"  # responder, program, source, engine
    responder_id: int | None = None  # set for a responder, and only then
    key: str = ""  # the responder's key
    roles: frozenset[str] = frozenset()
    via: str = "api"  # api, web, slack, sms, voice, email, cli, or the source's name


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a verb. `changed` False: it was so already; that is an answer, not an error."""

    incident_id: int
    changed: bool
    status: str
    sentence: str  # for people, on any channel: "Acknowledged. The escalation has stopped."
