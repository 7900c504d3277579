"""The way from page to page: what there is, in groups, and which of it is being looked at. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

CONFIGURES = frozenset({"admin", "manager"})


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    path: str
    says: str  # beside the name, where there is room
    roles: frozenset[str] = frozenset()  # one of these is needed; empty: everybody may look
    only_demo: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    entries: Sequence[Entry]


INCIDENTS = Entry("Incidents", "/incidents", "what needs somebody")
ON_CALL = Entry("On call", "/oncall", "who is woken now")
SILENCES = Entry("Silences", "/silences", "whom nobody is woken for")
RUNBOOKS = Entry("Runbooks", "/runbooks", "what to do")

GROUPS = (
    Group(
        "Respond",
        (
            INCIDENTS, RUNBOOKS, SILENCES,
            Entry("Console", "/console", "what would be sent", only_demo=True),
        ),
    ),
    Group(
        "Who is on call",
        (
            ON_CALL,
            Entry("Calendar", "/oncall/calendar", "the weeks to come"),
            Entry("My shifts", "/oncall/mine", "swaps and time off"),
            Entry("Me", "/me", "how I am reached"),
        ),
    ),
    Group(
        "Set up",
        (
            Entry("Configuration", "/configuration", "schedules and policies", CONFIGURES),
            Entry("Integrations", "/integrations", "how alerts come in", CONFIGURES),
            Entry("Heartbeats", "/heartbeats", "what must be heard of"),
            Entry("Slack", "/slack", "whether it works", frozenset({"admin"})),
        ),
    ),
    Group(
        "Check",
        (
            Entry("Readiness", "/readiness", "would somebody be woken?", CONFIGURES),
            Entry("Simulate", "/simulate", "who, when and by what?"),
            Entry("Audit", "/audit", "who changed what", CONFIGURES),
        ),
    ),
)  # fmt: skip
AT_HAND = (INCIDENTS, ON_CALL)  # beside the menu on every screen: what somebody woken at night looks for
AT_A_DESK = (RUNBOOKS, SILENCES)  # beside it where there is room


def shown(roles: Collection[str], *, demo: bool) -> list[Group]:
    """What somebody with these roles may open; no group is empty."""
    groups = [
        Group(group.name, [each for each in group.entries if _may(each, roles) and (demo or not each.only_demo)])
        for group in GROUPS
    ]
    return [group for group in groups if group.entries]


def current(path: str) -> str:
    """The path of the entry that this page belongs to, the nearest above it; empty if none does."""
    above = [
        each.path for group in GROUPS for each in group.entries if path == each.path or path.startswith(f"{each.path}/")
    ]
    return max(above, key=len, default="")


def _may(entry: Entry, roles: Collection[str]) -> bool:
    return not entry.roles or not entry.roles.isdisjoint(roles)
