"""PagerDuty's Events API v1, which pd-nagios, Healthchecks and Alertmanager's `service_key` still speak. Pure.

An event is put into the words of v2 and read as one; what differs are the names, and the answers' `incident_key`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from incidents.compat import pagerduty
from incidents.compat.pagerduty import Event, Refusal
from incidents.sources import reading
from incidents.sources.base import PayloadRefusedError

PATH = "/generic/2010-04-15/create_event.json"
NAMES = (("service_key", "routing_key"), ("event_type", "event_action"), ("incident_key", "dedup_key"))


def read_event(body: bytes, *, now: datetime, new_dedup_key: Callable[[], str]) -> Event | Refusal:
    """Never raises. v1 has no severity, and everything that it triggers pages: critical, as PagerDuty takes it."""
    try:
        sent = reading.storable(reading.json_value(body, strict=True))
    except PayloadRefusedError as refused:
        return pagerduty.unrecognized(refused.problem)
    if not isinstance(sent, dict):
        return pagerduty.unrecognized("the body is not a JSON object")
    event = {ours: sent[theirs] for theirs, ours in NAMES if theirs in sent}
    if "description" in sent:
        client = reading.name_of(sent.get("client")) or "Events API v1"
        event["payload"] = {"summary": sent["description"], "source": client, "severity": "critical"}
        if sent.get("details") not in (None, "", {}, []):
            event["payload"]["custom_details"] = sent["details"]
    event |= {name: sent[name] for name in ("client", "client_url") if name in sent}
    contexts = [each for each in _list(sent.get("contexts")) if isinstance(each, dict)]
    event["links"] = [each for each in contexts if each.get("type") == "link"]
    event["images"] = [each for each in contexts if each.get("type") == "image"]
    written = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    read = pagerduty.read_event(written, now=now, new_dedup_key=new_dedup_key)
    return _in_its_names(read) if isinstance(read, Refusal) else read


def accepted(incident_key: str) -> dict[str, Any]:
    """The body of the 200 for an event that is stored."""
    return {"status": "success", "message": "Event processed", "incident_key": incident_key}


def _in_its_names(refusal: Refusal) -> Refusal:
    names = (*NAMES, ("description", "payload.summary"), ("description", "payload"))
    errors = refusal.body.get("errors", [])
    for theirs, ours in names:
        errors = [error.replace(f"'{ours}'", f"'{theirs}'") for error in errors]
    return dataclasses.replace(refusal, body=refusal.body | {"errors": errors})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
