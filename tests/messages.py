"""Messages for the channels' tests: one constitutional CRITICAL incident, 42, unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from escalation.brief import Brief, Standing, of_none
from escalation.channels.base import Message, Purpose

OPENED_AT = datetime(2026, 11, 4, 3, 2, tzinfo=UTC)
NOW = OPENED_AT + timedelta(minutes=20)

OPEN = Standing(status="open", level=2, phase="containment")
ACKNOWLEDGED = Standing(
    status="acknowledged",
    level=2,
    phase="containment",
    acknowledged_by="Ana Lima",
    acknowledged_at=OPENED_AT + timedelta(minutes=10),
)
RESOLVED = Standing(
    status="resolved",
    level=2,
    phase="post-incident",
    acknowledged_by="Ana Lima",
    acknowledged_at=OPENED_AT + timedelta(minutes=10),
    resolved_by="Bo Chen",
    resolved_at=OPENED_AT + timedelta(hours=2),
)


def brief(**changes: Any) -> Brief:
    values: dict[str, Any] = {
        "incident_id": 42,
        "title": "Hash chain broken at sequence 48211: previous_hash mismatch",
        "incident_class": "constitutional",
        "severity": "CRITICAL",
        "service": "event-store",
        "summary": "3 of 3 verifiers disagree with the stored hash.\nLast good sequence: 48210.",
        "reason": "“hash chain broken” in the title, and event-store is protected.",
        "opened_at": OPENED_AT,
        "url": "https://tocsin.example.org/incidents/42",
        "runbook_title": "Event store: hash chain",
        "runbook_url": "https://tocsin.example.org/runbooks/epic-1-event-store",
        "runbook_steps": ("Stop writes.", "Note the last good sequence.", "Compare the replicas.", "Call a keeper."),
        "halt_recommended": True,
    }
    return Brief(**(values | changes))


def operational(**changes: Any) -> Brief:
    values: dict[str, Any] = {
        "title": "Observer API down",
        "incident_class": "operational",
        "severity": "HIGH",
        "service": "observer",
    }
    return brief(**({"halt_recommended": False} | values | changes))


def page(about: Brief | None = None, standing: Standing = OPEN, **changes: Any) -> Message:
    values: dict[str, Any] = {"to_name": "Ana Lima", "level": 2, "page_id": 7}
    return Message(purpose=Purpose.PAGE, brief=about or brief(), standing=standing, **(values | changes))


def notification(about: Brief | None = None, standing: Standing = OPEN, **changes: Any) -> Message:
    values: dict[str, Any] = {"to_name": "Ana Lima", "level": 1}
    return Message(purpose=Purpose.NOTIFICATION, brief=about or operational(), standing=standing, **(values | changes))


def notice(text: str = "You are on call for primary until Monday, 09:00.", **changes: Any) -> Message:
    """About no incident, as escalation.notices words it."""
    values: dict[str, Any] = {
        "purpose": Purpose.NOTIFICATION,
        "to_name": "Ana Lima",
        "subject": "Your turn has begun",
        "note": text,
    }
    about = of_none("https://tocsin.example.org/oncall", NOW)
    return Message(brief=about, standing=Standing(), **(values | changes))


def announcement(about: Brief | None = None, standing: Standing = OPEN) -> Message:
    return Message(purpose=Purpose.ANNOUNCEMENT, brief=about or brief(), standing=standing)


# Anything that may reach a channel

any_text = st.text(max_size=400) | st.text(
    alphabet=st.sampled_from("<>&\"'|!@#*`\n\x00\ud800\u202e…磁é🔥 a"), max_size=1100
)
any_standing = st.builds(
    Standing,
    status=st.sampled_from(["open", "acknowledged", "resolved", "closed"]),
    level=st.integers(0, 4),
    phase=st.sampled_from(["immediate", "containment", "recovery", "post-incident"]),
    acknowledged_by=any_text,
    acknowledged_at=st.sampled_from([None, NOW]),
    resolved_by=any_text,
    resolved_at=st.sampled_from([None, NOW]),
    awaiting=any_text,
)
any_brief = st.builds(
    brief,
    incident_id=st.integers(1, 2**63 - 1),
    title=any_text,
    incident_class=st.sampled_from(["operational", "constitutional"]),
    severity=st.sampled_from(["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]),
    service=any_text,
    summary=any_text,
    reason=any_text,
    url=st.sampled_from(["", "https://tocsin.example.org/incidents/1"]) | any_text,
    runbook_title=any_text,
    runbook_url=st.just("https://tocsin.example.org/runbooks/x") | any_text,
    runbook_steps=st.lists(any_text, max_size=5).map(tuple),
    halt_recommended=st.booleans(),
)
any_message = st.builds(
    Message,
    purpose=st.sampled_from(list(Purpose)),
    brief=any_brief,
    standing=any_standing,
    to_name=any_text,
    level=st.integers(0, 4),
    page_id=st.none() | st.integers(1, 2**63 - 1),
    repeat=st.booleans(),
    last_resort=st.booleans(),
    note=st.just("") | any_text,
)
LONGEST = page(
    brief(title="&<" * 512, service="<" * 200, summary="&" * 65536, reason=">" * 2000, runbook_steps=("<" * 2000,) * 9),
    last_resort=True,
    repeat=True,
    to_name="&" * 200,
    note="<" * 5000,
)
