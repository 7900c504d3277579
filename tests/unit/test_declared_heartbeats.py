"""What tocsin.yaml may say of heartbeats, and what is refused by name."""

from __future__ import annotations

import pytest

from config.declaration import DeclarationError, Problems, read_text
from incidents import declared
from incidents.declared_heartbeats import DeclaredHeartbeat

KEY = "b0" * 16
TEXT = f"""
policies: {{standard: {{}}}}
services:
  checkout:
    policy: standard
    integrations: [{{source: generic, key: "{"a0" * 16}"}}]
    heartbeats:
      - {{name: nightly backup, every: 1d, grace: 30m, severity: low, key: "{KEY}"}}
      - {{name: watchdog, key: "{"b1" * 16}"}}
"""


def read(text: str) -> tuple[DeclaredHeartbeat, ...]:
    document = read_text(text, env={}, file_name="tocsin.yaml")
    problems = Problems(document)
    services = declared.read_declared(document, problems, sources=(), runbook_ids=())
    problems.raise_if_any()
    return services[0].heartbeats


def test_a_heartbeat_is_stale_after_15_minutes_unless_it_says_otherwise() -> None:
    assert read(TEXT) == (
        DeclaredHeartbeat("nightly backup", KEY, 24 * 3600, 30 * 60, "LOW"),
        DeclaredHeartbeat("watchdog", "b1" * 16, 15 * 60, 0, ""),
    )
    assert KEY not in repr(read(TEXT))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("every: 1d", "every: 29s", "heartbeats[0].every: must be a duration from 30s"),
        ("every: 1d", "every: 500d", "heartbeats[0].every: must be a duration"),
        ("grace: 30m", "grace: soon", "heartbeats[0].grace"),
        ("severity: low", "severity: loud", 'heartbeats[0].severity: there is no severity "LOUD"'),
        ("nightly backup", "watchdog", "heartbeats[1].name: is given twice"),
        ("name: watchdog, ", "", "heartbeats[1].name: is missing"),
        (f', key: "{"b1" * 16}"', "", "heartbeats[1].key: is missing"),
        ("b1" * 16, "short", "heartbeats[1].key: a key has 16 to 128"),
        ("b1" * 16, "a0" * 16, "heartbeats[1].key: is already a key of checkout"),
        ("name: watchdog", "name: watchdog, color: red", "color"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place(old: str, new: str, said: str) -> None:
    assert TEXT.count(old) == 1
    document_text = TEXT.replace(old, new)
    with pytest.raises(DeclarationError) as refused:
        document = read_text(document_text, env={}, file_name="tocsin.yaml")
        problems = Problems(document)
        declared.read_declared(document, problems, sources=(), runbook_ids=())
        document.refuse_unread(problems)
        problems.raise_if_any()
    assert said in str(refused.value)
    assert "a0a0" not in str(refused.value)
