"""Who reads a page, as far as it changes what the page says."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from config import auth
from escalation import responders
from escalation.web_times import Times


def times_of_reader(session: Session, now: datetime) -> Times:
    """Moments as whoever asks reads them; a program, and a stranger, in UTC."""
    caller = auth.caller_or_none()
    person = responders.by_id(session, caller.responder_id) if caller and caller.responder_id is not None else None
    return Times(now, person.timezone if person else "UTC")
