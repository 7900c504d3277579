"""Every source there is: a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from incidents.sources import alertmanager, generic, opsgenie, pagerduty
from incidents.sources.base import IncomingAlert


class Parse(Protocol):
    """Raises PayloadRefusedError only, whatever JSON it is given."""

    def __call__(self, payload: Any, *, now: datetime) -> list[IncomingAlert]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """`content` says what `parse` takes: a JSON value, the fields of a form, or (`any`) these and plain text too."""

    name: str  # as in tocsin.yaml and in the address its alerts are posted to
    parse: Parse
    content: Literal["json", "form", "any"]
    describes: str


# fmt: off
SOURCES: Mapping[str, Source] = {source.name: source for source in (
    Source(alertmanager.NAME, alertmanager.parse, "json", "Prometheus Alertmanager's webhook, or Prometheus itself"),
    Source(generic.NAME, generic.parse, "any", "JSON, a form or text from anything that can send a request"),
    Source(opsgenie.NAME, opsgenie.parse, "json", "an alert of Opsgenie's Alert API v2"),
    Source(pagerduty.NAME, pagerduty.parse, "json", "an event of PagerDuty's Events API v2"),
)}
# fmt: on
