"""GitHub's webhooks about checks that failed: workflow runs, their jobs, and check runs. Pure.

Only what is completed counts, and only failed or passed: a run that was cancelled or skipped says nothing. Everything
else that a repository can be told to send is taken and asks for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "github"

CONCLUSIONS: Mapping[str, AlertStatus] = {
    "failure": AlertStatus.FIRING,
    "timed_out": AlertStatus.FIRING,
    "startup_failure": AlertStatus.FIRING,
    "action_required": AlertStatus.FIRING,
    "success": AlertStatus.RESOLVED,
}
OWN = ("repository", "organization", "sender", "hook", "zen", "installation")


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """At most one alert; none for a ping."""
    del now  # nothing here depends on the time
    if isinstance(payload, Mapping) and isinstance(payload.get("payload"), str):
        payload = parts.object_of(payload["payload"])  # the hook's content type is a form
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be GitHub's event object, or a form with it in `payload`")
    for name, read in (("workflow_run", _run), ("workflow_job", _job), ("check_run", _check)):
        thing = payload.get(name)
        if isinstance(thing, Mapping):
            status = CONCLUSIONS.get(parts.text(thing, "conclusion"))
            if parts.text(payload, "action") != "completed" or status is None:
                return []
            return [read(payload, thing, status)]
    if any(name in payload for name in OWN):
        return []
    raise PayloadRefusedError("repository", "is missing; is this GitHub's?")


def _run(payload: Mapping[str, Any], run: Mapping[str, Any], status: AlertStatus) -> IncomingAlert:
    workflow = parts.first(
        parts.text(run, "name"), parts.text(payload, "workflow", "name"), parts.text(run, "path"), "A workflow"
    )
    return _alert(
        payload,
        run,
        status,
        what=workflow,
        which=parts.first(parts.text(run, "workflow_id"), workflow),
        told=parts.text(run, "display_title"),
        started=parts.first(parts.text(run, "run_started_at"), parts.text(run, "created_at")),
    )


def _job(payload: Mapping[str, Any], job: Mapping[str, Any], status: AlertStatus) -> IncomingAlert:
    name = parts.first(parts.text(job, "name"), "A job")
    workflow = parts.text(job, "workflow_name")
    steps = job.get("steps")
    failed = [
        parts.text(step, "name")
        for step in (steps if isinstance(steps, list) else [])
        if CONCLUSIONS.get(parts.text(step, "conclusion")) is AlertStatus.FIRING
    ]
    return _alert(
        payload,
        job,
        status,
        what=f"{workflow} / {name}" if workflow else name,
        which=f"{workflow}/{name}",
        told=parts.section("Failed", ", ".join(failed)),
        started=parts.text(job, "started_at"),
    )


def _check(payload: Mapping[str, Any], check: Mapping[str, Any], status: AlertStatus) -> IncomingAlert:
    name = parts.first(parts.text(check, "name"), "A check")
    output = parts.object_of(check.get("output"))
    suite = parts.object_of(check.get("check_suite"))
    return _alert(
        payload,
        {**check, "head_branch": suite.get("head_branch")},
        status,
        what=name,
        which=f"check/{name}",
        told=parts.first(parts.text(output, "title"), parts.text(output, "summary")),
        started=parts.text(check, "started_at"),
    )


def _alert(
    payload: Mapping[str, Any],
    thing: Mapping[str, Any],
    status: AlertStatus,
    *,
    what: str,
    which: str,
    told: str,
    started: str,
) -> IncomingAlert:
    repository = parts.text(payload, "repository", "full_name")
    branch = parts.text(thing, "head_branch")
    outcome = "passed" if status is AlertStatus.RESOLVED else "failed"
    title, body = reading.compose(
        f"{what} {outcome}" + (f" on {branch}" if branch else ""),
        told,
        parts.section("Repository", repository),
        parts.section("Conclusion", thing.get("conclusion")),
    )
    page = reading.link(thing.get("html_url"), "GitHub")
    return IncomingAlert(
        source=NAME,
        dedup_key=reading.dedup_key(f"{repository}/{which}/{branch}"),
        status=status,
        title=title,
        body=body,
        service=reading.name_of(repository),
        labels=parts.labels(
            alertname=what,
            repository=repository,
            branch=branch,
            sha=thing.get("head_sha"),
            event=thing.get("event"),
            actor=parts.first(parts.text(thing, "actor", "login"), parts.text(payload, "sender", "login")),
        ),
        links=reading.links(page, reading.link(thing.get("details_url"), "Details")),
        started_at=reading.moment(started),
        url=page.href if page else "",
        raw=reading.received(payload),
    )
