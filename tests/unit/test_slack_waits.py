from __future__ import annotations

from escalation.channels.slack_waits import LANES_MAX, SECONDS_MAX, Waits, lane


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_slack_said_of_one_channel_is_not_taken_to_be_about_another() -> None:
    waits = Waits(Seconds())
    waits.begin(lane("chat_postMessage", "#incidents"), 30)
    assert waits.left(lane("chat_postMessage", "#incidents")) == 30
    assert waits.left(lane("chat_postMessage", "U0ANA")) == 0


def test_edits_are_counted_for_the_whole_workspace_and_apart_from_posts() -> None:
    waits = Waits(Seconds())
    waits.begin(lane("chat_update", "C1"), 5)
    assert waits.left(lane("chat_update", "C2")) == 5
    assert waits.left(lane("chat_postMessage", "C1")) == 0


def test_a_wait_ends_and_is_bounded_whatever_slack_asks_for() -> None:
    seconds = Seconds()
    waits = Waits(seconds)
    waits.begin(lane("chat_update", ""), 86_400)
    assert waits.left(lane("chat_update", "")) == SECONDS_MAX
    seconds.now += SECONDS_MAX
    assert waits.left(lane("chat_update", "")) == 0


def test_a_refusal_without_a_time_is_waited_for_a_second() -> None:
    waits = Waits(Seconds())
    waits.begin(lane("chat_postMessage", "#a"), None)
    assert waits.left(lane("chat_postMessage", "#a")) == 1


def test_no_more_is_remembered_than_is_bounded() -> None:
    waits = Waits(Seconds())
    for number in range(LANES_MAX + 1):
        waits.begin(lane("chat_postMessage", f"#{number}"), 60)
    assert len(waits._until) <= LANES_MAX
