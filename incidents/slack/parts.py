"""The pieces of a modal, each within Slack's limits. Pure.

Slack refuses a whole modal for one text that is too long or a list with too many options, so all are cut here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from escalation.channels import slack_parts, wording
from escalation.channels.slack_parts import Block

TITLE_CHARACTERS_MAX = 24
LABEL_CHARACTERS_MAX = 200
OPTION_CHARACTERS_MAX = 75
OPTIONS_MAX = 100  # of a list
TICKS_MAX = 10  # of one group of boxes
TYPED_CHARACTERS_MAX = 2000
BLOCKS_MAX = 100
BUTTONS_IN_A_ROW = 5

Choice = tuple[str, str]  # value, what it is called


def modal(title: str, blocks: Sequence[Block], *, form: str = "", submit: str = "", about: dict[str, Any]) -> Block:
    """`form` names what is sent; without `submit` nothing can be. `about` comes back with everything done in it."""
    drawn: Block = {
        "type": "modal",
        "callback_id": form,
        "title": slack_parts.plain(wording.one_line(title, TITLE_CHARACTERS_MAX)),
        "close": slack_parts.plain("Close"),
        "private_metadata": json.dumps(about, separators=(",", ":")),
        "blocks": list(blocks[:BLOCKS_MAX]),
    }
    return drawn | ({"submit": slack_parts.plain(submit)} if submit else {})


def typed(field: str, label: str, *, lines: bool = False, optional: bool = False, hint: str = "") -> Block:
    element = {
        "type": "plain_text_input",
        "action_id": "entered",
        "multiline": lines,
        "max_length": TYPED_CHARACTERS_MAX,
    }
    return _input(field, label, element, optional=optional, hint=hint)


def chosen(field: str, label: str, choices: Sequence[Choice], *, first: str = "", optional: bool = False) -> Block:
    """One out of a list; of a very long one, the list is cut into groups of a hundred. `first` is chosen already."""
    options = [_option(*each) for each in choices]
    element: Block = {"type": "static_select", "action_id": "chosen"}
    if len(options) <= OPTIONS_MAX:
        element["options"] = options
    else:
        groups = [options[i : i + OPTIONS_MAX] for i in range(0, len(options), OPTIONS_MAX)][:OPTIONS_MAX]
        element["option_groups"] = [
            {"label": slack_parts.plain(f"from {group[0]['text']['text'][:60]}"), "options": group} for group in groups
        ]
    if initial := next((each for each in options if first and each["value"] == first), None):
        element["initial_option"] = initial
    return _input(field, label, element, optional=optional)


def ticked(field: str, label: str, choices: Sequence[Choice], *, optional: bool = False) -> list[Block]:
    """Any of a list, in groups that are as long as Slack allows; their fields are `field.1`, `field.2`, …."""
    groups = [choices[i : i + TICKS_MAX] for i in range(0, len(choices), TICKS_MAX)]
    return [
        _input(
            f"{field}.{number}" if number > 1 else field,
            label if number == 1 else f"{label}, further",
            {"type": "checkboxes", "action_id": "ticked", "options": [_option(*each) for each in group]},
            optional=optional or len(groups) > 1,
        )
        for number, group in enumerate(groups, start=1)
    ]


def buttons(row: str, made: Sequence[Block]) -> list[Block]:
    """Rows of at most five."""
    rows = [made[i : i + BUTTONS_IN_A_ROW] for i in range(0, len(made), BUTTONS_IN_A_ROW)]
    return [
        {"type": "actions", "block_id": f"{row}.{number}", "elements": list(each)} for number, each in enumerate(rows)
    ]


def confirmed(button: Block, title: str, text: str, yes: str) -> Block:
    return button | {
        "confirm": {
            "title": slack_parts.plain(wording.one_line(title, 100)),
            "text": slack_parts.plain(wording.one_line(text, 300)),
            "confirm": slack_parts.plain(wording.one_line(yes, 30)),
            "deny": slack_parts.plain("Not yet"),
        }
    }


def said(sentence: str) -> Block:
    """A sentence of Tocsin's, which may quote anybody."""
    text = wording.paragraphs(sentence, slack_parts.SECTION_CHARACTERS_MAX)
    return slack_parts.section(wording.escaped(text, slack_parts.SECTION_CHARACTERS_MAX) or "…")


def lines(made: Sequence[str]) -> Block:
    """As many lines of ours, escaped already, as one section holds."""
    kept, room = [], slack_parts.SECTION_CHARACTERS_MAX - 20
    for line in made:
        if room < len(line) + 1:
            kept.append("…")
            break
        kept.append(line)
        room -= len(line) + 1
    return slack_parts.section("\n".join(kept))


def quoted(text: str, characters_max: int) -> str:
    """Somebody's words in a line of ours."""
    return wording.escaped(wording.one_line(text, characters_max), characters_max * 2)


def _input(field: str, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    drawn: Block = {
        "type": "input",
        "block_id": field,
        "label": slack_parts.plain(wording.one_line(label, LABEL_CHARACTERS_MAX)),
        "element": element,
        "optional": optional,
    }
    return drawn | ({"hint": slack_parts.plain(wording.one_line(hint, LABEL_CHARACTERS_MAX))} if hint else {})


def _option(value: str, label: str) -> Block:
    return {
        "text": slack_parts.plain(wording.one_line(label, OPTION_CHARACTERS_MAX) or value[:75]),
        "value": value[:75],
    }


def cut(problem: str) -> str:
    """What is wrong with a field, as long as Slack shows it."""
    return wording.one_line(problem[:1].upper() + problem[1:], LABEL_CHARACTERS_MAX)
