"""Healthchecks.io's webhook, hosted or one's own. Pure.

Address, headers and body are templates that people write, for "down" and for "up": JSON, a form, a query or a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError
from incidents.sources.parts import Named

NAME = "healthchecks"

STATES: Mapping[str, AlertStatus] = {"down": AlertStatus.FIRING, "up": AlertStatus.RESOLVED}
OWN = ("code", "dedupkey", "status", "checkuuid", "checkstatus")
TEST = "TEST"  # what the check is called that "Send test notification" invents

_SENTENCE = re.compile(r"(.+?)\s+is\s+(down|up)\b.*", re.I | re.S)
# A name with a quotation mark breaks a template that says "$NAME": what leads to an incident is found all the same.
_STATUS = re.compile(r'"(?:status|event_action)"\s*:\s*"(down|up)"', re.I)
_CODE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_NAME = re.compile(r'"(?:title|name)"\s*:\s*"(.*?)"\s*[,}]', re.S)


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert; none for a test notification, and for a state that is neither up nor down."""
    if isinstance(payload, str):
        payload = _from_text(payload)
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be an object, or a sentence like “Backup is down”")
    check = parts.object_of(payload.get("check"))
    fields = Named({**payload, "check": check} if check else payload)
    if not fields.has(OWN):
        return parts.otherwise(NAME, payload, now)
    name = fields.text("title", "name", "checkname")
    state = fields.text("status", "checkstatus").casefold()
    status = STATES.get(state, AlertStatus.FIRING if not state else None)
    if status is None or name == TEST:
        return []
    code = fields.text("code", "dedupkey", "checkuuid")
    if not name and not code:
        raise PayloadRefusedError("name", "is missing, and so is code: nothing says which check this is")
    tags = fields.text("tags", "checktags").split()
    named = dict(tag.split(":", 1) for tag in tags if ":" in tag)
    told = name or f"Check {code}"
    exit_status = fields.text("exitstatus")
    title, body = reading.compose(
        told,
        fields.text("checkdesc"),
        fields.text("lastpingbody", "body"),
        parts.section("Exit status", "" if exit_status == "-1" else exit_status),  # -1: unknown
        parts.section("Last ping", fields.text("checklastping")),
    )
    page = reading.link(fields.text("checkdetailsurl", "url", "checkupdateurl"), "Healthchecks")
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(code or reading.digest(told)),
            status=status,
            title=title,
            body=body,
            service=reading.name_of(named.get("service")),
            environment=reading.name_of(named.get("environment") or named.get("env")),
            labels=reading.labels(
                {"alertname": told},
                named,
                {tag: "true" for tag in tags if ":" not in tag},
                parts.labels(schedule=check.get("schedule"), tz=check.get("tz"), grace=check.get("grace")),
            ),
            links=reading.links(page, reading.link(check.get("badge_url"), "Badge")),
            started_at=reading.moment(fields.text("now")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]


def _from_text(text: str) -> dict[str, Any]:
    whole = reading.clean(text).strip()
    if whole.startswith("{"):
        status, code, name = _STATUS.search(whole), _CODE.search(whole), _NAME.search(whole)
        if not status or not code:
            raise PayloadRefusedError(
                "", "the body is not JSON; write $NAME_JSON and $BODY_JSON, without quotation marks"
            )
        return {"code": code[0], "status": status[1], "name": name[1] if name else "", "body": whole}
    if not whole:
        raise PayloadRefusedError(
            "", "the body is empty; a template says which check it is and whether it is up or down"
        )
    sentence = _SENTENCE.fullmatch(whole)
    if sentence:
        return {"name": reading.one_line(sentence[1]), "status": sentence[2], "text": whole}
    return {"name": reading.one_line(whole.partition("\n")[0]), "status": "down", "body": whole}
