"""An escalation's row as the values that the pure core reckons with, and back."""

from __future__ import annotations

from escalation.models import Escalation
from escalation.plan import BusinessDays, Progress, Stage, Urgency
from escalation.policies import Policy, Target
from escalation.wake import Situation


def situation(escalation: Escalation) -> Situation:
    return Situation(
        policy=policy(escalation),
        last_resort=last_resort(escalation),
        urgency=Urgency(escalation.urgency),
        days=days(escalation),
        progress=progress(escalation),
        acknowledged=frozenset(escalation.acks),
    )


def policy(escalation: Escalation) -> Policy:
    return Policy.from_json(escalation.policy)


def last_resort(escalation: Escalation) -> tuple[Target, ...]:
    return tuple(Target.parse(written) for written in escalation.last_resort)


def days(escalation: Escalation) -> BusinessDays:
    return BusinessDays(escalation.timezone, escalation.holidays)


def progress(escalation: Escalation) -> Progress:
    return Progress(Stage(escalation.stage), escalation.base_at, escalation.cycle, escalation.position)


def set_progress(escalation: Escalation, reached: Progress) -> None:
    escalation.stage = reached.stage
    escalation.base_at = reached.base_at
    escalation.cycle = reached.cycle
    escalation.position = reached.position
