from __future__ import annotations

import json
from typing import Any

import pytest

from escalation.channels import console, slack_blocks, text, twiml, voice
from escalation.channels.base import Sent
from tests.messages import ACKNOWLEDGED, announcement, page

Record = list[tuple[str, str, dict[str, Any]]]


def _console(channel: str) -> tuple[console.Console, Record]:
    record: Record = []

    def keep(name: str, address: str, rendered: dict[str, Any]) -> str:
        record.append((name, address, rendered))
        return str(len(record))

    return console.Console(channel, keep, base_url="https://tocsin.example.org"), record


def test_the_console_keeps_what_the_text_message_would_say() -> None:
    shown, record = _console("sms")
    assert shown.send("+351910000001", page()) == Sent(provider_id="1")
    [(channel, address, rendered)] = record
    assert (shown.name, channel, address) == ("sms", "sms", "+351910000001")
    assert rendered["body"] == text.sms(page())
    assert rendered["parts"] == 1


def test_the_console_keeps_what_the_call_would_say() -> None:
    shown, record = _console("voice")
    shown.send("+351910000001", page())
    assert record[0][2]["twiml"] == twiml.call(page(), voice.action_url("https://tocsin.example.org", page()))


def test_an_edit_in_slack_replaces_the_message_on_the_console() -> None:
    shown, record = _console("slack")
    sent = shown.send("#incidents", announcement())
    shown.update("#incidents", sent.ref, announcement(standing=ACKNOWLEDGED))
    assert record[0][2]["blocks"] == slack_blocks.render(announcement())["blocks"]
    assert record[1][2]["blocks"] == slack_blocks.render(announcement(standing=ACKNOWLEDGED))["blocks"]
    assert record[1][2]["replaces"] == "1"


@pytest.mark.parametrize("channel", ["sms", "voice", "email"])
def test_what_cannot_be_edited_leaves_no_second_record(channel: str) -> None:
    shown, record = _console(channel)
    sent = shown.send("ana", page())
    assert shown.update("ana", sent.ref, page(standing=ACKNOWLEDGED)) == Sent()
    assert len(record) == 1


@pytest.mark.parametrize("channel", sorted(console.RENDERERS))
def test_what_the_console_keeps_is_json_with_a_line_for_a_terminal(channel: str) -> None:
    rendered = console.render(channel, page())
    assert json.loads(json.dumps(rendered)) == rendered
    assert rendered["line"].startswith("page to Ana Lima at level 2: 42 CRITICAL constitutional")
