"""A world with the listener for letters in front of it, and a real client."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from sqlalchemy import select

from config.database import Database
from config.ids import derived_secret
from escalation.channels.reply_addresses import ReplyAddresses
from incidents.edge_in import Edge
from incidents.mail.answering import Replies
from incidents.mail.corridor import Corridor
from incidents.mail.listener import Listener
from incidents.models import Alert, Incident
from tests.contract import recorded
from tests.world import KEY, SECRET_KEY, World, team

ADDRESSES = ReplyAddresses("pager.example.org", derived_secret(SECRET_KEY, "reply"))
MAIL_KEY, OTHER_KEY = "e1" * 16, "e2" * 16
DOMAIN = "pager.example.org"
TO = f"{MAIL_KEY}@{DOMAIN}"
FROM = "mon@example.org"


def config(more: str = "", *, ana_by: str = "") -> str:
    old = f'checkout: {{policy: standard, integrations: [{{source: pagerduty, key: "{KEY}"}}]}}'
    new = f"""checkout:
    policy: standard
    integrations:
      - {{source: pagerduty, key: "{KEY}"}}
      - {{source: email, key: {MAIL_KEY}{more}}}
      - {{source: email, key: {OTHER_KEY}}}"""
    text = team(ana_by=ana_by) if ana_by else team()
    assert old in text
    return text.replace(old, new)


class Site:
    """A world with the listener in front of it."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.world = World(database, config=config(ana_by=options.pop("ana_by", "")), now=recorded.NOW)
        self.rung = 0
        edge = Edge(database, self.world.desk, lambda: self.world.now, self.ring, lambda _: None)
        replies = Replies(database, self.world.desk, ADDRESSES, self.ring)
        self.corridor = Corridor(edge, options.pop("domain", DOMAIN), replies)
        self.listener = Listener(self.corridor, "127.0.0.1", 0, **options)
        self.listener.start()

    def ring(self) -> None:
        self.rung += 1

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.listener.port, timeout=20)

    def send(self, data: bytes, *to: str, sender: str = FROM) -> tuple[int, str]:
        """What the letter was answered: its code and words, of the address if that was refused."""
        with self.client() as client:
            try:
                client.sendmail(sender, list(to) or [TO], data)
            except smtplib.SMTPRecipientsRefused as refused:
                code, words = next(iter(refused.recipients.values()))
            except smtplib.SMTPResponseException as refused:
                code, words = refused.smtp_code, refused.smtp_error
            else:
                return 250, ""
        return code, words.decode() if isinstance(words, bytes) else words

    def incidents(self) -> list[tuple[str, str]]:
        with self.world.database.reading() as session:
            return [(row.title, row.status) for row in session.scalars(select(Incident).order_by(Incident.id))]

    def counts(self) -> list[int]:
        with self.world.database.reading() as session:
            return list(session.scalars(select(Alert.count).order_by(Alert.id)))


@contextmanager
def opened(database: Database, **options: Any) -> Iterator[Site]:
    site = Site(database, **options)
    try:
        yield site
    finally:
        site.listener.stop()


def letter(subject: str = "Disk full on db1", *, name: str = "<1@example.org>", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = FROM, TO, subject
    made["Date"] = "Fri, 20 Nov 2026 10:59:57 +0000"
    if name:
        made["Message-ID"] = name
    for header, value in headers.items():
        made[header.replace("_", "-")] = value
    made.set_content("/ is 97 % full\n")
    return made.as_bytes()
