"""Targets, announcements, levels and policies as values."""

from __future__ import annotations

import json

import pytest

from escalation.policies import Announcement, Level, Policy, Target, level_problems


@pytest.mark.parametrize(
    ("written", "kind", "key"),
    [
        ("schedule:primary", "schedule", "primary"),
        ("role:manager", "role", "manager"),
        ("responder:ana", "responder", "ana"),
    ],
)
def test_a_target_is_read_and_printed_as_written(written: str, kind: str, key: str) -> None:
    target = Target.parse(written)
    assert (target.kind, target.key, str(target)) == (kind, key, written)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("ana", "write responder:…, schedule:… or role:…"),
        ("responder:", "is not a target"),
        ("responder: ana", "is not a target"),
        ("team:sre", "is not a target"),
        ("Responder:ana", "is not a target"),
        ("role:boss", 'there is no role "boss"'),
    ],
)
def test_what_names_nobody_is_not_a_target(written: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Target.parse(written)


@pytest.mark.parametrize(
    ("written", "channel", "address"),
    [
        ("slack:#incidents", "slack", "#incidents"),
        ("slack:C0123ABC", "slack", "C0123ABC"),
        ("webhook:https://example.org/hook?x=1", "webhook", "https://example.org/hook?x=1"),
        ("apprise:ntfy://ntfy.example.org/alerts", "apprise", "ntfy://ntfy.example.org/alerts"),
        ("apprise:tgram://123:abc/456", "apprise", "tgram://123:abc/456"),
    ],
)
def test_an_announcement_is_read_and_printed_as_written(written: str, channel: str, address: str) -> None:
    announcement = Announcement.parse(written)
    assert (announcement.channel, announcement.address, str(announcement)) == (channel, address, written)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("#incidents", "is not a place to announce"),
        ("sms:+15005550101", "write slack:…, webhook:… or apprise:…"),
        ("slack:incidents", "is not a Slack channel"),
        ("slack:", "is not a Slack channel"),
        ("slack:#two words", "is not a Slack channel"),
        ("webhook:example.org/hook", "http or https URL with a host"),
        ("webhook:ftp://example.org", "http or https URL with a host"),
        ("webhook:https:///hook", "http or https URL with a host"),
        ("webhook:https://[broken", "http or https URL with a host"),
        ("apprise:ntfy", "needs a URL"),
        ("apprise:ntfy://", "needs a URL"),
        ("apprise:ntfy://a b", "needs a URL"),
        ("webhook:https://example.org/" + "x" * 2_000, "longer than 2000 characters"),
    ],
)
def test_what_leads_nowhere_is_not_an_announcement(written: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Announcement.parse(written)


@pytest.mark.parametrize("written", ["webhook:hooks.example.org/s3cret", "apprise:s3cret"])
def test_a_refused_url_is_not_quoted(written: str) -> None:
    with pytest.raises(ValueError) as refused:
        Announcement.parse(written)
    assert "s3cret" not in str(refused.value)


def level(number: int, after_seconds: float, *page: str) -> Level:
    return Level(number, after_seconds, tuple(Target.parse(written) for written in page or ("role:manager",)))


MISSION = (level(1, 0), level(2, 300), level(3, 900), level(4, 3_600))


def test_the_missions_levels_have_no_problem_in_any_order() -> None:
    assert list(level_problems(MISSION)) == []
    assert list(level_problems(MISSION[::-1])) == []
    assert list(level_problems((level(2, 60), level(4, 120)))) == []


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        ([level(0, 0)], (0, "level", "levels are 1 to 4, not 0")),
        ([level(1, 0), level(5, 60)], (1, "level", "levels are 1 to 4, not 5")),
        ([level(1, 0), level(1, 60)], (1, "level", "level 1 is there twice")),
        (
            [level(1, 60), level(2, 60)],
            (1, "after", "level 2 must start later than level 1, which does at 1m"),
        ),
        (
            [level(3, 60), level(1, 90)],
            (0, "after", "level 3 must start later than level 1, which does at 1m30s"),
        ),
        ([Level(1, 0)], (0, "page", "this level pages nobody and announces nothing")),
    ],
)
def test_levels_that_cannot_be_a_policy_say_which_and_why(levels: list[Level], problem: tuple[int, str, str]) -> None:
    assert list(level_problems(levels)) == [problem]


def test_a_level_may_announce_only() -> None:
    assert list(level_problems([Level(1, 0, announce=(Announcement("slack", "#incidents"),))])) == []


@pytest.mark.parametrize(
    ("levels", "repeat_after_seconds"),
    [
        (MISSION, 2_700),
        ((level(1, 0), level(2, 3)), 300),
        ((level(1, 0),), 300),
        ((level(1, 0), level(2, 600.5)), 600),
    ],
)
def test_a_policy_repeats_after_the_gap_of_its_last_levels_but_not_under_5_minutes(
    levels: tuple[Level, ...], repeat_after_seconds: int
) -> None:
    assert Policy("standard", levels).repeat_after_seconds == repeat_after_seconds


def test_a_configured_repeat_may_be_shorter() -> None:
    assert Policy("standard", MISSION, repeat_after_seconds=10).repeat_after_seconds == 10


def test_a_policy_survives_json() -> None:
    announcing = Level(1, 0, (Target("schedule", "primary"),), (Announcement("slack", "#incidents"),))
    policy = Policy("standard", (announcing, level(2, 2.5)), repeat=3, ack_timeout_seconds=60)
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_a_policy_written_before_there_were_hours_and_turns_is_still_read() -> None:
    level = {"level": 1, "after_seconds": 0, "page": ["schedule:primary"], "announce": ["slack:#incidents"]}
    stored = {"key": "standard", "levels": [level], "repeat": 1, "ack_timeout_seconds": 60, "repeat_after_seconds": 300}
    policy = Policy.from_json(stored)
    assert policy == Policy(
        "standard",
        (Level(1, 0, (Target("schedule", "primary"),), (Announcement("slack", "#incidents"),)),),
        repeat=1,
        ack_timeout_seconds=60,
    )
    assert (policy.unack_after_seconds, policy.acknowledgements) == (300, 1)
