"""What joins and what flaps, decided over values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents import noise
from incidents.noise import Damping, Earlier, Grouping
from incidents.sources.base import AlertStatus, IncomingAlert

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
DAMPING = Damping(4, 1_800)


def earlier(*minutes_ago: float, flapping: bool = False) -> list[Earlier]:
    moments = [NOW - timedelta(minutes=ago) for ago in minutes_ago]
    return [Earlier(at, at, at + timedelta(seconds=20), flapping) for at in moments]


def alert(**more: object) -> IncomingAlert:
    values: dict[str, object] = {"labels": {}, **more}
    return IncomingAlert("grafana", "a", AlertStatus.FIRING, "Down", **values)  # type: ignore[arg-type]  # by name


def key(incoming: IncomingAlert, *by: str, service: str = "checkout") -> str:
    return noise.group_key(service, Grouping(300, by), incoming)


def test_more_than_so_many_times_is_flapping_and_as_many_is_not() -> None:
    assert noise.flaps(DAMPING, earlier(1, 2, 3, 4), NOW) == ""
    assert noise.flaps(DAMPING, earlier(1, 2, 3, 4, 5), NOW) == (
        "It has come and gone 5 times in 30 minutes; one incident stays open until it has been quiet for 30 minutes."
    )
    assert "come and gone 1 time in 1 minute;" in noise.flaps(Damping(0, 60), earlier(0.5), NOW)
    assert "come and gone at least 51 times" in noise.flaps(DAMPING, earlier(*[1.0] * 51), NOW)


def test_what_came_at_the_far_end_of_the_window_or_before_is_not_counted() -> None:
    assert noise.flaps(DAMPING, earlier(1, 2, 3, 4, 30), NOW) == ""
    assert noise.flaps(DAMPING, earlier(1, 2, 3, 4, 29.99), NOW)


def test_what_flapped_until_people_ended_it_is_flapping_still_unless_it_was_quiet() -> None:
    assert "until its incident ended 4 minutes ago" in noise.flaps(DAMPING, earlier(5, flapping=True), NOW)
    assert "until its incident ended a moment ago" in noise.flaps(DAMPING, earlier(1, flapping=True), NOW)
    assert noise.flaps(DAMPING, earlier(30, flapping=True), NOW) == ""
    assert noise.flaps(DAMPING, [*earlier(2), *earlier(5, flapping=True)], NOW) == ""
    assert noise.flaps(DAMPING, [], NOW) == ""


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=60).map(sorted))
def test_one_more_that_came_lately_never_makes_it_quiet(minutes_ago: list[float]) -> None:
    if noise.flaps(DAMPING, earlier(*minutes_ago), NOW):
        assert noise.flaps(DAMPING, earlier(0, *minutes_ago), NOW)


def test_alerts_share_a_key_by_the_labels_they_are_grouped_by_alone() -> None:
    one, other = alert(labels={"cluster": "eu", "node": "1"}), alert(labels={"cluster": "eu", "node": "2"})
    assert key(one, "cluster") == key(other, "cluster")
    assert key(one, "node") != key(other, "node")
    assert key(one) == key(other)
    assert key(one) != key(one, service="search")
    assert len(key(one, "cluster")) == 64


def test_neither_names_nor_values_of_labels_run_into_each_other() -> None:
    assert key(alert(labels={"a": "x", "b": ""}), "a", "b") != key(alert(labels={"a": "", "b": "x"}), "a", "b")
    assert key(alert(labels={"a": "x"}), "a") != key(alert(labels={"b": "x"}), "b")
    assert key(alert(), "a") == key(alert(labels={"a": ""}), "a")  # one that is missing counts as empty


@pytest.mark.parametrize("name", ["component", "environment"])
def test_a_field_counts_as_a_label_unless_there_is_one_of_its_name(name: str) -> None:
    assert key(alert(**{name: "web"}), name) == key(alert(labels={name: "web"}), name)
    assert key(alert(**{name: "web"}, labels={name: "db"}), name) == key(alert(labels={name: "db"}), name)
    assert key(alert(), "source") == key(alert(labels={"source": "grafana"}), "source")


def test_terms_are_kept_and_written_as_declared() -> None:
    grouping, damping = Grouping(90, ("cluster",)), Damping(3, 5_400)
    assert Grouping.from_json(grouping.to_json()) == grouping
    assert Damping.from_json(damping.to_json()) == damping
    assert noise.as_written(grouping.to_json(), damping.to_json()) == {
        "group": {"within": "1m30s", "by": ["cluster"]},
        "flap": {"toggles": 3, "within": "1h30m"},
    }
    assert noise.as_written({}, {}) == {}
    assert (Grouping.from_json({}), Damping.from_json({})) == (None, None)
