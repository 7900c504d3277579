"""What Slack refuses a modal for, by its published limits, and the state of a form that somebody filled in."""

from __future__ import annotations

from typing import Any

from slack_sdk.models.blocks import Block

LENGTHS = {"title": 24, "submit": 24, "close": 24}


def problem(view: Any) -> str:
    """The first thing that is wrong with it; empty if nothing is."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        return "a modal is expected"
    for name, most in LENGTHS.items():
        if name in view and not 0 < len(view[name]["text"]) <= most:
            return f"{name} must have 1 to {most} characters"
    if len(view.get("private_metadata", "")) > 3000 or len(view.get("callback_id", "")) > 255:
        return "private_metadata or callback_id is too long"
    blocks = view.get("blocks") or []
    if not 0 < len(blocks) <= 100:
        return "1 to 100 blocks are expected"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)) or any(len(each) > 255 for each in ids):
        return "block ids must be unique"
    if any(block["type"] == "input" for block in blocks) and "submit" not in view:
        return "a form needs a submit button"
    return next((found for block in blocks if (found := _of_block(block))), "")


def _of_block(block: dict[str, Any]) -> str:
    parsed = Block.parse(block)
    if parsed is None:
        return f"{block['type']} is no block"
    parsed.validate_json()
    if block["type"] == "section" and not 0 < len(block["text"]["text"]) <= 3000:
        return "a section has 1 to 3000 characters"
    if block["type"] == "actions" and not 0 < len(block["elements"]) <= 25:
        return "1 to 25 elements are expected"
    for element in block.get("elements", []):
        if element.get("type") == "button" and (len(element["text"]["text"]) > 75 or len(element["value"]) > 2000):
            return "a button is too long"
    return _of_element(block.get("element", {})) if block["type"] == "input" else ""


def _of_element(element: dict[str, Any]) -> str:
    options = list(element.get("options", []))
    groups = element.get("option_groups", [])
    for group in groups:
        options += group["options"]
        if not 0 < len(group["options"]) <= 100 or len(group["label"]["text"]) > 75:
            return "a group has 1 to 100 options and a short label"
    most = {"checkboxes": 10, "radio_buttons": 10}.get(element["type"], 10_000 if groups else 100)
    if element["type"] != "plain_text_input" and not 0 < len(options) <= most:
        return f"{element['type']} takes 1 to {most} options, not {len(options)}"
    if len(groups) > 100:
        return "100 groups at most"
    if any(not 0 < len(o["text"]["text"]) <= 75 or not 0 < len(o["value"]) <= 75 for o in options):
        return "an option's text and value have 1 to 75 characters"
    if len({o["value"] for o in options}) != len(options):
        return "values must differ"
    return "" if element.get("max_length", 1) <= 3000 else "max_length is 3000 at most"


def state(view: dict[str, Any], entered: dict[str, Any]) -> dict[str, Any]:
    """`view.state.values`: every input there is, filled in as `entered` says."""
    found: dict[str, Any] = {}
    for block in (each for each in view["blocks"] if each["type"] == "input"):
        element, given = block["element"], entered.get(block["block_id"])
        found[block["block_id"]] = {element["action_id"]: _filled(element, given)}
    unknown = set(entered) - set(found)
    assert not unknown, f"the form has no {sorted(unknown)}"
    return found


def _filled(element: dict[str, Any], given: Any) -> dict[str, Any]:
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": given if given is not None else element.get("initial_value")}
    options = [*element.get("options", []), *(o for g in element.get("option_groups", []) for o in g["options"])]
    if kind == "checkboxes":
        return {"type": kind, "selected_options": [o for o in options if o["value"] in (given or [])]}
    chosen = next((o for o in options if o["value"] == given), element.get("initial_option"))
    assert given is None or (chosen and chosen["value"] == given), f"{given!r} cannot be chosen"
    return {"type": kind, "selected_option": chosen}
