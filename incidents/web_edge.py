"""What the incident pages share: what they are given, who acts, and how a verb's outcome is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, request
from sqlalchemy.orm import Session
from werkzeug import Response

from config import auth
from config.database import Database
from config.errors import NotFoundError, TocsinError
from config.forms import in_words
from config.schemas import NUMBER_MAX
from config.web import local_path
from incidents.desk import Actor, Desk, Outcome

NUMBER = f"/incidents/<int(max={NUMBER_MAX}):number>"

Verb = Callable[[Session, Actor, datetime], Outcome]


@dataclass(frozen=True, slots=True)
class Edge:
    database: Database
    desk: Desk
    read_clock: Callable[[], datetime]
    wake: Callable[[], None]  # tells a sleeping engine

    def act(self, number: int, verb: Verb, *, then: str = "") -> Response:
        """Do it and go back to where the form was, or to the fragment `then` of the incident's page.

        What is refused is said there too: whoever is in the middle of an incident does not need an error page.
        """
        try:
            with self.database.transaction() as session:
                outcome = verb(session, auth.acting("web"), self.read_clock())
        except NotFoundError:
            raise
        except TocsinError as refused:
            flash(in_words(refused), "problem")
            return back(number)
        self.wake()
        flash(outcome.sentence, "done" if outcome.changed else "note")
        return back(number, then if outcome.changed else "")


def back(number: int, fragment: str = "") -> Response:
    path = local_path(request.form.get("next", "")) or f"/incidents/{number}{fragment}"
    return redirect(path, 303)
