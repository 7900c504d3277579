"""Teams of many people, each with a service of their own: what one is told never waits for what another is."""

from __future__ import annotations

GENEROUS = {"RATES": "sms=1000,slack=1000"}

PERSON = """
  p{n}: {{name: Person {n}, phone: "+1500{n:07d}", page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: sms}}]}}}}"""
POLICY = """
  o{n}:
    levels:
      - {{level: 1, after: 0m, page: ["responder:p{n}"], announce: ["slack:#incidents"]}}
      - {{level: 2, after: 60m, page: ["responder:p{n}"]}}"""
SERVICE = """
  s{n}: {{policy: o{n}, integrations: [{{source: pagerduty, key: "{key}"}}]}}"""


def many(people: int) -> str:
    """A tocsin.yaml of people with a service each."""
    numbers = range(1, people + 1)
    return "".join(
        (
            "responders:",
            *(PERSON.format(n=n) for n in numbers),
            "\npolicies:",
            *(POLICY.format(n=n) for n in numbers),
            "\nservices:",
            *(SERVICE.format(n=n, key=key(n)) for n in numbers),
            '\nlast_resort: ["responder:p1"]\n',
        )
    )


def key(person: int) -> str:
    """Of the integration whose alerts page this person."""
    return f"{person:032x}"
