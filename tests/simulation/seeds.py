"""From a seed to what happens in its world, and from a failing run to a shorter one that still fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tests.simulation.crashing import Moment
from tests.simulation.steps import (
    Acknowledge,
    Act,
    Alert,
    Approve,
    Broken,
    ClockBack,
    CrashAt,
    CrashNow,
    Down,
    Escalate,
    Fault,
    Healed,
    Meanwhile,
    Outage,
    Pass,
    Point,
    Reclassify,
    Resolve,
    Slow,
    SourceSays,
    Step,
    Storm,
    UntilMorning,
    Up,
)

STEPS_MIN, STEPS_MAX = 6, 30
THINGS = (0, 0, 0, 1, 3, 3)  # mostly the same, so that what is done meets what is open; 3 is constitutional
THINGS_OF_A_STORM = (0, 1, 3, 4, 5, 6)
SEVERITIES = ("CRITICAL", "HIGH", "HIGH", "MEDIUM", "LOW", "INFO")
PEOPLE = ("ana", "bo", "mia")
CHANNELS = ("slack", "sms", "voice", "email")
OUTAGES = (("sms",), ("slack",), ("sms", "voice"), CHANNELS)
MOMENTS_OF_THE_WEB = (None, None, None, None, Moment.BEFORE, Moment.AFTER)


def happenings(seed: int) -> list[Step]:
    """Something is reported, and then this and that."""
    random = Random(seed)
    kinds, weights = list(KINDS), [weight for weight, _ in KINDS.values()]
    chosen = random.choices(kinds, weights, k=random.randint(STEPS_MIN, STEPS_MAX))
    return [_alert(random), *(KINDS[kind][1](random) for kind in chosen)]


def shortened(run: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Leaves out what is not needed for the failure: first large pieces, then smaller ones, then single steps."""
    kept = list(run)
    size = len(kept) // 2
    while size:
        start = 0
        while start < len(kept):
            without = kept[:start] + kept[start + size :]
            if fails(without):
                kept = without
            else:
                start += size
        size //= 2
    return kept


def _alert(random: Random) -> Act:
    return Alert(random.choice(THINGS), random.choice(SEVERITIES), random.choice(MOMENTS_OF_THE_WEB))


def _storm(random: Random) -> Step:
    things = tuple(random.sample(THINGS_OF_A_STORM, random.randint(3, len(THINGS_OF_A_STORM))))
    return Storm(things, tuple(random.choice(SEVERITIES) for _ in things))


def _answer(random: Random) -> Act:
    thing, by, crash = random.choice(THINGS), random.choice(PEOPLE), random.choice(MOMENTS_OF_THE_WEB)
    answers: list[Act] = [
        Acknowledge(thing, by, crash),
        Acknowledge(thing, by, crash),
        Resolve(thing, by, crash),
        SourceSays(thing, random.choice(("resolved", "acknowledged"))),
        Escalate(thing),
        Reclassify(thing, random.choice(SEVERITIES)),
    ]
    return random.choice(answers)


def _coincidence(random: Random) -> Step:
    acts: list[Act] = [
        _answer(random),
        _answer(random),
        _alert(random),
        CrashNow(takes_over=random.random() < 0.5),
        Slow(random.choice((20, 31, 90, 400))),
    ]
    return Meanwhile(random.choice(list(Point)), random.choice(acts))


def _crash(random: Random) -> Step:
    return CrashAt(
        commits=random.randint(1, 12),
        moment=random.choice(list(Moment)),
        takes_over=random.random() < 0.5,
        down_seconds=random.choice((0, 1, 45, 400, 4_000)),
    )


def _trouble(random: Random) -> Step:
    fault = random.choice(list(Fault))
    troubles: list[Step] = [
        Broken(random.choice(CHANNELS), fault, random.randint(1, 7)),
        Outage(random.choice(OUTAGES), fault),
        Healed(),
    ]
    return random.choice(troubles)


# A kind of step, and how often it comes compared with the others.
KINDS: dict[str, tuple[int, Callable[[Random], Step]]] = {
    "alert": (5, _alert),
    "storm": (1, _storm),
    "pass": (6, lambda random: Pass(random.choice((1, 20, 61, 200, 300, 900, 2_700)))),
    "answer": (6, _answer),
    "crash": (3, _crash),
    "coincidence": (6, _coincidence),
    "trouble": (3, _trouble),
    "down": (1, lambda random: Down()),
    "up": (1, lambda random: Up(takes_over=random.random() < 0.5)),
    "clock": (1, lambda random: ClockBack(random.choice((1, 40, 1_000)))),
    "morning": (1, lambda random: UntilMorning()),
    "approval": (1, lambda random: Approve(random.choice(THINGS), random.choice(("kim", "kai")))),
}
