"""What Tocsin answers when somebody replies, on every channel in the same words. Pure.

Each is one or two short sentences with the incident's number: the person who reads or hears it must know at once
whether it is theirs now and whether paging goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from escalation.channels import wording

LISTED_MAX = 5
ALL_LISTED_MAX = 20


def acknowledged(number: int) -> str:
    return f"Acknowledged: {number} is yours. Paging has stopped."


def acknowledged_with_others(number: int, remaining: int, *, again: bool = False) -> str:
    """Where several must: this one has, and `remaining` more are still to."""
    has = "You have it already." if again else "You have it."
    return f"{has} {remaining} more must acknowledge {number}; paging goes on for the others."


def people_must_acknowledge(number: int, remaining: int) -> str:
    """To a program, where people must."""
    who = "1 person" if remaining == 1 else f"{remaining} people"
    return f"Noted. {who} must acknowledge {number}; paging goes on."


def acknowledged_all(numbers: Sequence[int], *, left: int = 0) -> str:
    """Acknowledged 12, they are yours: 42, 43, …. `left`: how many more there are than are done in one go."""
    if not numbers:
        return "They were all acknowledged before. Nothing more to do."
    if len(numbers) == 1 and not left:
        return acknowledged(numbers[0])
    more = len(numbers) - ALL_LISTED_MAX
    listed = ", ".join(map(str, numbers[:ALL_LISTED_MAX])) + (f" and {more} more" if more > 0 else "")
    said = f"Acknowledged {len(numbers)}, they are yours: {listed}."
    return (
        f"{said} {left} more are still open: reply ACK ALL again." if left else f"{said} Paging for them has stopped."
    )


def already_acknowledged(number: int, by: str, at: datetime | None, now: datetime | None = None) -> str:
    """Already acknowledged by Ana at 03:12 UTC. `now` adds the date when that was on another day."""
    return f"{number} is already {wording.acted('acknowledged', by, at, now)}. Nothing more to do."


def already_yours(number: int, at: datetime | None, now: datetime | None = None) -> str:
    return f"{number} is already yours, {wording.acted('acknowledged', '', at, now)}."


def resolved(number: int) -> str:
    return f"Resolved: {number} is closed for paging."


def already_resolved(number: int, by: str, at: datetime | None, now: datetime | None = None) -> str:
    return f"{number} is already {wording.acted('resolved', by, at, now)}. Nothing more to do."


def awaiting(number: int, waits_for: str) -> str:
    """The request stands, and something else has to happen first: awaiting(42, "2 keepers' approval to resolve")."""
    return f"Noted, but not done yet: {number} waits for {wording.one_line(waits_for, 120)}."


def escalated(number: int, level: int) -> str:
    return f"Escalated: level {level} of {number} is being paged now."


def refused(number: int, verb: str) -> str:
    """The person is known, but may not do this: refused(42, "resolve")."""
    return f"You may not {verb} {number}. Nothing was done, and paging goes on."


def unknown_sender() -> str:
    return "Tocsin does not know this sender. Nothing was done. Ask your Tocsin administrator to add you."


def unknown_number(number: int) -> str:
    return f"There is no incident {number}. Nothing was done. Reply LIST to see what is open."


def nothing_open() -> str:
    return "You have no open page. Nothing was done. Reply LIST to see what is open."


def open_incidents(lines: Sequence[str]) -> str:
    """`lines`, worst first, one an incident (see `listed`)."""
    if not lines:
        return "No incident is open."
    more = len(lines) - LISTED_MAX
    shown = "; ".join(lines[:LISTED_MAX])
    return f"{len(lines)} open: {shown}" + (f"; and {more} more." if more > 0 else ".")


def listed(number: int, severity: str, title: str, state: str) -> str:
    return f"{number} {severity} {wording.one_line(title, 60)} ({state})"


def usage() -> str:
    """The words that replies may use."""
    return "Reply ACK 42, RESOLVE 42, ESCALATE 42 or LIST, with your number. ACK alone takes your newest page, ACK ALL all of them."


def started() -> str:
    return "You are paged by text message again."


def try_again() -> str:
    """Tocsin could not do it just now (its database is down, say)."""
    return "Tocsin could not do this just now. Nothing was done, and paging goes on. Please reply again."
