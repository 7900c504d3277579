"""The declared configuration, from its text to the database: the one way for the command line and for start-up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, declaration, fields, logs
from config.actor import Actor
from config.changes import Changes
from config.database import Database
from config.declaration import Problems
from config.errors import ConflictError
from config.sealed import Vault
from escalation import apply as apply_escalation
from escalation import declared as declared_escalation
from escalation import ownership
from escalation.declared_names import NOTHING_BESIDE, Beside
from escalation.oncall import differences, moved_words, moves
from incidents import apply as apply_services
from incidents import apply_events, apply_heartbeats, apply_maintenance, declared_events, declared_maintenance
from incidents import declared as declared_services
from incidents.declared import DeclaredService
from incidents.declared_events import DeclaredReceiver
from incidents.declared_maintenance import DeclaredWindow
from incidents.lifecycle import UNSETTLED
from incidents.models import Incident

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One file, whole and without problems."""

    escalation: declared_escalation.Declared
    services: tuple[DeclaredService, ...]
    events: tuple[DeclaredReceiver, ...] = ()
    maintenance: tuple[DeclaredWindow, ...] = ()


Look = Callable[[Session, Configuration], None]


def read_text(
    text: str,
    *,
    env: Mapping[str, str],
    file_name: str,
    sources: Collection[str],
    runbook_ids: Collection[str],
    beside: Beside = NOTHING_BESIDE,
) -> Configuration:
    """`env` gives the values of `${VAR}`; `sources` are those whose alerts can be received; `beside` are the names of
    things that the file may refer to without declaring them.

    Raises DeclarationError with every problem of every section.
    """
    document = declaration.read_text(text, env=env, file_name=file_name)
    problems = Problems(document)
    escalation = declared_escalation.read_declared(document, problems, beside)
    services = declared_services.read_declared(
        document,
        problems,
        sources=sources,
        runbook_ids=runbook_ids,
        hours=(*beside.hours, *escalation.hours),
        beside=beside,
    )
    receivers = declared_events.read_declared(document, problems)
    windows = declared_maintenance.read_declared(
        document,
        problems,
        services=fields.root(document, problems).entries("services"),  # one with a problem is declared all the same
        hours=(*beside.hours, *escalation.hours),
    )
    document.refuse_unread(problems)
    problems.raise_if_any()
    return Configuration(escalation, services, receivers, windows)


def apply_text(
    database: Database,
    text: str,
    *,
    env: Mapping[str, str],
    file_name: str,
    now: datetime,
    applied_by: str = "",
    dry_run: bool = False,
    look: Look | None = None,
    sources: Collection[str],
    runbook_ids: Collection[str],
    vault: Vault | None = None,
    base_url: str = "",
) -> Changes:
    """Bring the database to what the text declares, in one transaction, and tell what that changed.

    `applied_by` is for the audit: who has it done. `base_url` is for those whose shifts move: where they see them. A text that is applied already changes nothing. With `dry_run`
    everything is done and then rolled back, so that what is told is what would happen; `look` sees it before. Raises
    DeclarationError, and has done nothing then, if the text has any problem.
    """
    with database.reading() as session:
        beside = ownership.of_people(session)
    configuration = read_text(
        text, env=env, file_name=file_name, sources=sources, runbook_ids=runbook_ids, beside=beside
    )
    with database.transaction() as session:
        ownership.one_at_a_time(session)
        if ownership.of_people(session) != beside:
            raise ConflictError("Somebody edited schedules or policies this moment: nothing was applied. Try again.")
        actor = f"file {file_name}" + (f", applied by {applied_by}" if applied_by else "")
        with moves.told(session, Actor(actor, kind="program", via="file"), now, base_url=base_url) as watch:
            changes = _bring(session, configuration, now, vault or (Vault("") if dry_run else None))
            watch.changed = bool(changes)
        if dry_run and watch.changed:
            moved = differences.moved(watch.before, moves.ahead(session, now))
            changes.moved = list(moved_words.by_person(moved, moves.LOOKED_AHEAD))
        audit.note_all(session, changes, actor=actor, via="file", now=now)
        if look is not None:
            look(session, configuration)
        if dry_run:
            session.rollback()
    for sentence in _not_received_yet(configuration.services, sources):
        changes.warn(sentence)
    if not dry_run:
        _tell(changes, file_name)
    return changes


def _bring(session: Session, configuration: Configuration, now: datetime, vault: Vault | None) -> Changes:
    changes = Changes()
    apply_escalation.write(session, configuration.escalation, changes, now)
    apply_services.write(session, configuration.services, changes, vault)
    apply_heartbeats.write(session, configuration.services, changes, now)
    apply_events.write(session, configuration.events, changes, vault)
    apply_services.drop_undeclared(session, configuration.services, changes)
    apply_escalation.drop_unused(
        session,
        configuration.escalation,
        changes,
        policies_in_use=apply_services.policies_in_use(session),
        unsettled=select(Incident.id).where(Incident.status.in_(UNSETTLED)),
        now=now,
    )
    apply_maintenance.write(session, configuration.maintenance, changes, now)
    return changes


def _not_received_yet(services: Iterable[DeclaredService], sources: Collection[str]) -> list[str]:
    return [
        f"service {service.key}: alerts from {integration.source} cannot be received yet; its key …{integration.hint} "
        "is kept for when they can"
        for service in services
        for integration in service.integrations
        if integration.source not in sources
    ]


def _tell(changes: Changes, file_name: str) -> None:
    """Without the values: people's addresses do not belong in a log."""
    for change in changes.made:
        _log.info("configuration changed", change=change.sign, what=change.what, where=change.where, file=file_name)
    for sentence in changes.warnings:
        _log.warning("configuration has a warning", warning=sentence, file=file_name)
