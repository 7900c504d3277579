"""Where everything meets: the app, the engine and the commands are put together here, and nowhere else.

Importing this module does nothing; `create_app` and `main` do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import click
from flask import Flask

import config
import runbook_links
from config import auth, clock, health, http, logs, news, openapi, plainly, security, serving, supervisor, telemetry
from config import web as config_web
from config.database import Database
from config.sealed import Vault
from config.settings import Settings, read, to_environment
from escalation import api as escalation_api
from escalation import cli as escalation_cli
from escalation import gauges, responders, web_shifts
from escalation import web as escalation_web
from escalation.channels import configured
from escalation.oncall import api as oncall_api
from escalation.oncall import api_ahead
from escalation.paging import watchdog
from escalation.paging.engine import Engine, Submit
from escalation.paging.worker import Worker, engine_name
from incidents import (
    act_routes,
    api,
    cli_reconcile,
    configuration_routes,
    edge_in,
    engine_work,
    events,
    noise_gauges,
    reply_routes,
    rules,
    silence_gauges,
    starting,
    ways_in,
)
from incidents import cli as incidents_cli
from incidents import web as incidents_web
from incidents.desk import Desk
from incidents.mail import cli as mail_cli
from incidents.proof import timeline
from incidents.slack import cli as slack_cli
from incidents.slack import wiring as slack
from migrations.run import current, is_current, upgrade
from runbook_links import cli as runbooks_cli
from runbook_links import linter
from runbook_links import web as runbooks_web
from runbook_links.shelf import Shelf

# Of `tocsin up`; the last one where letters are taken in.
PROCESSES = {"web": ("web",), "engine": ("engine",), "reconciler": ("reconcile", "--loop"), "mail": ("mail",)}
LATER_SECONDS = {"reconciler": 3.0}  # there is nothing to look at yet, and the others are waited for
SHIPPED_RUNBOOKS = Path(runbook_links.__file__).parent / "library"


@dataclass(frozen=True, slots=True)
class House:
    """What the app, the engine and the commands have in common."""

    settings: Settings
    database: Database
    desk: Desk


def build(settings: Settings) -> House:
    database = Database(settings.database_url, before_commit=events.before_commit)
    shelf = Shelf(Path(settings.runbooks_dir) if settings.runbooks_dir else SHIPPED_RUNBOOKS)
    for runbook in shelf.library.runbooks:
        linter.blockers(runbook)  # kept per runbook: the first alert need not wait for it
    desk = Desk(
        journal=timeline.append,
        ruleset=rules.load(settings.rules_path),
        shelf=shelf,
        base_url=settings.base_url.rstrip("/"),
        vault=Vault(settings.secret_key),
        mail_domain=settings.mail_domain,
    )
    return House(settings, database, desk)


def make_engine(house: House, name: str, submit: Submit) -> Engine:
    channels = configured.channels(house.settings, house.database)
    return Engine(
        house.database,
        channels,
        house.desk.journal,
        name=name, read_clock=clock.now, submit=submit,
        rates=house.settings.rates_a_second, windows=house.settings.windows_seconds,
        acts=engine_work.acts(house.desk),
        errands=engine_work.errands(house.desk, channels, secret=configured.webhook_secret(house.settings)),
    )  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The web side. Without settings of a test's own, those of the environment hold; a server goes by `served_app`."""
    settings = settings or read()
    house = build(settings)
    app = Flask("tocsin", root_path=str(Path(config.__file__).parent), static_folder=None)
    app.extensions["tocsin"] = house
    http.install(app, house.database)
    metrics = telemetry.Metrics()
    figures = [each.collector(house.database, clock.now) for each in (gauges, silence_gauges, noise_gauges)]
    telemetry.install(app, metrics, collect=lambda: chain.from_iterable(collect() for collect in figures))
    security.install(app, base_url=settings.base_url)
    auth.install(app, house.database, responders, secret_key=settings.secret_key, clock=clock.now)
    config_web.install(app, house.database, responders, demo=settings.demo)
    health.install(app, gauges.readiness(house.database, clock.now))
    _routes(app, house, news.Bell(house.database).ring, metrics)
    return app


def served_app() -> Flask:
    """The app in a server's worker process, which ends when the server does."""
    settings = read()
    logs.configure(settings.log_level, process="web")
    supervisor.end_with_parent()
    app = create_app(settings)
    app.extensions["tocsin"].desk.shelf.keep_fresh()
    return app


def _routes(app: Flask, house: House, wake: Callable[[], None], metrics: telemetry.Metrics) -> None:
    database, desk = house.database, house.desk

    def counted(source: str) -> None:
        metrics.alerts_received.labels(source).inc()

    edge = reply_routes.ReplyEdge(database, desk, clock.now, wake, house.settings.twilio_auth_token)
    app.register_blueprint(reply_routes.blueprint(edge))
    for part in slack.web(database, desk, clock.now, wake, house.settings):
        app.register_blueprint(part)
    links = configured.action_links(house.settings)
    app.register_blueprint(act_routes.blueprint(act_routes.ActEdge(database, desk, clock.now, wake, links)))
    documented = openapi.make_api(app)
    ways_in.register(app, documented, edge_in.served(database, desk, wake, counted))
    documented.register_blueprint(api.blueprint(database, desk, clock.now, wake))
    documented.register_blueprint(escalation_api.blueprint(database, clock.now, wake))
    documented.register_blueprint(oncall_api.blueprint(database, clock.now, wake, base_url=desk.base_url))
    app.register_blueprint(api_ahead.calendars(database, clock.now, base_url=desk.base_url))
    there = configured.names(house.settings)
    configuration_routes.register(app, documented, database, desk, clock.now, wake=wake, channels=there)
    app.register_blueprint(incidents_web.blueprint(database, desk, clock.now, wake, demo=house.settings.demo))
    app.register_blueprint(escalation_web.blueprint(database, clock.now, wake, demo=house.settings.demo))
    app.register_blueprint(web_shifts.blueprint(database, clock.now, wake, base_url=desk.base_url))
    app.register_blueprint(runbooks_web.blueprint(desk.shelf))


def __getattr__(name: str) -> Flask:
    """`wsgi:app`, for servers that want an app rather than a factory; made when it is first asked for."""
    if name == "app":
        return create_app()
    raise AttributeError(name)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tocsin", prog_name="tocsin")
def tocsin() -> None:
    """Tocsin: incidents in, people woken, and proof of it."""


@tocsin.command()
@click.option("--demo", is_flag=True, help="A sample team; pages are shown on a console page instead of being sent.")
def up(demo: bool) -> None:
    """Migrate, then run the web side, the engine and the reconciler under one supervisor."""
    settings = starting.settings(demo=demo)
    logs.configure("WARNING" if demo else settings.log_level, process="up")
    serving.refuse_taken_port(settings)
    house = build(settings)
    upgrade(house.database)
    starting.prepare(house.database, settings, house.desk)
    starting.warn_of_missing_channels(settings, house.database)
    house.database.close()
    click.echo(
        f"Tocsin starts on {settings.base_url} and is there when {settings.base_url}/readyz says so. Stop with Ctrl-C."
    )
    wanted = [name for name in PROCESSES if name != "mail" or settings.mail_listen]
    commands = {name: supervisor.own_command(*PROCESSES[name]) for name in wanted}
    environment = os.environ | to_environment(settings) | {supervisor.SUPERVISED: "1"}
    sys.exit(supervisor.Supervisor(commands, environment, later=LATER_SECONDS).run())


@tocsin.command("web")
def web_process() -> None:
    """Serve the web side alone, for several machines."""
    settings = starting.settings()
    logs.configure(settings.log_level, process="web")
    _refuse_unmigrated(settings)
    supervisor.end_with_parent()
    serving.serve(settings, "wsgi:served_app")


@tocsin.command("engine")
def engine_process() -> None:
    """Run an engine alone. Any number of them share one PostgreSQL."""
    house = _house("engine")
    settings = house.settings
    if not supervisor.is_supervised():  # `up` has said it already
        starting.warn_of_missing_channels(settings, house.database)
    url = settings.watchdog_url
    ping = watchdog.Watchdog(house.database, url, clock.now).ping if url else None
    at_work = Worker(house.database, partial(make_engine, house, engine_name()), begin=engine_work.begin, ping=ping)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: at_work.stop())
    supervisor.end_with_parent()
    line = slack.line(house.database, house.desk, clock.now, news.Bell(house.database).ring, settings)
    with line or contextlib.nullcontext():
        at_work.run()
    house.database.close()


@tocsin.command()
def migrate() -> None:
    """Bring the database to this version's tables."""
    database = Database(starting.settings().database_url)
    upgrade(database)
    click.echo(f"The database is at {current(database)}.")
    database.close()


def open_database() -> Database:
    """For a command; refuses tables of another version, which would end in a riddle."""
    logs.configure("WARNING", process="tocsin")
    settings = starting.settings()
    _refuse_unmigrated(settings)
    return Database(settings.database_url, before_commit=events.before_commit)


def _reconciling_tools(*, looping: bool) -> cli_reconcile.Tools:
    house = _house("reconciler", log_level="" if looping else "CRITICAL")
    return cli_reconcile.Tools(house.database, house.desk, configured.channels(house.settings, house.database))


def _mail_tools() -> mail_cli.Tools:
    house = _house("mail")
    return mail_cli.Tools(house.settings, house.database, house.desk)


def _house(process: str, *, log_level: str = "") -> House:
    settings = starting.settings()
    logs.configure(log_level or settings.log_level, process=process)
    _refuse_unmigrated(settings)
    return build(settings)


def _refuse_unmigrated(settings: Settings) -> None:
    database = Database(settings.database_url)
    ready = is_current(database)
    database.close()
    if not ready:
        raise click.ClickException(
            f"{database.url.render_as_string()} does not have this version's tables. Is TOCSIN_DATABASE_URL right? "
            "If so, run `tocsin migrate` once."
        )


def main() -> None:
    for command in (
        *escalation_cli.commands(open_database),
        *runbooks_cli.commands(
            lambda: build(starting.settings()).desk.shelf, lambda: rules.facts(starting.settings().rules_path)
        ),
        *incidents_cli.commands(
            open_database, lambda: build(starting.settings()).desk, lambda: configured.names(starting.settings())
        ),
        cli_reconcile.command(_reconciling_tools),
        slack_cli.command(starting.settings),
        mail_cli.command(_mail_tools),
    ):
        tocsin.add_command(command)
    with plainly.told():
        tocsin()


if __name__ == "__main__":
    main()
