"""`tocsin integration try`: what a source would read in a payload, before anybody is woken by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import click

from config import clock
from incidents.sources import mapping, reading
from incidents.sources.base import IncomingAlert, PayloadRefusedError
from incidents.sources.table import SOURCES, Source


def command() -> click.Group:
    @click.group("integration")
    def integration() -> None:
        """Integrations: the ways in of monitoring."""

    @integration.command("try")
    @click.argument("source", type=click.Choice(sorted(SOURCES)))
    @click.argument("file", type=click.File("rb"))
    @click.option("--map", "mapped", multiple=True, metavar="FIELD=EXPRESSION", help="As `map:` has it; for generic.")
    @click.pass_context
    def attempt(context: click.Context, source: str, file: BinaryIO, mapped: tuple[str, ...]) -> None:
        """Print what SOURCE would read in FILE, a request's body (- is standard input). Nothing is stored.

        Exit code 0: alerts, or nothing that asks for anybody; 1: it would be refused.
        """
        expressions = _expressions(source, mapped)
        try:
            alerts = _read(SOURCES[source], file.read(), expressions)
        except PayloadRefusedError as refused:
            click.echo(f"Refused: {refused}")
            context.exit(1)
        if not alerts:
            click.echo("Taken, and nobody is woken: it is a test, a ping, or nothing that asks for anybody.")
        for alert in alerts:
            for line in _lines(alert):
                click.echo(line)

    return integration


def _expressions(source: str, mapped: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    if mapped and source != "generic":
        raise click.BadParameter("a mapping is for generic alone; the other sources' payloads are known")
    for each in mapped:
        name, mark, expression = each.partition("=")
        if not mark or name.strip() not in mapping.KEYS:
            raise click.BadParameter(f"{each!r} is not FIELD=EXPRESSION; the fields are {', '.join(mapping.KEYS)}")
        if problem := mapping.problem(expression.strip()):
            raise click.BadParameter(f"{name}: {problem}")
        found[name.strip()] = expression.strip()
    return found


def _read(source: Source, body: bytes, expressions: dict[str, str]) -> list[IncomingAlert]:
    if source.content == "bytes":
        return source.parse(body, now=clock.now())
    try:
        payload = reading.json_value(body)
    except PayloadRefusedError:
        if source.content not in ("text", "words"):
            raise
        payload = reading.clean(body.decode("utf-8", "replace"))
    if expressions:
        return mapping.parse(payload, expressions, now=clock.now())
    return source.parse(payload, now=clock.now())


def _lines(alert: IncomingAlert) -> Iterator[str]:
    yield f"{alert.status}: {alert.title}"
    for name in ("dedup_key", "severity_hint", "service", "component", "environment", "started_at", "url"):
        value = getattr(alert, name)
        if value:
            yield f"  {name}: {value}"
    if alert.labels:
        yield "  labels: " + ", ".join(f"{name}={value}" for name, value in alert.labels.items())
    for link in alert.links:
        yield f"  link: {link.href}" + (f" ({link.text})" if link.text else "")
    for line in alert.body.splitlines():
        yield f"  | {line}"
