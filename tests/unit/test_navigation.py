"""What the menu shows whom, and which entry a page belongs to."""

from __future__ import annotations

import pytest

from config import navigation
from config.navigation import GROUPS


def names(*roles: str, demo: bool = False) -> list[str]:
    return [entry.name for group in navigation.shown(roles, demo=demo) for entry in group.entries]


def test_who_may_not_open_a_page_is_not_shown_the_way_to_it() -> None:
    assert {"Incidents", "My shifts", "Heartbeats", "Simulate"} <= set(names("responder"))
    assert not {"Configuration", "Integrations", "Readiness", "Audit", "Slack"} & set(names("responder", "keeper"))
    assert "Audit" in names("manager")
    assert "Slack" not in names("manager")
    assert "Slack" in names("responder", "admin")


def test_the_console_is_shown_in_the_demo_only() -> None:
    assert "Console" not in names("admin")
    assert "Console" in names("observer", demo=True)


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/incidents", "/incidents"),
        ("/incidents/12", "/incidents"),
        ("/oncall", "/oncall"),
        ("/oncall/mine", "/oncall/mine"),
        ("/oncall/override", "/oncall"),
        ("/silences/new", "/silences"),
        ("/configuration/policy/standard", "/configuration"),
        ("/mean", ""),
        ("/sign-in", ""),
    ],
)
def test_a_page_belongs_to_the_nearest_entry_above_it(path: str, entry: str) -> None:
    assert navigation.current(path) == entry


def test_what_is_at_hand_is_in_the_menu_too() -> None:
    everything = [entry for group in GROUPS for entry in group.entries]
    assert {*navigation.AT_HAND, *navigation.AT_A_DESK} <= set(everything)
    assert not any(entry.roles or entry.only_demo for entry in (*navigation.AT_HAND, *navigation.AT_A_DESK))
    assert len({entry.path for entry in everything}) == len(everything)
