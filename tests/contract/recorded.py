"""The recorded payloads beside the project, each read as its index says. Those that may be copied are in `payloads/`.

Of these, some are others' work: `workflow_*` and `ping` of github are octokit/webhooks' examples (MIT), `issue.created`
and `issue.resolved` of sentry and `workflow.*` of newrelic are Zulip's fixtures (Apache 2.0), `legacy-webhooks-plugin` of
sentry and `incident.open.keep-mock` of gcp-monitoring are Keep's (MIT), `legacy-alerting.*` of grafana is GoAlert's
(Apache 2.0). What uptime-kuma, healthchecks and nagios sent was recorded from the real programs. The rest was composed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from incidents.sources.base import IncomingAlert, PayloadRefusedError
from incidents.sources.table import SOURCES, Parse

NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
KEPT = Path(__file__).parent / "payloads"
RECORDED = Path(__file__).parents[2].parent / "shared" / "payloads"
needed = pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded payloads are not beside the project")

Read = list[tuple[str, str]]  # (status, title) of each alert


def kept(source: str, name: str) -> Any:
    """What the parser is given of one of the project's own copies."""
    return content(KEPT / source / name)


def parse_of(source: str) -> Parse:
    return SOURCES[source].parse


def one(source: str, name: str) -> IncomingAlert:
    (alert,) = parse_of(source)(kept(source, name), now=NOW)
    return alert


def refused(source: str, payload: Any) -> str:
    with pytest.raises(PayloadRefusedError) as error:
        parse_of(source)(payload, now=NOW)
    return error.value.field


def content(file: Path) -> Any:
    """A file as the transport gives it: JSON, a query, a form, or text."""
    data = file.read_bytes()
    if file.suffix == ".json":
        found = json.loads(data)
        if isinstance(found, dict) and "target" in found and "method" in found:
            return dict(parse_qsl(urlsplit(found["target"]).query, keep_blank_values=True))
        return found
    text = data.decode()
    if text.startswith("-----"):
        boundary = text.partition("\n")[0].strip().removeprefix("--")
        parts = message_from_bytes(f"Content-Type: multipart/form-data; boundary={boundary}\n\n".encode() + data)
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode()  # type: ignore[union-attr]  # of bytes
            for part in parts.get_payload()
        }
    if ".form" in file.name:
        return dict(parse_qsl(text, keep_blank_values=True))
    return text.strip()


def differences(
    source: str, folder: str, otherwise: Mapping[str, Read | None], *, root: Path = RECORDED
) -> dict[str, Any]:
    """File -> what was read, where that is not what the index says (or `otherwise`: None leaves the file out)."""
    found: dict[str, Any] = {}
    for entry in json.loads((root / folder / "INDEX.json").read_text())["files"]:
        name = entry["file"]
        expected = otherwise.get(name, [(each["status"], each["title"]) for each in entry.get("alerts", [])])
        if expected is None or ("alerts" not in entry and name not in otherwise):
            continue
        alerts = parse_of(source)(content(root / folder / name), now=NOW)
        read = [(str(alert.status), alert.title) for alert in alerts]
        if read != expected:
            found[name] = (read, expected)
    return found
