"""Where everything meets: the app, the engine and the commands are put together here, and nowhere else.

Importing this module does nothing; `create_app` and `main` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

import runbook_links
from config import auth, clock, health, http, ids, logs, news, security, telemetry, web as config_web
from config.database import Database
from config.settings import Settings, read
from escalation import api as escalation_api, gauges, responders, web as escalation_web
from escalation.channels.base import Channel, ChannelError
from escalation.channels.console import Console
from escalation.channels.email import Email
from escalation.channels.slack import Slack
from escalation.channels.sms import Sms
from escalation.channels.twilio import Account
from escalation.channels.voice import Voice
from escalation.channels.webhook import Webhook
from escalation.console_log import ConsoleLog
from escalation.paging.engine import Engine, Submit
from incidents import api, replies, reply_routes, rules, web, webhooks
from incidents.desk import Desk
from incidents.proof import timeline
from runbook_links import linter, web as runbook_web
from runbook_links.shelf import Shelf

SHIPPED_RUNBOOKS = Path(runbook_links.__file__).parent / "library"

log = logs.get("wsgi")


@dataclass(frozen=True, slots=True)
class House:
    """What the app, the engine and the commands have in common."""

    settings: Settings
    database: Database
    desk: Desk


def build(settings: Settings) -> House:
    database = Database(settings.database_url, before_commit=timeline.write)
    shelf = Shelf(Path(settings.runbooks_dir) if settings.runbooks_dir else SHIPPED_RUNBOOKS)
    for runbook in shelf.library.runbooks:
        linter.blockers(runbook)  # kept per runbook: the first alert need not wait for it
    desk = Desk(
        journal=timeline.append,
        ruleset=rules.load(settings.rules_path),
        shelf=shelf,
        base_url=settings.base_url.rstrip("/"),
    )
    return House(settings, database, desk)


def channels(house: House) -> Mapping[str, Channel]:
    """The ways out that are configured. In demo mode the console stands for every one of them."""
    settings = house.settings
    if settings.demo:
        kept = ConsoleLog(house.database, clock.now)
        names = ("slack", "sms", "voice", "email", "webhook")
        return {name: Console(name, kept.record, base_url=house.desk.base_url) for name in names}
    made: dict[str, Channel] = {"webhook": Webhook(ids.derived_secret(settings.secret_key, "webhook"))}
    if settings.slack_bot_token:
        made["slack"] = Slack(settings.slack_bot_token, api_url=settings.slack_api_url)
    if settings.twilio_account_sid:
        account = Account(
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            settings.twilio_from,
            api_url=settings.twilio_api_url,
        )
        made |= {"sms": Sms(account), "voice": Voice(account, house.desk.base_url)}
    if settings.smtp_url:
        made["email"] = Email(settings.smtp_url, settings.smtp_from)
    return made


def make_engine(house: House, name: str, submit: Submit) -> Engine:
    return Engine(
        house.database, channels(house), house.desk.journal, name=name, read_clock=clock.now, submit=submit
    )


def create_app(settings: Settings | None = None) -> Flask:
    """The web side. Called by the WSGI server without arguments, and by tests with settings of their own."""
    settings = settings or read()
    house = build(settings)
    bell = news.Bell(house.database)
    app = Flask("tocsin", template_folder=str(Path(__file__).parent / "config" / "templates"), static_folder=None)
    app.extensions["tocsin"] = house
    http.install(app, house.database)
    security.install(app, base_url=settings.base_url)
    auth.install(app, house.database, responders, secret_key=settings.secret_key, clock=clock.now)
    metrics = telemetry.install(app, collect=gauges.collector(house.database, clock.now))
    health.install(app, readiness=gauges.readiness(house.database, clock.now))
    _routes(app, house, bell.ring, metrics)
    return app


def _routes(app: Flask, house: House, wake: Callable[[], None], metrics: telemetry.Metrics) -> None:
    database, desk = house.database, house.desk
    counted = metrics.alert_received
    app.register_blueprint(webhooks.blueprint(webhooks.Edge(database, desk, clock.now, wake, counted)))
    app.register_blueprint(
        reply_routes.blueprint(
            reply_routes.ReplyEdge(
                database,
                desk,
                clock.now,
                wake,
                slack_signing_secret=house.settings.slack_signing_secret,
                twilio_auth_token=house.settings.twilio_auth_token,
                whisper=_whisperer(house),
            )
        )
    )
    documented = http.make_api(app)
    documented.register_blueprint(api.blueprint(database, desk, clock.now, wake))
    documented.register_blueprint(escalation_api.blueprint(database, clock.now))
    app.register_blueprint(config_web.blueprint())
    app.register_blueprint(web.blueprint(database, desk, clock.now, wake))
    app.register_blueprint(escalation_web.blueprint(database, clock.now, demo=house.settings.demo))
    app.register_blueprint(runbook_web.blueprint(desk.shelf))


def _whisperer(house: House) -> Callable[[str, str, str], None]:
    """Says something to one Slack user, after the request was answered: Slack waits three seconds only."""
    settings = house.settings
    if not settings.slack_bot_token:
        return lambda channel, user, text: log.info("no Slack to answer on", channel=channel, user=user, text=text)
    slack = Slack(settings.slack_bot_token, api_url=settings.slack_api_url)
    pool = ThreadPoolExecutor(2, thread_name_prefix="whisper")

    def say(channel: str, user: str, text: str) -> None:
        try:
            slack.answer_ephemeral(channel, user, text)
        except ChannelError as error:
            log.warning("answer not delivered to the Slack user", user=user, error=str(error))

    return lambda channel, user, text: (pool.submit(say, channel, user, text), None)[1]


def main() -> None:
    from config.commands import run  # noqa: PLC0415

    run()
