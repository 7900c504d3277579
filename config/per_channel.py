"""Settings that give each channel a number: `sms=20,voice=2`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHANNELS = ("slack", "sms", "voice", "email", "webhook", "apprise")


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a setting may say, and what holds for channels that it does not name."""

    unit: str
    least: float
    most: float
    usual: Mapping[str, float]

    def read(self, text: str) -> dict[str, float]:
        """The numbers that `text` gives, over the usual ones. Raises ValueError with every problem, a line each."""
        found = dict(self.usual)
        problems: list[str] = []
        seen: set[str] = set()
        for part in (each.strip() for each in text.split(",") if each.strip()):
            channel, _, number = (each.strip() for each in part.partition("="))
            if channel not in CHANNELS:
                problems.append(f"{part!r} names no channel; use {', '.join(CHANNELS)}")
            elif channel in seen:
                problems.append(f"{channel} is given twice")
            elif (value := _number(number)) is None or not self.least <= value <= self.most:
                problems.append(f"{part!r} must give {self.unit}, from {self.least:g} to {self.most:g}")
            else:
                found[channel] = value
            seen.add(channel)
        if problems:
            raise ValueError("\n".join(problems))
        return found


# Twilio calls one number a second unless more was agreed; Slack takes a burst and then asks to wait.
RATES = Numbers(
    "messages a second",
    0.1,
    1000.0,
    {"slack": 20.0, "sms": 20.0, "voice": 2.0, "email": 20.0, "webhook": 50.0, "apprise": 20.0},
)
WINDOWS = Numbers(
    "seconds",
    0.0,
    120.0,
    {"slack": 10.0, "sms": 20.0, "voice": 60.0, "email": 60.0, "webhook": 10.0, "apprise": 10.0},
)


def _number(text: str) -> float | None:
    try:
        return float(text) if text.isascii() else None
    except ValueError:
        return None
