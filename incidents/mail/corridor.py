"""What becomes of a letter that came in. Everything here waits for the database; the listener lets it wait elsewhere.

What it answers are SMTP's answers: 250 only for what is stored, 451 for what shall be tried again, 550 for what will
never do. A letter that has a name is taken once for each address, however often a mail server brings it because it did
not see the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from config import http, logs
from incidents import arrivals, edge_in, intake, once
from incidents.arrivals import Arrival, Verdict
from incidents.desk import Outcome
from incidents.edge_in import Edge
from incidents.intake import Door
from incidents.mail import addresses
from incidents.mail.addresses import Recipient
from incidents.mail.answering import Replies
from incidents.sources import email, letters
from incidents.sources.base import PayloadRefusedError
from incidents.sources.letters import Letter

TAKEN = "250 2.0.0 Taken, and stored."
TRY_AGAIN = "451 4.3.0 Nothing was stored: the database does not answer. Send it again later."
BROKEN = "451 4.3.0 Nothing was stored: something in Tocsin went wrong, and its log says what. Send it again later."
UNKNOWN = "550 5.1.1 No e-mail integration has this address. Check it against tocsin.yaml."
NOT_OURS = "550 5.7.1 Relaying denied. Tocsin takes letters for {} only."

log = logs.get("mail")


@dataclass(frozen=True, slots=True)
class Corridor:
    edge: Edge
    domain: str  # empty: any
    replies: Replies | None = None  # without a domain nothing can be answered by letter

    def refusal(self, address: str) -> str:
        """Why no letter to this address is taken; empty if one may come."""
        recipient = addresses.read(address, self.domain)
        if recipient is None:
            return NOT_OURS.format(self.domain)
        if recipient.is_reply:
            return self.replies.refusal(recipient.tag) if self.replies else UNKNOWN
        try:
            return "" if edge_in.door(self.edge, recipient.name, email.NAME) else UNKNOWN
        except http.DATABASE_AWAY as away:
            log.error("a letter is not taken, the database does not answer", error=type(away).__name__)
            return TRY_AGAIN

    def take(self, sender: str, to: Sequence[str], data: bytes) -> str:
        """One answer for all of them: if it is to be tried again for one, then for all, and who has it keeps one."""
        letter = letters.read(data)
        said = [self._take_for(sender, address, letter) for address in dict.fromkeys(to)]
        for wanted in ("451", "250"):
            if found := next((answer for answer in said if answer.startswith(wanted)), ""):
                return found
        return said[0] if said else UNKNOWN

    def _take_for(self, sender: str, address: str, letter: Letter) -> str:
        recipient = addresses.read(address, self.domain)
        try:
            if recipient and recipient.is_reply:
                taken = self.replies and self.replies.take(recipient.tag, sender, letter, self.edge.read_clock())
                return taken or UNKNOWN
            way_in = edge_in.door(self.edge, recipient.name, email.NAME) if recipient else None
            return self._alert(way_in, recipient, letter) if way_in and recipient else UNKNOWN
        except http.DATABASE_AWAY as away:
            log.error("a letter is not taken, the database does not answer", error=type(away).__name__)
            return TRY_AGAIN

    def _alert(self, way_in: Door, recipient: Recipient, letter: Letter) -> str:
        now = self.edge.read_clock()
        try:
            origin = self.edge.desk.base_url
            alerts = email.of_letter(letter, recipient.tag, now, senders=way_in.senders, origin=origin)
        except PayloadRefusedError as refused:
            log.error("letter refused", integration=way_in.key_hint, problem=refused.problem)
            self._note(Arrival(way_in.integration_id, now, Verdict.REFUSED, problem=refused.problem), letter)
            return f"550 5.7.1 {_line(refused.problem)}"
        numbers: list[int | None] = []
        for alert in alerts:
            outcome = once.do(
                self.edge.database,
                name_of(letter, f"mail/{way_in.integration_id}", recipient.tag),
                now,
                lambda session, alert=alert: _outcome(intake.receive(session, self.edge.desk, way_in, alert, now)),  # type: ignore[misc]  # mypy cannot tell a lambda's default
            )
            self.edge.wake()
            if outcome.changed:
                self.edge.counted(way_in.source)
            numbers.append(outcome.incident_id or None)
        verdict = Verdict.ACCEPTED if alerts else Verdict.IGNORED
        log.info("letter taken", integration=way_in.key_hint, incidents=numbers)
        self._note(Arrival(way_in.integration_id, now, verdict, alerts=alerts, incidents=numbers), letter)
        return TAKEN

    def _note(self, arrival: Arrival, letter: Letter) -> None:
        """What arrived is seen on the page of the integration."""
        if self.edge.arrivals.wants(arrival):
            content = email.kept(letter)
            arrivals.keep(self.edge.database, self.edge.arrivals, arrival, lambda: arrivals.shown(content))


def name_of(letter: Letter, before: str, tag: str = "") -> str:
    """What a letter is known by when it comes again; empty for one that may be another of the same words: what nobody
    gave a name to, or a time, is taken each time it comes."""
    if not letter.message_id or not (letter.header("Date") or letter.header("Received")):
        return ""
    whole = f"{letter.message_id} {letter.digest} {tag}"
    return f"{before}/{hashlib.sha256(whole.encode()).hexdigest()}"


def _outcome(received: intake.Received) -> Outcome:
    return Outcome(received.incident_id or 0, True, "", "")


def _line(problem: str) -> str:
    """As an answer may hold it: ASCII, on one line."""
    return problem.encode("ascii", "replace").decode()[:300].capitalize() + "."
