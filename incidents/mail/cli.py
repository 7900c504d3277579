"""The process that takes letters in."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

import click

from config import logs, mail_in, news, supervisor
from config.database import Database
from config.settings import Settings
from escalation.channels import configured
from incidents import edge_in
from incidents.desk import Desk
from incidents.mail import listener
from incidents.mail.answering import Replies
from incidents.mail.corridor import Corridor
from incidents.mail.listener import Listener

LOOK_EVERY_SECONDS = 0.5

log = logs.get("mail")


@dataclass(frozen=True, slots=True)
class Tools:
    settings: Settings
    database: Database
    desk: Desk


def command(make_tools: Callable[[], Tools]) -> click.Command:
    @click.command("mail")
    def mail() -> None:
        """Take letters in: alerts to an integration's address, and answers to letters that paged somebody."""
        tools = make_tools()
        settings = tools.settings
        if not settings.mail_listen:
            raise click.ClickException(
                "TOCSIN_MAIL_LISTEN does not say where to listen. 0.0.0.0:25 takes mail from everywhere, "
                "127.0.0.1:2525 from a mail server on this machine."
            )
        if not supervisor.is_supervised():  # `up` has said it already
            for warning in mail_in.warnings(settings.mail_listen, settings.mail_domain):
                click.echo(f"Warning: {warning}", err=True)
        supervisor.end_with_parent()
        _listen(tools)
        tools.database.close()

    return mail


def _listen(tools: Tools) -> None:
    """Until SIGTERM or SIGINT."""
    settings = tools.settings
    host, port = settings.mail_address
    edge = edge_in.served(tools.database, tools.desk, news.Bell(tools.database).ring)
    made = configured.reply_addresses(settings)
    replies = Replies(tools.database, tools.desk, made, edge.wake) if made else None
    corridor = Corridor(edge, settings.mail_domain, replies)
    at_work = Listener(corridor, host, port, tls=listener.tls(settings.mail_tls_cert, settings.mail_tls_key))
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    at_work.start()
    log.info("letters are taken in", listen=settings.mail_listen, domain=settings.mail_domain)
    while at_work.is_listening and not ending.wait(LOOK_EVERY_SECONDS):
        pass
    if not ending.is_set():
        raise click.ClickException("The listener for letters has ended by itself; the log says why.")
    at_work.stop()
