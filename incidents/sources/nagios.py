"""Nagios and Icinga: the macros that a notification command posts, as a form or JSON. Pure.

Neither sends anything by itself. The macros' own names are read (`NOTIFICATIONTYPE`, `host.name`), objects within
objects, and what PagerDuty's agent for Nagios sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError
from incidents.sources.parts import Named

NAME = "nagios"

# What begins or ends a downtime, flapping, or was written by hand, asks for nobody.
TYPES: Mapping[str, AlertStatus] = {
    "problem": AlertStatus.FIRING,
    "trigger": AlertStatus.FIRING,
    "acknowledgement": AlertStatus.ACKNOWLEDGED,
    "acknowledge": AlertStatus.ACKNOWLEDGED,
    "recovery": AlertStatus.RESOLVED,
    "resolve": AlertStatus.RESOLVED,
}
SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "down": Severity.CRITICAL,
    "unknown": Severity.MEDIUM,
    "unreachable": Severity.MEDIUM,
    "warning": Severity.MEDIUM,
}
GOOD = ("ok", "up")


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert. None for what is about downtimes, flapping and the like."""
    del now  # nothing here depends on the time
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be an object or a form with the notification's macros")
    details = parts.object_of(payload.get("details"))
    fields = Named({_bare(name): value for name, value in {**details, **payload}.items()})
    host = fields.text("hostname", "host")
    service = fields.text("servicedesc", "servicename", "service")
    state = fields.text(
        *(("servicestate", "checkresultstate", "state") if service else ("hoststate", "checkresultstate", "state"))
    )
    kind = fields.text("notificationtype", "eventtype").casefold()
    if fields.text("eventtype"):  # the agent names the macro too, and always as it was at first
        kind = fields.text("eventtype").casefold()
    if not host and not fields.text("incidentkey"):
        raise PayloadRefusedError("HOSTNAME", "is missing: nothing says which host this is about")
    status = _status(kind, state)
    if status is None:
        return []
    shown = fields.text("servicedisplayname") or service
    where = f"on {host}" if host else ""
    what = shown or f"Host {host}"
    title, body = reading.compose(
        " ".join(filter(None, (what, f"is {state}" if state else "", where if shown else ""))),
        _output(fields, service),
        parts.section(fields.text("notificationauthor") or "Comment", fields.text("notificationcomment")),
    )
    notes = fields.text("servicenotesurl" if service else "hostnotesurl")
    page = reading.link(fields.text("serviceactionurl", "hostactionurl", "clienturl"), "Monitoring")
    runbook = reading.link(notes, "Notes")
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(_key(fields, payload, host, service)),
            status=status,
            title=title,
            body=body,
            severity_hint=SEVERITIES.get(state.casefold()),
            service=reading.name_of(service or host),
            labels=parts.labels(
                alertname=shown or "Host state",
                host=host,
                service=service,
                state=state,
                address=fields.text("hostaddress", "address"),
                contact=fields.text("contactname"),
                perfdata=fields.text("serviceperfdata", "hostperfdata"),
            ),
            links=reading.links(runbook, page),
            started_at=reading.moment(
                fields.text("lastservicestatechange", "servicelaststatechange")
                if service
                else fields.text("lasthoststatechange", "hostlaststatechange")
            )
            or reading.moment(fields.text("timet", "icingatimet", "checkresultexecutionend")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]


def _bare(name: Any) -> str:
    """Nagios gives its macros to a command as variables that begin so."""
    return str(name).removeprefix("NAGIOS_").removeprefix("ICINGA_")


def _status(kind: str, state: str) -> AlertStatus | None:
    if kind:
        return TYPES.get(kind)
    return AlertStatus.RESOLVED if state.casefold() in GOOD else AlertStatus.FIRING


def _output(fields: Named, service: str) -> str:
    if service:
        told = (fields.text("serviceoutput", "checkresultoutput", "output"), fields.text("longserviceoutput"))
    else:
        told = (fields.text("hostoutput", "checkresultoutput", "output"), fields.text("longhostoutput"))
    return "\n".join(filter(None, told)).replace("\\n", "\n")


def _key(fields: Named, payload: Mapping[str, Any], host: str, service: str) -> str:
    """Icinga writes a service as host!service, Nagios lists them with a semicolon between."""
    if key := fields.text("incidentkey"):
        return key
    mark = "!" if any("." in str(name) for name in payload) or "check_result" in payload else ";"
    return f"{host}{mark}{service}" if service else host
