"""What `tocsin up --demo` prepares and prints: a team, a way to sign in, and a first alert to fire."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from config import passwords
from config.database import Database
from config.errors import ConflictError
from config.settings import Settings
from escalation import responders
from escalation.models import Responder
from incidents import configuration, demo
from incidents.desk import Desk
from incidents.sources.table import SOURCES

SIGNS_IN = "ana"
DEMO_DOMAIN = "@example.org"  # belongs to nobody


def prepare(database: Database, settings: Settings, desk: Desk, now: datetime) -> Sequence[str]:
    """Apply the sample team, give everyone in it one new password, and say what to do next, line by line.

    Raises ConflictError for a database that holds another team: the demo would put it out of work.
    """
    with database.reading() as session:
        strangers = session.scalars(
            select(Responder.key)
            .where(Responder.email.is_(None) | Responder.email.not_like(f"%{DEMO_DOMAIN}"))
            .order_by(Responder.active.desc(), Responder.id)  # who was taken out of use has no address any more
        ).all()
    if strangers:
        raise ConflictError(
            f"This database holds a team of its own ({', '.join(strangers[:3])}, …). "
            "Point TOCSIN_DATABASE_URL at another one for the demo."
        )
    configuration.apply_text(
        database,
        demo.text(),
        env=demo.environment(settings.secret_key),
        file_name=demo.FILE_NAME,
        now=now,
        sources=SOURCES,
        runbook_ids={runbook.id for runbook in desk.shelf.library.runbooks},
    )
    password = secrets.token_urlsafe(12)
    with database.transaction() as session:
        people = [
            person for role in ("responder", "manager", "keeper") for person in responders.with_role(session, role)
        ]
        for person in {person.id: person for person in people}.values():
            passwords.set_password(session, person, password)
        email = next(person.email for person in people if person.key == SIGNS_IN)
    sample = demo.sample_alerts(settings.secret_key, now=now)[0]
    return (
        "",
        "Tocsin demo: pages are shown on the console page; nothing is sent to anybody.",
        f"  Sign in      {settings.base_url}/sign-in as {email} with the password {password}",
        f"  Console      {settings.base_url}/console",
        "  First alert  curl -X POST " + settings.base_url + sample.path + " -H 'Content-Type: application/json' \\",
        f"                 -d '{json.dumps(sample.payload)}'",
        "",
    )
