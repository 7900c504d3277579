"""GitLab's webhooks about pipelines and their jobs. Pure. Everything else it can send asks for nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "gitlab"

STATES: Mapping[str, AlertStatus] = {"failed": AlertStatus.FIRING, "success": AlertStatus.RESOLVED}


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """At most one alert. A job that may fail is not worth waking anybody."""
    del now  # nothing here depends on the time
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be GitLab's event object")
    kind = parts.first(parts.text(payload, "object_kind"), parts.text(payload, "event_name"))
    if not kind:
        raise PayloadRefusedError("object_kind", "is missing; is this GitLab's?")
    found = {"pipeline": _pipeline, "build": _job}.get(kind, _nothing)(payload)
    return [found] if found else []


def _nothing(payload: Mapping[str, Any]) -> None:
    """Pushes, merge requests and the like."""


def _pipeline(payload: Mapping[str, Any]) -> IncomingAlert | None:
    about = parts.object_of(payload.get("object_attributes"))
    status = STATES.get(parts.text(about, "status"))
    if status is None:
        return None
    project, ref = parts.text(payload, "project", "path_with_namespace"), parts.text(about, "ref")
    name = parts.text(about, "name") or f"Pipeline for {ref or 'a branch'}"
    jobs = payload.get("builds")
    failed = [
        parts.text(job, "name")
        for job in (jobs if isinstance(jobs, list) else [])
        if parts.text(job, "status") == "failed" and parts.at(job, "allow_failure") is not True
    ]
    return _alert(
        payload,
        status,
        key=f"{project}@{ref}",
        title=f"{name} failed" if status is AlertStatus.FIRING else name,
        told=parts.section("Failed", ", ".join(failed)),
        project=project,
        labels=parts.labels(
            alertname=name,
            ref=ref,
            sha=about.get("sha"),
            source=about.get("source"),
            actor=parts.text(payload, "user", "username"),
        ),
        page=parts.first(parts.text(about, "url"), parts.text(payload, "project", "web_url")),
        started=parts.text(about, "created_at"),
    )


def _job(payload: Mapping[str, Any]) -> IncomingAlert | None:
    status = STATES.get(parts.text(payload, "build_status"))
    if status is None or payload.get("build_allow_failure") is True:
        return None
    name = parts.text(payload, "build_name") or "A job"
    project, ref = parts.text(payload, "project_name"), parts.text(payload, "ref")
    outcome = "failed" if status is AlertStatus.FIRING else "passed"
    return _alert(
        payload,
        status,
        key=f"{project}@{ref}/{name}",
        title=f"{name} {outcome}" + (f" in {project}" if project else ""),
        told=parts.section("Reason", payload.get("build_failure_reason")),
        project=project,
        labels=parts.labels(alertname=name, ref=ref, stage=payload.get("build_stage"), sha=payload.get("sha")),
        page=parts.text(payload, "repository", "homepage"),
        started=parts.first(parts.text(payload, "build_started_at"), parts.text(payload, "build_created_at")),
    )


def _alert(
    payload: Mapping[str, Any],
    status: AlertStatus,
    *,
    key: str,
    title: str,
    told: str,
    project: str,
    labels: Mapping[str, str],
    page: str,
    started: str,
) -> IncomingAlert:
    title, body = reading.compose(title, told, parts.text(payload, "commit", "message"))
    link = reading.link(page, "GitLab")
    about = payload.get("object_attributes")
    # The variables of a pipeline may be secrets.
    kept = (
        {**payload, "object_attributes": {**about, "variables": reading.WITHHELD}}
        if isinstance(about, Mapping)
        else payload
    )
    return IncomingAlert(
        source=NAME,
        dedup_key=reading.dedup_key(key),
        status=status,
        title=title,
        body=body,
        service=reading.name_of(project),
        labels=labels,
        links=reading.links(link),
        started_at=reading.moment(started.removesuffix(" UTC")),
        url=link.href if link else "",
        raw=reading.received(kept),
    )
