"""From a seed to a world of noise: storms that join, alerts that come and go, silences that begin and end among it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.simulation import seeds
from tests.simulation.crashing import Moment
from tests.simulation.steps import (
    Acknowledge,
    Act,
    Alert,
    CrashNow,
    End,
    Escalate,
    Extend,
    Meanwhile,
    Pass,
    Point,
    RaiseClass,
    Reclassify,
    Resolve,
    Silence,
    Slow,
    SourceSays,
    Step,
    Storm,
    Toggles,
)
from tests.simulation.worlds import NOISY

STEPS_MIN, STEPS_MAX = 8, 24
THINGS = (0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 6)
SEVERITIES = ("CRITICAL", "HIGH", "HIGH", "HIGH", "MEDIUM", "MEDIUM", "LOW", "INFO")
LABELS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("host", "db-1"),),
    (("host", "db-1"), ("zone", "a")),
    (("host", "web-1"), ("zone", "a")),
    (("host", "web-1"), ("zone", "b")),
)
MOMENTS_OF_THE_WEB = (None, None, None, None, Moment.BEFORE, Moment.AFTER)
SPANS_SECONDS = (60, 600, 1_800, 5_000, 5_000)
HOURS = (("10:05", "10:25"), ("10:30", "12:00"), ("09:00", "10:20"), ("23:00", "10:10"), ("10:10", "08:50"))
NOT_MONDAY = (1, 2, 3, 4, 5, 6)
EVERY_DAY = (0, *NOT_MONDAY)


def happenings(seed: int) -> list[Step]:
    random = Random(seed)
    kinds, weights = list(KINDS), [weight for weight, _ in KINDS.values()]
    chosen = random.choices(kinds, weights, k=random.randint(STEPS_MIN, STEPS_MAX))
    first = [_silence(random)] if random.random() < 0.5 else []
    return [*first, _alert(random), *(KINDS[kind][1](random) for kind in chosen)]


def _alert(random: Random) -> Act:
    crash = random.choice(MOMENTS_OF_THE_WEB)
    return Alert(random.choice(THINGS), random.choice(SEVERITIES), crash, random.choice(LABELS))


def _storm(random: Random) -> Step:
    things = tuple(random.sample(sorted(NOISY), random.randint(3, len(NOISY))))
    return Storm(things, tuple(random.choice(SEVERITIES) for _ in things), random.choice(LABELS))


def _toggles(random: Random) -> Step:
    seconds = random.choice((0, 5, 20, 70, 130))
    return Toggles(random.choice((0, 3, 4, 4, 5, 6)), random.randint(1, 4), seconds, random.choice(SEVERITIES[1:]))


def _silence(random: Random) -> Act:
    fits = random.choice((
        {"services": ("checkout",)},
        {"services": ("ledger", "relay")},
        {"services": ("checkout", "ledger", "relay", "event-store")},
        {"labels": (("host", "db-*"),)},
        {"labels": (("zone", "a"), ("host", "*"))},
        {"title": "*api*"},
        {"title": "*E*"},
        {"title": "*o*", "services": ("checkout", "ledger")},
    ))  # fmt: skip
    crash = random.choice(MOMENTS_OF_THE_WEB)
    if random.random() < 0.25:
        return Silence(**fits, daily=random.choice(HOURS), weekdays=random.choice((EVERY_DAY, NOT_MONDAY)), crash=crash)
    later, lasts = random.choice((0, 0, 0, 60, 700)), random.choice(SPANS_SECONDS)
    return Silence(**fits, after_seconds=later, lasts_seconds=lasts, crash=crash)


def _quieting(random: Random) -> Act:
    which = random.randrange(6)
    choices: list[Act] = [
        _silence(random),
        _silence(random),
        Extend(which, random.choice(SPANS_SECONDS)),
        End(which, random.choice(MOMENTS_OF_THE_WEB)),
        End(which),
    ]
    return random.choice(choices)


def _answer(random: Random) -> Act:
    thing, by, crash = random.choice(THINGS), random.choice(seeds.PEOPLE), random.choice(MOMENTS_OF_THE_WEB)
    answers: list[Act] = [
        Acknowledge(thing, by, crash),
        Acknowledge(thing, by, crash),
        Resolve(thing, by, crash),
        SourceSays(thing, "resolved"),
        SourceSays(thing, "resolved"),
        SourceSays(thing, "acknowledged"),
        Escalate(thing),
        Escalate(thing),
        Reclassify(thing, random.choice(SEVERITIES)),
        RaiseClass(thing),
    ]
    return random.choice(answers)


def _coincidence(random: Random) -> Step:
    acts: list[Act] = [
        _answer(random),
        _answer(random),
        _alert(random),
        _quieting(random),
        CrashNow(takes_over=random.random() < 0.5),
        Slow(random.choice((20, 31, 90, 400))),
    ]
    return Meanwhile(random.choice(list(Point)), random.choice(acts))


def _of_plain_worlds(kind: str) -> tuple[int, Callable[[Random], Step]]:
    return seeds.KINDS[kind]


# A kind of step, and how often it comes compared with the others.
KINDS: dict[str, tuple[int, Callable[[Random], Step]]] = {
    "alert": (8, _alert),
    "storm": (2, _storm),
    "toggles": (4, _toggles),
    "end after toggles": (2, lambda random: Toggles(random.choice((4, 5, 6)), 3, 10, ends=True)),
    "quieting": (8, _quieting),
    "in spite": (4, lambda random: Escalate(random.randrange(4), held=True)),
    "pass": (6, lambda random: Pass(random.choice((1, 20, 61, 200, 300, 900, 2_700)))),
    "answer": (7, _answer),
    "coincidence": (4, _coincidence),
    **{kind: _of_plain_worlds(kind) for kind in ("crash", "trouble", "down", "up", "clock", "morning", "approval")},
}
