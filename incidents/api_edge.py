"""What the routes on incidents share: what they are given, who acts, and how a verb's outcome is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from config import auth
from config.database import Database
from config.schemas import NUMBER_MAX
from incidents import queries_detail
from incidents.desk import Actor, Desk, Outcome
from incidents.models import RequestState

NUMBER = f"/incidents/<int(max={NUMBER_MAX}):number>"
Verb = Callable[[Session, Actor, datetime], Outcome]
Answer = tuple[dict[str, Any], int]


@dataclass(frozen=True, slots=True)
class Edge:
    database: Database
    desk: Desk
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    def act(self, number: int, verb: Verb, *, asks_to: str = "") -> Answer:
        """202 where the verb could only ask for approval (`asks_to`: for what), and else 200."""
        now = self.clock()
        with self.database.transaction() as session:
            outcome = verb(session, auth.acting("api"), now)
        self.wake()
        return self.answer(outcome, now, asks_to=asks_to)

    def answer(self, outcome: Outcome, now: datetime, *, asks_to: str = "") -> Answer:
        with self.database.reading() as session:
            detail = queries_detail.incident(session, self.desk, outcome.incident_id, now)
        waiting = [each for each in detail.requests if each.action == asks_to and each.state == RequestState.PENDING]
        awaited = waiting[-1] if waiting and not outcome.changed else None
        answer = {
            "changed": outcome.changed,
            "status": detail.status,
            "sentence": outcome.sentence,
            "request": awaited,
            "incident": detail,
        }
        return answer, 202 if awaited else 200
