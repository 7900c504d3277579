from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import durations


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0s", 0),
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5_400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1w2d3h4m5s", 604_800 + 172_800 + 10_800 + 240 + 5),
    ],
)
def test_a_duration_is_read_in_seconds(written: str, seconds: int) -> None:
    assert durations.to_seconds(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "5", "m", "1.5h", "-5m", "5 m", "5M", "5min", "30m1h", "1m1m", "1h 30m", "٥m", "0x5s", "5m\n", "9999999999s"],
)
def test_what_is_not_a_duration_is_refused(written: str) -> None:
    with pytest.raises(durations.DurationError, match="is not a duration"):
        durations.to_seconds(written)


def test_a_duration_of_more_than_ten_years_is_refused() -> None:
    with pytest.raises(durations.DurationError, match="too long"):
        durations.to_seconds("530w")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (5, "5s"), (90, "1m30s"), (5_400, "1h30m"), (900.0, "15m"), (1_209_600, "2w")]
)
def test_seconds_are_printed_in_the_longest_units_that_fit(seconds: float, text: str) -> None:
    assert durations.to_text(seconds) == text


@given(st.integers(0, durations.DURATION_SECONDS_MAX))
def test_what_is_printed_reads_as_the_same_time(seconds: int) -> None:
    assert durations.to_seconds(durations.to_text(seconds)) == seconds


def test_a_single_count_keeps_its_unit() -> None:
    assert durations.split_single("14d") == (14, "d")
    assert durations.split_single("2w") == (2, "w")


@pytest.mark.parametrize("written", ["1d12h", "w", "7", "1 w", "", "1w\n"])
def test_a_single_count_is_one_number_and_one_unit(written: str) -> None:
    with pytest.raises(durations.DurationError, match="not one number and one unit"):
        durations.split_single(written)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (95, "1 minute"),
        (5_400, "1 hour 30 minutes"),
        (172_800, "2 days"),
    ],
)
def test_a_duration_in_a_sentence_is_in_words(seconds: int, words: str) -> None:
    assert durations.to_words(seconds) == words
