"""Readiness of the whole: what `escalation.check` finds, and services and rules beside it.

`tocsin check`, the page and the API all tell what is found here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import declaration, durations
from config.declaration import Document, Path
from escalation import check, ground, survey
from escalation.check import SEVERITIES
from escalation.ground import Finding, Member
from incidents import apply, configuration, governance, noise, requests
from incidents.desk import Desk
from incidents.models import Integration, Service
from incidents.noise import Grouping
from incidents.ruleset import Ruleset
from incidents.severity import Severity

GROUP_SECONDS_SOUND = 3_600


def of_database(session: Session, desk: Desk, now: datetime, *, channels: Collection[str] | None) -> list[Finding]:
    """`channels`: those that are configured, where that is known."""
    runbooks = {runbook.id for runbook in desk.shelf.library.runbooks}
    found = survey.of_database(
        session,
        now,
        policies_in_use=apply.policies_in_use(session),
        runbooks=runbooks,
        channels=channels,
    )
    ways_in = {service: sorted(keys) for service, keys in _ways_in(session).items()}
    services = session.scalars(select(Service).order_by(Service.key)).all()
    of_noise = _of_noise({row.key: noise.Grouping.from_json(row.grouping) for row in services})
    of_keepers = _of_keepers(found.people.values(), [row.key for row in services if row.protected])
    beside = [*_of_services(ways_in), *of_keepers, *of_noise, *_of_rules(desk.ruleset, runbooks)]
    return _sorted([*check.findings(found), *beside])


def of_text(
    text: str,
    desk: Desk,
    now: datetime,
    *,
    env: Mapping[str, str],
    file_name: str,
    sources: Collection[str],
) -> list[Finding]:
    """Of a file alone, without a database. Each finding has its line. Raises DeclarationError for what has problems."""
    runbooks = {runbook.id for runbook in desk.shelf.library.runbooks}
    says = configuration.read_text(text, env=env, file_name=file_name, sources=sources, runbook_ids=runbooks)
    used = {service.policy for service in says.services}
    used |= {choice.policy for service in says.services for choice in service.choices}
    declared = ground.from_declared(says.escalation, now, policies_in_use=frozenset(used), runbooks=frozenset(runbooks))
    ways_in = {service.key: [each.source for each in service.integrations] for service in says.services}
    of_noise = _of_noise({service.key: service.group for service in says.services})
    of_keepers = _of_keepers(declared.people.values(), [each.key for each in says.services if each.protected])
    beside = [*_of_services(ways_in), *of_keepers, *of_noise, *_of_rules(desk.ruleset, runbooks)]
    found = [*check.findings(declared), *beside]
    document = declaration.read_text(text, env=env, file_name=file_name)
    return _sorted(_placed(each, document) for each in found)


def _placed(finding: Finding, document: Document) -> Finding:
    if not finding.path:
        return finding
    path = _as_in(document.data, finding.path)
    return replace(finding, path=path, line=document.line(path))


def _sorted(found: Iterable[Finding]) -> list[Finding]:
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _as_in(data: dict[str, Any], path: Path) -> Path:
    """A level is told by its number; in the file it stands at some place of a list."""
    if path[:1] != ("policies",) or path[2:3] != ("levels",):
        return path
    levels = data["policies"][path[1]]["levels"]
    places = [index for index, level in enumerate(levels) if level.get("level") == path[3]]
    return (*path[:3], *places[:1], *path[4:])


def _ways_in(session: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {key: [] for key in session.scalars(select(Service.key).order_by(Service.key))}
    names = {row.id: row.key for row in session.execute(select(Service.id, Service.key))}
    for row in session.scalars(select(Integration)):
        if not apply.is_retired(row):
            found[names[row.service_id]].append(row.source)
    return found


def _of_services(ways_in: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    for service, sources in sorted(ways_in.items()):
        if not sources:
            yield Finding(
                "warning",
                "no-way-in",
                f"service {service}",
                "It has no integration: no alert can reach it.",
                "Declare one, or take the service out.",
                ("services", service),
            )


def _of_keepers(people: Iterable[Member], protected: Collection[str]) -> Iterator[Finding]:
    """Without enough of them an incident that is constitutional stays open for good: rules find any service's to be one."""
    keepers = sorted(each.name for each in people if each.active and governance.APPROVING_ROLE in each.roles)
    if len(keepers) >= requests.APPROVALS_NEEDED:
        return
    has = f"Only {keepers[0]} has" if keepers else "Nobody has"
    such = f", and every incident of {', '.join(sorted(protected))} is one" if protected else ""
    yield Finding(
        "warning",
        "keepers",
        f"role {governance.APPROVING_ROLE}",
        f"{has} it, and a constitutional incident is resolved when {requests.APPROVALS_NEEDED} keepers approve: "
        f"nobody could end one{such}.",
        f"Give it to {requests.APPROVALS_NEEDED} people, better one more: a keeper who asks cannot approve.",
        ("services", min(protected), "protected") if protected else (),
    )


def _of_noise(groupings: Mapping[str, Grouping | None]) -> Iterator[Finding]:
    for service, grouping in sorted(groupings.items()):
        if grouping is not None and grouping.within_seconds > GROUP_SECONDS_SOUND:
            within = durations.to_words(grouping.within_seconds)
            yield Finding(
                "warning",
                "long-grouping",
                f"service {service}",
                f"Its alerts join one incident for {within}: new trouble in that time pages nobody anew, unless it is worse.",
                "Group within an hour or less, or name labels in `by` that tell one trouble from another.",
                ("services", service, "group", "within"),
            )


def _of_rules(ruleset: Ruleset, runbooks: Collection[str]) -> Iterator[Finding]:
    for rule in ruleset.rules:
        if rule.severity is not Severity.CRITICAL or rule.runbook in runbooks:
            continue
        has = f"names the runbook {rule.runbook}, which is not on the shelf" if rule.runbook else "has no runbook"
        yield Finding(
            "warning",
            "rule-without-runbook",
            f"rule {rule.id} ({rule.file})",
            f"It makes incidents CRITICAL and {has}: whoever is woken by it gets the fallback one.",
            "Name a runbook in the rule.",
        )
