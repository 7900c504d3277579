"""The command that looks for whoever should be woken and would not be: once, or for ever."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import click

from config import clock, http, supervisor
from config.database import Database
from escalation.alarms import Alarms
from escalation.channels.base import Channel
from escalation.findings import Outcome
from escalation.paging import reconcile
from incidents import reconciling
from incidents.desk import Desk
from incidents.reconciler import EVERY_SECONDS, Reconciler

NOTHING_FOUND, FOUND, UNMENDED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Tools:
    database: Database
    desk: Desk
    channels: Mapping[str, Channel]


class MakeTools(Protocol):
    def __call__(self, *, looping: bool) -> Tools:
        """`looping`: for a process that says in its log what it does, rather than on the terminal."""
        ...


def command(make_tools: MakeTools) -> click.Command:
    @click.command("reconcile")
    @click.option("--check", is_flag=True, help="Say what is wrong, and change nothing.")
    @click.option("--json", "as_json", is_flag=True, help="For programs.")
    @click.option("--loop", is_flag=True, help="Look again and again, until it is stopped.")
    @click.option("--every", type=click.FloatRange(0.1, 60), default=EVERY_SECONDS, show_default=True, help="Seconds.")
    @click.pass_context
    def reconcile_all(context: click.Context, check: bool, as_json: bool, loop: bool, every: float) -> None:
        """Find whoever should be woken and would not be, put it right, and tell administrators.

        Exit code 0: nothing was wrong; 1: something was, and it is put right (with --check: could be); 2: something
        is wrong that only people can put right, or it cannot be known.
        """
        if loop and (check or as_json):
            raise click.UsageError("--loop goes with neither --check nor --json.")
        if loop:
            _loop(make_tools(looping=True), every)
            return
        tools = make_tools(looping=False)
        try:
            outcomes = _check(tools) if check else _reconciler(tools, every).look(clock.now())
        except http.DATABASE_AWAY as away:
            click.echo(
                f"It cannot be known whether anybody is forgotten: the database does not answer ({away}).", err=True
            )
            context.exit(UNMENDED)
        finally:
            tools.database.close()
        _say(outcomes, as_json=as_json)
        context.exit(_exit_code(outcomes, check=check))

    return reconcile_all


def _check(tools: Tools) -> list[Outcome]:
    now = clock.now()
    with tools.database.reading() as session:
        engines = reconcile.engines(session, now)
    return [*map(Outcome, engines), *reconciling.run(tools.database, tools.desk, now, repairs=False)]


def _loop(tools: Tools, every_seconds: float) -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    supervisor.end_with_parent()
    _reconciler(tools, every_seconds).run(stopping, clock.now)
    tools.database.close()


def _reconciler(tools: Tools, every_seconds: float) -> Reconciler:
    alarms = Alarms(tools.channels, tools.desk.base_url)
    return Reconciler(tools.database, tools.desk, alarms, every_seconds=every_seconds)


def _say(outcomes: list[Outcome], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"findings": [outcome.to_json() for outcome in outcomes]}, indent=2))
    elif not outcomes:
        click.echo("Nothing is wrong: whoever should be woken will be.")
    else:
        for outcome in outcomes:
            click.echo(str(outcome))


def _exit_code(outcomes: list[Outcome], *, check: bool) -> int:
    if not outcomes:
        return NOTHING_FOUND
    right = [outcome.finding.repairable if check else bool(outcome.done) for outcome in outcomes]
    return FOUND if all(right) else UNMENDED
