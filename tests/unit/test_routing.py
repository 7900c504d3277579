"""Which of a service's policies an incident is escalated by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, time

import pytest

from escalation.oncall.hours import Hours, Window
from incidents.routing import Choice, policy_for
from incidents.severity import IncidentClass, Severity

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 17, 0, tzinfo=UTC)
OFFICE = Hours("office", "UTC", Window(time(9), time(18)))


@dataclass
class Found:
    severity: Severity
    incident_class: IncidentClass = IncidentClass.OPERATIONAL


CHOICES = (
    Choice("keepers", IncidentClass.CONSTITUTIONAL),
    Choice("gentle", severities=(Severity.LOW, Severity.MEDIUM)),
    Choice("night", outside=OFFICE),
)


@pytest.mark.parametrize(
    ("found", "at", "policy"),
    [
        (Found(Severity.CRITICAL, IncidentClass.CONSTITUTIONAL), MIDNIGHT, "keepers"),
        (Found(Severity.LOW, IncidentClass.CONSTITUTIONAL), NOON, "keepers"),
        (Found(Severity.MEDIUM), MIDNIGHT, "gentle"),
        (Found(Severity.HIGH), MIDNIGHT, "night"),
        (Found(Severity.HIGH), NOON, "standard"),
    ],
)
def test_the_first_choice_that_fits_counts_and_the_services_own_policy_when_none_does(
    found: Found, at: datetime, policy: str
) -> None:
    stored = json.loads(json.dumps([choice.to_json() for choice in CHOICES]))
    assert policy_for(stored, "standard", found, at) == policy


def test_without_choices_it_is_the_services_own() -> None:
    assert policy_for([], "standard", Found(Severity.LOW), NOON) == "standard"
