"""Durations as people write them: `90s`, `15m`, `1h30m`, `2d`, `1w`. Pure."""

from __future__ import annotations

import re

UNIT_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}  # longest first: also the order in a text
DURATION_SECONDS_MAX = 10 * 366 * UNIT_SECONDS["d"]

_PART = r"([0-9]{1,9})([wdhms])"
_COUNTED = r"([0-9]{1,9})(mo|[wdhms])"  # a month is counted, and not measured
_DURATION = re.compile(f"(?:{_PART})+")


class DurationError(ValueError):
    """The text is not a duration; the message says how to write one."""


def to_seconds(written: str) -> int:
    """Whole seconds, at most DURATION_SECONDS_MAX. Each unit stands once, longer ones first. Raises DurationError."""
    if not _DURATION.fullmatch(written):
        raise DurationError(
            f'"{written}" is not a duration; write a whole number and s, m, h, d or w, such as 90s or 1h30m'
        )
    parts = re.findall(_PART, written)
    units = [unit for _, unit in parts]
    if units != [unit for unit in UNIT_SECONDS if unit in units]:
        raise DurationError(
            f'"{written}" is not a duration; each unit stands once and longer ones first, such as 1h30m'
        )
    total_seconds = sum(int(number) * UNIT_SECONDS[unit] for number, unit in parts)
    if total_seconds > DURATION_SECONDS_MAX:
        raise DurationError(f'"{written}" is too long; the limit is {to_text(DURATION_SECONDS_MAX)}')
    return total_seconds


def to_text(seconds: float) -> str:
    """The shortest text that to_seconds() reads as the same whole seconds: 5400 is `1h30m`, 0 is `0s`."""
    rest = int(seconds)
    parts: list[str] = []
    for unit, unit_seconds in UNIT_SECONDS.items():
        number, rest = divmod(rest, unit_seconds)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def to_words(seconds: float) -> str:
    """In a sentence: `30 minutes`, `1 hour 30 minutes`; of what is longer than a minute no seconds."""
    whole = int(seconds)
    rest = whole - whole % UNIT_SECONDS["m"] if whole > UNIT_SECONDS["m"] else whole
    parts: list[str] = []
    for name, unit in (("day", "d"), ("hour", "h"), ("minute", "m"), ("second", "s")):
        number, rest = divmod(rest, UNIT_SECONDS[unit])
        if number:
            parts.append(f"{number} {name}{'s' if number > 1 else ''}")
    return " ".join(parts) or "0 seconds"


def split_single(written: str) -> tuple[int, str]:
    """`1w` as (1, "w"), for what is counted in a unit rather than measured. Raises DurationError."""
    match = re.fullmatch(_COUNTED, written)
    if match is None:
        raise DurationError(f'"{written}" is not one number and one unit; write it such as 12h, 1d, 2w or 1mo')
    return int(match[1]), match[2]
