"""The list of incidents: what needs somebody first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from config.schemas import NUMBER_MAX, cursor, read_cursor
from escalation import gauges
from escalation.web_reader import times_of_reader
from incidents import queries, queries_services
from incidents.lifecycle import Status
from incidents.queries import IncidentLine, Wanted
from incidents.severity import IncidentClass, Severity
from incidents.web_edge import Edge

PAGE_LINES = 50
LATELY_LINES = 10  # of what is over, below what is not
REFRESH_SECONDS = 5
SERVICES_MAX = 200  # to choose from
OVER = (Status.RESOLVED.value, Status.CLOSED.value)
STATUSES: Mapping[str, tuple[str, ...]] = {
    "open": (Status.OPEN.value,),
    "acknowledged": (Status.ACKNOWLEDGED.value,),
    "resolved": OVER,
    "all": (),
}
TABS = (("", "Now"), ("open", "Open"), ("acknowledged", "Acknowledged"), ("resolved", "Resolved"), ("all", "All"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. What it does not understand is left out: a page is better than a refusal."""

    tab: str
    wanted: Wanted
    before: int | None
    refreshes: bool
    chooses: bool  # the filters are being chosen, and must not vanish under the reader's finger

    @property
    def narrowed(self) -> bool:
        return self.wanted != Wanted(statuses=self.wanted.statuses)

    def address(self, **changes: str) -> str:
        """This page with something else; an empty value leaves it out."""
        kept: dict[str, Any] = {
            "status": self.tab,
            "severity": list(self.wanted.severities),
            "class": self.wanted.incident_class,
            "service": self.wanted.service,
            "silenced": "1" if self.wanted.silenced else "",
            "refresh": "" if self.refreshes else "off",
        }
        query = {name: value for name, value in (kept | changes).items() if value}
        return f"/incidents?{urlencode(query, doseq=True)}" if query else "/incidents"


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    lines: Sequence[IncidentLine]
    empty: str
    more: str = ""  # where the rest is; "": this is all


def add(pages: Blueprint, edge: Edge) -> None:
    @pages.get("/incidents")
    def incidents() -> str:
        now = edge.read_clock()
        asked = _asked()
        with edge.database.reading() as session:
            by_sections = not asked.tab and not asked.narrowed
            sections = _overview(session, asked, now) if by_sections else [_filtered(session, asked, now)]
            return render_template(
                "incidents/list.html",
                asked=asked,
                sections=sections,
                by_sections=by_sections,
                nothing_yet=by_sections and not any(section.lines for section in sections),
                tabs=TABS,
                severities=[each.value for each in Severity],
                classes=[each.value for each in IncidentClass],
                services=[each.key for each in queries_services.services(session, after="", limit=SERVICES_MAX)],
                troubles=gauges.readiness_at(session, now).reasons,
                base_url=edge.desk.base_url,
                times=times_of_reader(session, now),
                refreshes=asked.refreshes and not asked.chooses,
                refresh_seconds=REFRESH_SECONDS,
            )


def _asked() -> Asked:
    query = request.args
    tab = query.get("status", "")
    before = read_cursor("incidents", query.get("cursor", ""))
    severities = set(query.getlist("severity"))
    classes = {each.value for each in IncidentClass}
    wanted = Wanted(
        statuses=STATUSES.get(tab, ()),
        severities=tuple(each.value for each in Severity if each.value in severities),
        incident_class=query.get("class", "") if query.get("class") in classes else "",
        service=query.get("service", "").replace("\0", "")[:64],
        silenced=True if query.get("silenced") == "1" else None,
    )
    return Asked(
        tab=tab if tab in STATUSES else "",
        wanted=wanted,
        before=before if isinstance(before, int) and 0 <= before <= NUMBER_MAX else None,
        refreshes=query.get("refresh") != "off",
        chooses="choose" in query,
    )


def _overview(session: Session, asked: Asked, now: datetime) -> list[Section]:
    held = queries.incidents(session, Wanted(STATUSES["acknowledged"]), now, limit=PAGE_LINES + 1)
    over = queries.incidents(session, Wanted(OVER), now, limit=LATELY_LINES + 1)
    waiting = _worst_first(session, now)
    return [
        Section(
            "Needs somebody",
            waiting[:PAGE_LINES],
            "Nothing waits for anybody.",
            asked.address(status="open") if len(waiting) > PAGE_LINES else "",
        ),
        Section(
            "Somebody has it",
            held[:PAGE_LINES],
            "Nothing is being worked on.",
            asked.address(status="acknowledged") if len(held) > PAGE_LINES else "",
        ),
        Section(
            "Over",
            over[:LATELY_LINES],
            "Nothing has been resolved yet.",
            asked.address(status="resolved") if len(over) > LATELY_LINES else "",
        ),
    ]


def _worst_first(session: Session, now: datetime) -> list[IncidentLine]:
    """Open incidents, the worst first; in a storm, severity by severity, so that no CRITICAL one is left out."""
    found = queries.incidents(session, Wanted(STATUSES["open"]), now, limit=PAGE_LINES + 1)
    if len(found) <= PAGE_LINES:
        return sorted(found, key=lambda line: (-Severity(line.severity).rank, -line.number))
    found = []
    for severity in Severity:
        wanted = Wanted(STATUSES["open"], (severity.value,))
        found += queries.incidents(session, wanted, now, limit=PAGE_LINES + 1 - len(found))
        if len(found) > PAGE_LINES:
            break
    return found


def _filtered(session: Session, asked: Asked, now: datetime) -> Section:
    found = queries.incidents(session, asked.wanted, now, before=asked.before, limit=PAGE_LINES + 1)
    older = asked.address(cursor=cursor("incidents", found[PAGE_LINES - 1].number)) if len(found) > PAGE_LINES else ""
    title = next(name for tab, name in TABS if tab == (asked.tab or "all"))
    return Section(title, found[:PAGE_LINES], "No incident is like that.", older)
