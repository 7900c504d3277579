from __future__ import annotations

import dataclasses
import re
from typing import Any

from hypothesis import example, given, settings
from slack_sdk.models.blocks import Block

from escalation.brief import Standing
from escalation.channels import slack_blocks
from escalation.channels.base import Message
from tests.messages import (
    ACKNOWLEDGED,
    LONGEST,
    OPEN,
    RESOLVED,
    announcement,
    any_message,
    brief,
    notification,
    operational,
    page,
)


def _buttons(message: Message) -> list[dict[str, Any]]:
    blocks = [block for block in slack_blocks.render(message)["blocks"] if block["type"] == "actions"]
    return [button for block in blocks for button in block["elements"]]


def _labels(message: Message) -> list[str]:
    return [button["text"]["text"] for button in _buttons(message)]


def _texts(node: Any, kind: str = "") -> list[dict[str, Any]]:
    """The text objects anywhere in a message."""
    if isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "plain_text"):
            return [node] if kind in ("", node["type"]) else []
        node = list(node.values())
    return [text for child in node for text in _texts(child, kind)] if isinstance(node, list) else []


def _shown(rendered: dict[str, Any]) -> str:
    return "\n".join(text["text"] for text in _texts([rendered["blocks"], rendered["attachments"]]))


def test_an_open_incident_has_three_buttons_that_carry_its_number() -> None:
    assert _labels(announcement()) == ["Acknowledge", "Resolve", "More…"]
    assert {button["value"] for button in _buttons(announcement())} == {"42"}
    assert [button["action_id"] for button in _buttons(announcement())] == [
        "tocsin.acknowledge",
        "tocsin.resolve",
        "tocsin.more",
    ]
    actions = next(block for block in slack_blocks.render(announcement())["blocks"] if block["type"] == "actions")
    assert actions["block_id"] == "incident:42"


def test_after_acknowledgement_only_resolve_and_more_are_left_and_after_resolution_nothing() -> None:
    assert _labels(announcement(standing=ACKNOWLEDGED)) == ["Resolve", "More…"]
    assert _labels(announcement(standing=RESOLVED)) == []
    assert _labels(announcement(standing=dataclasses.replace(RESOLVED, status="closed"))) == []


def test_the_state_is_a_coloured_line_with_who_and_when() -> None:
    assert "*Open, not acknowledged*" in _shown(slack_blocks.render(announcement()))
    assert "*Acknowledged by Ana Lima at 03:12 UTC*" in _shown(slack_blocks.render(announcement(standing=ACKNOWLEDGED)))
    assert "*Resolved by Bo Chen at 05:02 UTC*" in _shown(slack_blocks.render(announcement(standing=RESOLVED)))


def test_red_wants_somebody_amber_has_somebody_green_is_over_and_grey_waits() -> None:
    waits = dataclasses.replace(ACKNOWLEDGED, awaiting="2 keepers' approval to resolve")
    queued = Standing(level=0)
    assert slack_blocks.color(brief(), OPEN) == slack_blocks.RED
    assert slack_blocks.color(brief(), dataclasses.replace(OPEN, awaiting="approval")) == slack_blocks.RED
    assert slack_blocks.color(brief(), ACKNOWLEDGED) == slack_blocks.AMBER
    assert slack_blocks.color(brief(), RESOLVED) == slack_blocks.GREEN
    assert slack_blocks.color(brief(), waits) == slack_blocks.GREY
    assert slack_blocks.color(operational(severity="LOW"), queued) == slack_blocks.GREY
    assert slack_blocks.color(operational(severity="HIGH"), queued) == slack_blocks.RED


def test_the_message_shows_class_severity_service_level_phase_reason_and_the_first_steps() -> None:
    shown = _shown(slack_blocks.render(announcement()))
    assert "*Constitutional CRITICAL* · event-store · level 2 · containment phase" in shown
    assert "*Why:* “hash chain broken” in the title, and event-store is protected." in shown
    assert "<https://tocsin.example.org/runbooks/epic-1-event-store|Event store: hash chain>" in shown
    assert "1. Stop writes.\n2. Note the last good sequence.\n3. Compare the replicas.\n… and 1 more step" in shown


def test_a_constitutional_critical_incident_says_that_a_halt_is_recommended_and_a_keeper_asked() -> None:
    assert "*A halt is recommended. A keeper is asked to decide.*" in _shown(slack_blocks.render(announcement()))
    assert "halt" not in _shown(slack_blocks.render(announcement(operational()))).lower()


def test_a_direct_message_says_that_and_at_which_level_its_reader_is_paged() -> None:
    first = slack_blocks.render(page(last_resort=True))["blocks"][0]["text"]["text"]
    assert first == "*You are paged at level 2. You are the last resort: nobody else could be reached.*"
    assert "You were paged at level 2." in _shown(slack_blocks.render(page(standing=ACKNOWLEDGED)))
    assert "paged" not in _shown(slack_blocks.render(announcement()))


def test_a_lock_screen_shows_page_number_severity_and_title_first() -> None:
    assert slack_blocks.render(page())["text"].startswith(
        "You are paged: 42 CRITICAL constitutional: Hash chain broken"
    )


def test_while_something_waits_for_approval_keepers_find_the_buttons_for_it() -> None:
    waits = dataclasses.replace(ACKNOWLEDGED, awaiting="two keepers' approval to resolve")
    assert _labels(announcement(standing=waits)) == ["Resolve", "More…", "Approve…", "Decline…"]


def test_what_came_from_outside_cannot_mention_anybody_in_slack() -> None:
    rendered = slack_blocks.render(page(brief(title="<!channel> <@U0ANA> & co", summary="<https://evil.example|Ack>")))
    shown = _shown(rendered)
    assert "&lt;!channel&gt; &lt;@U0ANA&gt; &amp; co" in shown
    assert "<!channel" not in shown + rendered["text"]
    assert "<https://evil" not in shown


def test_slack_is_told_to_make_no_links_or_mentions_of_its_own() -> None:
    assert _texts(slack_blocks.render(page()), "mrkdwn")
    assert all(text["verbatim"] is True for text in _texts(slack_blocks.render(page()), "mrkdwn"))


def test_a_notification_with_its_own_words_has_no_buttons() -> None:
    rendered = slack_blocks.render(notification(note="You are on call from now on."))
    assert rendered["text"] == "You are on call from now on."
    assert _labels(notification(note="You are on call from now on.")) == []


def test_an_address_that_is_not_for_a_browser_becomes_no_link() -> None:
    rendered = slack_blocks.render(
        announcement(brief(url="javascript:alert(1)", runbook_url="https://x.example/>|<!here>"))
    )
    assert "javascript" not in str(rendered)
    assert "<" not in _shown(rendered)


@settings(deadline=None)
@given(any_message)
@example(LONGEST)
def test_every_slack_message_is_valid_block_kit_within_slacks_limits(message: Message) -> None:
    rendered = slack_blocks.render(message)
    blocks = [*rendered["blocks"], *(block for one in rendered["attachments"] for block in one["blocks"])]
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
    assert len(rendered["text"]) <= 4000
    assert sum(len(str(block)) for block in blocks) <= 13_000


@settings(deadline=None)
@given(any_message)
@example(LONGEST)
def test_no_slack_message_lets_text_from_outside_open_a_bracket(message: Message) -> None:
    rendered = slack_blocks.render(message)
    links = r"<https?://[^\s<>|]+\|[^<>|]*>"  # Tocsin's own, with an escaped label
    everything = re.sub(links, "", "\n".join([_shown(rendered), rendered["text"], slack_blocks.plain_text(message)]))
    assert "<" not in everything
    assert not re.search("&(?!amp;|lt;|gt;)", everything)


def test_a_room_that_mentions_people_names_those_who_were_paged_and_no_others() -> None:
    paged = dataclasses.replace(announcement(), mentions=("U0ANA", "U0BO", "!channel", "<@U0EVE>", "S0TEAM"))
    assert "*Paged:* <@U0ANA> <@U0BO>" in _shown(slack_blocks.render(paged)).splitlines()
    assert "Paged:" not in _shown(slack_blocks.render(announcement()))


def test_who_is_only_told_reads_that_and_what_comes_of_it_and_no_level_that_was_not_reached() -> None:
    first = Standing(status="open", level=0, phase="immediate")
    medium = _shown(slack_blocks.render(notification(operational(severity="MEDIUM"), first)))
    assert "You are told, not paged yet: if nobody acknowledges, paging begins 15 minutes later." in medium
    assert "level 1" not in medium
    low = _shown(slack_blocks.render(notification(operational(severity="LOW"), first)))
    assert "You are told, not paged: nobody is woken for it." in low
    for later in (OPEN, ACKNOWLEDGED, RESOLVED):  # people are paged by now, or somebody has it
        assert "You are told" not in _shown(slack_blocks.render(notification(operational(severity="MEDIUM"), later)))
    assert "You are told" not in _shown(slack_blocks.render(announcement(standing=first)))
    assert "You are told" not in _shown(slack_blocks.render(notification(brief(), first)))  # a keeper, about a halt
