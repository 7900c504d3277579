"""What every verb on an incident needs beside the session, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.actor import Actor as Actor
from config.sealed import Vault
from escalation.journal import Journal
from incidents.rules import Ruleset
from runbook_links.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Desk:
    journal: Journal
    ruleset: Ruleset
    shelf: Shelf
    base_url: str  # without a slash at its end
    vault: Vault | None = field(default=None, repr=False)  # without one no integration can have a signing secret
    mail_domain: str = ""  # of the addresses that letters come in at; empty: none can be told


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a verb. `changed` False: it was so already; that is an answer, not an error."""

    incident_id: int
    changed: bool
    status: str
    sentence: str  # for people, on any channel: "Acknowledged. The escalation has stopped."
