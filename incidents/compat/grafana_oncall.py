"""Grafana OnCall's integrations: which source reads what each type sends. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

# OnCall's type -> the source that reads it, where its name is another.
TYPES: Mapping[str, str] = {
    "legacy_alertmanager": "alertmanager",
    "grafana_alerting": "grafana",
    "legacy_grafana_alerting": "grafana",
    "amazon_sns": "cloudwatch",
    "sentry_platform": "sentry",
    "webhook": "generic",
    "formatted_webhook": "generic",
}
GENERIC = "generic"
UNTITLED = "An alert without a title"
SAYS_WHAT = ("title", "message", "alert_uid")  # of a formatted webhook, none of which is required


def readers(kind: str, declared: str, known: Collection[str]) -> list[str]:
    """The sources that may read it, in order: what the integration was declared as, what the path says, and the
    generic one: a type that nobody knows must not cost a page. `known` are the sources there are."""
    by_path = TYPES.get(kind, kind.replace("_", "-"))
    return [name for name in dict.fromkeys((declared, by_path, GENERIC)) if name in known]


def titled(payload: Any) -> Any:
    """A formatted webhook may come without all that the generic source reads a title from."""
    if not isinstance(payload, Mapping) or not payload or payload.get("title") or payload.get("message"):
        return payload
    return {**payload, "title": next((payload[name] for name in SAYS_WHAT if payload.get(name)), UNTITLED)}
