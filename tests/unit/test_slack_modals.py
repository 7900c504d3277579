"""The modal and its forms: within Slack's limits whatever is written into them, and nothing in them is anybody's markup."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.actor import Actor
from escalation.queries import Person
from incidents.proof.models import TimelineEntry
from incidents.queries_detail import (
    ClassificationShown,
    DecisionShown,
    IncidentDetail,
    Milestones,
    RequestShown,
    RunbookAttached,
)
from incidents.queries_hands import StepShown
from incidents.slack import form_views, hub
from incidents.slack.hub import Shown
from tests.fakes import slack_views

AT = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)
EVIL = "<!channel> <@U0ANA> <https://evil.example|Ack> & :fire: *b* \u202e\u061c\0" + "<" * 4000
ANA = Person("ana", "Ana Lima")
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.just(EVIL)


def shown(
    words: str = "Observer API down", *, roles: tuple[str, ...] = ("responder", "keeper"), steps: int = 3
) -> Shown:
    asked = RequestShown(
        "resolve",
        {},
        words,
        Person("bo", words[:200]),
        AT,
        AT,
        "pending",
        None,
        (DecisionShown(ANA, "approve", "", AT),),
    )
    book = RunbookAttached(
        id="x", title=words, version="1", url="https://tocsin.example.org/runbooks/x", reason="", attached_at=AT,
        sha256="", changed=False, candidates=(), emergency=None,
        steps=tuple(StepShown(n, words, "", words if n % 3 == 0 else "", AT, "") for n in range(1, steps + 1)),
    )  # fmt: skip
    incident = made(
        IncidentDetail,
        number=42, title=words, incident_class="operational", severity="HIGH", status="open", service=words[:64],
        level=2, phase="containment", opened_at=AT, milestones=Milestones(None, None, None, None, None),
        classification=made(ClassificationShown, sentence=words), runbook=book, requests=(asked,),
        url="https://tocsin.example.org/incidents/42",
    )  # fmt: skip
    entries = [TimelineEntry(occurred_at=AT, text=words) for _ in range(8)]
    return Shown(incident, entries, Actor("Ana Lima", responder_id=1, key="ana", roles=frozenset(roles)))


def made(kind: type[Any], **known: Any) -> Any:
    """One of these with what a modal shows of it; the rest is nothing."""
    return kind(**{each.name: None for each in fields(kind)} | known)


def everything(drawn: Shown, people: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        hub.view(drawn, sentence=drawn.incident.title),
        form_views.resolve(drawn, by_itself=True),
        form_views.decide(drawn, decision="approve", by_itself=False),
        form_views.note(drawn),
        form_views.severity(drawn),
        form_views.snooze(drawn),
        form_views.add(drawn, people),
        form_views.reassign(drawn, people),
        form_views.steps(drawn),
        form_views.report(people, title=drawn.incident.title),
        form_views.plain("Tocsin", drawn.incident.title),
    ]


def _markup(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["text"]] if node.get("type") == "mrkdwn" else []
        return own + [text for child in node.values() for text in _markup(child)]
    return [text for child in node for text in _markup(child)] if isinstance(node, list) else []


@settings(deadline=None, max_examples=25)
@given(anything, st.integers(1, 40), st.integers(1, 250))
@example(EVIL, 40, 250)
def test_every_modal_keeps_to_slacks_limits_and_takes_no_markup_from_outside(words: str, steps: int, many: int) -> None:
    people = [(f"person-{n}", f"{words[:80]} {n}") for n in range(many)]
    for view in everything(shown(words or "x", steps=steps), people):
        assert slack_views.problem(view) == ""
        text = re.sub(r"<https?://[^\s<>|]+\|[^<>|]*>", "", "\n".join(_markup(view)))
        assert "<" not in text
        assert not re.search("&(?!amp;|lt;|gt;)", text)
        assert not re.search("[\u202e\u061c\0]", text)


def test_who_may_only_look_has_no_button() -> None:
    assert '"button"' not in str(hub.view(shown(roles=("observer",)))).replace("'", '"')


def test_only_a_keeper_is_offered_the_decision() -> None:
    assert "tocsin.approve" in str(hub.view(shown()))
    assert "tocsin.approve" not in str(hub.view(shown(roles=("responder",))))


def test_what_is_over_takes_notes_and_nothing_else() -> None:
    drawn = shown()
    over = replace(drawn, incident=replace(drawn.incident, status="resolved", resolved_by="Bo Chen", resolved_at=AT))
    view = str(hub.view(over))
    assert "tocsin.form.note" in view
    assert not [action for action in ("tocsin.resolve", "tocsin.form.snooze", "tocsin.escalate") if action in view]
    assert "Resolved by Bo Chen at 03:12 UTC" in view


def test_more_than_ten_steps_are_in_groups_that_slack_takes_and_read_as_one_list() -> None:
    blocks = form_views.steps(shown(steps=40))["blocks"]
    boxes = [block for block in blocks if block.get("element", {}).get("type") == "checkboxes"]
    assert [block["block_id"] for block in boxes] == ["steps", "steps.2", "steps.3"]
    assert sum(len(block["element"]["options"]) for block in boxes) == 27
