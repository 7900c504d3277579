"""The HTTP API of who has an incident and what holds it: reporting one, reassigning, snoozing, holds, checklists."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from config import auth
from config.errors import InvalidInputError
from config.routes import Routes
from incidents import assigning, checklists, holding, manual, schemas, schemas_hands
from incidents.api_edge import NUMBER, Answer, Edge
from incidents.desk import Actor, Outcome
from incidents.lifecycle import Status

HOLD = f"{NUMBER}/holds/<int(max={schemas_hands.NUMBER_MAX}):hold>"


def add(routes: Routes, edge: Edge) -> None:
    _reporting(routes, edge)
    _hands(routes, edge)
    _holds(routes, edge)


def _reporting(routes: Routes, edge: Edge) -> None:
    @routes.post("/incidents", takes=schemas_hands.ReportBody, gives=schemas.Answer)
    def report(body: dict[str, Any]) -> Answer:
        """Report an incident. It is classified and escalated as an alert's would be."""
        auth.require("act")
        now = edge.clock()
        with edge.database.transaction() as session:
            received = manual.report(session, edge.desk, auth.acting("api"), now, **body)
        edge.wake()
        number = received.incident_id or 0
        said = f"{number} is open." if received.opened else f"It is reported already, as {number}."
        return edge.answer(Outcome(number, received.opened, Status.OPEN, said), now)


def _hands(routes: Routes, edge: Edge) -> None:
    desk = edge.desk

    @routes.post(f"{NUMBER}/reassign", takes=schemas_hands.ReassignBody, gives=schemas.Answer)
    def reassign(body: dict[str, Any], number: int) -> Answer:
        """Give it to a responder, who is paged first, or to another policy, which begins anew."""
        responder, policy, reason = body["responder"], body["policy"], body["reason"]
        if bool(responder) == bool(policy):
            raise InvalidInputError("Give one of responder and policy.", fields={"responder": "or policy; not both"})
        verb = assigning.reassign if responder else assigning.reassign_to_policy
        return edge.act(
            number,
            lambda session, who, now: verb(session, desk, number, who, now, to=responder or policy, reason=reason),
        )

    @routes.post(f"{NUMBER}/responders", takes=schemas_hands.ResponderBody, gives=schemas.Answer)
    def responders(body: dict[str, Any], number: int) -> Answer:
        """Page one more responder, whoever has it."""
        return edge.act(
            number, lambda session, who, now: assigning.add_responder(session, desk, number, who, now, **body)
        )

    @routes.post(f"{NUMBER}/unacknowledge", takes=schemas_hands.ReasonBody, gives=schemas.Answer)
    def unacknowledge(body: dict[str, Any], number: int) -> Answer:
        """Take the acknowledgement back: the level that had been reached fires again."""
        return edge.act(
            number, lambda session, who, now: assigning.unacknowledge(session, desk, number, who, now, **body)
        )

    @routes.post(f"{NUMBER}/snooze", takes=schemas_hands.SnoozeBody, gives=schemas.Answer)
    def snooze(body: dict[str, Any], number: int) -> Answer:
        """Leave whoever has it in peace until a time; never a constitutional incident."""
        if (body["until"] is None) == (body["seconds"] is None):
            raise InvalidInputError("Give one of until and for.", fields={"until": "or for; not both"})

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            until = body["until"] or now + timedelta(seconds=body["seconds"])
            return assigning.snooze(session, desk, number, who, now, until=until)

        return edge.act(number, verb)

    @routes.post(f"{NUMBER}/checklist", takes=schemas_hands.TickBody, gives=schemas.Answer)
    def checklist(body: dict[str, Any], number: int) -> Answer:
        """Tick an item of a phase's checklist."""
        return edge.act(number, lambda session, who, now: checklists.tick(session, desk, number, who, now, **body))


def _holds(routes: Routes, edge: Edge) -> None:
    desk = edge.desk

    @routes.post(f"{NUMBER}/holds", takes=schemas_hands.HoldBody, gives=schemas.Answer)
    def hold(body: dict[str, Any], number: int) -> Answer:
        """Open a governance hold, which stops the clocks of the phases. Keepers only, and only in person."""
        return edge.act(number, lambda session, who, now: holding.begin(session, desk, number, who, now, **body))

    @routes.post(f"{HOLD}/extend", takes=schemas_hands.ExtendBody, gives=schemas.Answer)
    def extend(body: dict[str, Any], number: int, hold: int) -> Answer:
        """Move a hold's minimum end later."""
        return edge.act(number, lambda session, who, now: holding.extend(session, desk, number, hold, who, now, **body))

    @routes.post(f"{HOLD}/end", takes=schemas_hands.ReasonBody, gives=schemas.Answer)
    def end(body: dict[str, Any], number: int, hold: int) -> Answer:
        """End a hold, not before its minimum end."""
        return edge.act(number, lambda session, who, now: holding.end(session, desk, number, hold, who, now, **body))
