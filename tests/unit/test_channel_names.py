"""Each way has one name for people, whoever says it."""

from __future__ import annotations

import re

import pytest

from config.per_channel import CHANNELS
from escalation.channels import names
from tests.rules import house

# `by {page.channel}` and the like: a sentence that says a key where it should say a name.
SAYS_KEY = re.compile(r"\b(?:by|in|to|for) \{[a-z_.]*(?:channel|via)\}")


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_every_channel_has_a_name_within_a_sentence_and_at_its_beginning(channel: str) -> None:
    assert names.name(channel) != "" and names.title(channel)[0].isupper()
    assert names.title(channel).casefold() == names.name(channel).casefold()
    assert channel in names.NAMES


def test_what_has_no_name_goes_by_its_key() -> None:
    assert names.name("carrier-pigeon") == "carrier-pigeon"


def test_no_sentence_says_a_key() -> None:
    said = [
        f"{file}: {found[0]}"
        for file in house.files()
        if file.suffix == ".py" and file.parts[0] in ("escalation", "incidents")
        for found in SAYS_KEY.finditer(house.text(file))
    ]
    assert said == []
