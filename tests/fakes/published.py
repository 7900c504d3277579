"""What a request is judged by that the fakes' author did not write: the providers' own published API descriptions.

The files in tests/contract/published are cut out of them; each says of which. An argument that the description does
not know is a fault too: the provider would ignore it, and so would everybody who looks for why it has no effect.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "contract" / "published"
# Slack's description of 2020 is older than these, or its copy here lacks them.
NOT_DESCRIBED = frozenset({"views.update", "usergroups.users.update", "apps.connections.open"})


@cache
def _requests(provider: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{provider}.json").read_text())["requests"]
    return found


def slack(method: str, arguments: dict[str, Any], *, is_json: bool) -> list[str]:
    """What Slack's description finds wrong with these arguments of this method."""
    if method in NOT_DESCRIBED:
        return []
    described = _requests("slack").get(method)
    if described is None:
        return [f"Slack has no method {method}"]
    return _problems(arguments, described["json" if is_json else "form"], method, as_text=not is_json)


def twilio(resource: str, form: dict[str, list[str]]) -> list[str]:
    """Of a form's fields, each with all its values."""
    schema = _requests("twilio")[resource]["form"]
    given = {
        name: values if schema["properties"].get(name, {}).get("type") == "array" else values[-1]
        for name, values in form.items()
    }
    return _problems(given, schema, resource, as_text=True)


def _problems(given: dict[str, Any], schema: dict[str, Any], where: str, *, as_text: bool) -> list[str]:
    properties = schema.get("properties", {})
    found = [f"{where}: {name} is required" for name in schema.get("required", []) if name not in given]
    for name, value in given.items():
        if name not in properties:
            found.append(f"{where}: there is no argument {name}")
        elif problem := _wrong(value, properties[name], as_text=as_text):
            found.append(f"{where}: {name} {problem}: {str(value)[:80]!r}")
    return found


def _wrong(value: Any, schema: dict[str, Any], *, as_text: bool) -> str:
    if "oneOf" in schema:
        ways = [_wrong(value, each, as_text=as_text) for each in schema["oneOf"]]
        return "" if "" in ways else " and ".join(ways)
    kind = schema.get("type", "string")
    if kind == "array":
        if not isinstance(value, list):
            return "must be a list"
        return next((wrong for each in value if (wrong := _wrong(each, schema.get("items", {}), as_text=as_text))), "")
    if not (_is_text_of(value, kind) if as_text else _is(value, kind)):
        return f"must be {kind}"
    text = str(value)
    if "enum" in schema and text not in schema["enum"]:
        return f"must be one of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], text):
        return f"must match {schema['pattern']}"
    if schema.get("format") == "uri" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", text):
        return "must be a URI"
    return "" if schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)) else "has a wrong length"


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    kinds: dict[str, type] = {"string": str, "boolean": bool, "object": dict}
    return isinstance(value, kinds[kind])


def _is_text_of(value: Any, kind: str) -> bool:
    patterns = {"integer": r"-?[0-9]+", "number": r"-?[0-9.]+", "boolean": "true|false|True|False|0|1"}
    return isinstance(value, str) and (kind not in patterns or bool(re.fullmatch(patterns[kind], value)))
