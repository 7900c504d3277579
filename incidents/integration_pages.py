"""The page of integrations: each one's address, what to enter at its sender, and what arrived last and how it was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import auth
from config.database import Database
from escalation.web_reader import times_of_reader
from incidents import apply, snippets
from incidents.arrivals import Verdict
from incidents.models import Integration, ReceivedPayload, Service
from incidents.snippets import Snippet
from incidents.sources.table import SOURCES

READERS = ("admin", "manager")
VERDICTS = {
    Verdict.ACCEPTED.value: "accepted",
    Verdict.IGNORED.value: "wakes nobody",
    Verdict.REFUSED.value: "refused",
    Verdict.FORGED.value: "not its sender's",
}
NAMED_MAX = 5  # of whom nothing comes in, above the rest
TURNED_AWAY = frozenset({Verdict.REFUSED.value, Verdict.FORGED.value})


@dataclass(frozen=True, slots=True)
class Shown:
    number: int
    service: str
    source: str
    describes: str  # empty: declared, and not read yet
    hint: str
    address: str
    checks: str  # what is asked of a request beside the key
    mapping: dict[str, str]
    snippet: Snippet
    arrived: list[ReceivedPayload]  # newest first

    @property
    def turned_away(self) -> int:
        """Of those that are kept."""
        return sum(each.verdict in TURNED_AWAY for each in self.arrived)

    @property
    def is_turned_away(self) -> bool:
        """What its sender sends now does not come in."""
        return bool(self.arrived) and self.arrived[0].verdict in TURNED_AWAY


def pages(database: Database, read_clock: Callable[[], datetime], *, base_url: str, mail_domain: str = "") -> Blueprint:
    drawn = Blueprint("integration_pages", __name__, template_folder="templates")

    @drawn.get("/integrations")
    @auth.requires(*READERS)
    def integrations() -> str:
        with database.reading() as session:
            found, times = of(session, base_url, mail_domain), times_of_reader(session, read_clock())
        services: defaultdict[str, list[Shown]] = defaultdict(list)
        for each in found:
            services[each.service].append(each)
        return render_template(
            "incidents/integrations.html",
            services=services,
            only_one=len(found) == 1,
            turned_away=[each for each in found if each.is_turned_away],
            named_max=NAMED_MAX,
            verdicts=VERDICTS,
            bad=TURNED_AWAY,
            times=times,
        )

    return drawn


def of(session: Session, base_url: str, mail_domain: str = "") -> list[Shown]:
    """All that alerts can come in by; a key is known by its last letters only."""
    arrived: defaultdict[int, list[ReceivedPayload]] = defaultdict(list)
    for each in session.scalars(select(ReceivedPayload).order_by(ReceivedPayload.id.desc())):
        arrived[each.integration_id].append(each)
    rows = session.execute(
        select(Integration, Service.key)
        .join(Service, Service.id == Integration.service_id)
        .order_by(Service.key, Integration.source, Integration.id)
    )
    return [
        _shown(row, service, base_url, mail_domain, arrived[row.id])
        for row, service in rows
        if not apply.is_retired(row)
    ]


def _shown(row: Integration, service: str, base_url: str, mail_domain: str, arrived: list[ReceivedPayload]) -> Shown:
    source = SOURCES.get(row.source)
    return Shown(
        number=row.id,
        service=service,
        source=row.source,
        describes=source.describes if source else "",
        hint=row.key_hint,
        address=snippets.address(base_url, row.source, mail_domain),
        checks=_checks(row),
        mapping=dict(row.mapping),
        snippet=snippets.of(row.source, base_url, has_secret=bool(row.signing_secret), mail_domain=mail_domain),
        arrived=arrived,
    )


def _checks(row: Integration) -> str:
    if row.senders:
        return f"That From says {' or '.join(row.senders)}, which anybody can write there; the address is what they must know"
    if row.topic:
        return f"Messages that SNS signed, of the topic {row.topic} only"
    if row.signing_secret:
        return "The sender's signature, or its secret"
    source = SOURCES.get(row.source)
    if source and source.is_always_checked:
        return "SNS' signature; what is delivered raw is taken by the key alone"
    return "Nothing but the key" + ("; a secret in tocsin.yaml would ask for more" if source and source.check else "")
