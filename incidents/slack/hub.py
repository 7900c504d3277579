"""The modal behind More…: where the incident stands, and everything that can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.actor import Actor
from escalation.channels import slack_blocks, slack_parts, wording
from escalation.channels.slack_parts import Block, button
from incidents import governance, noting
from incidents.lifecycle import Status
from incidents.proof.models import TimelineEntry
from incidents.queries_detail import IncidentDetail, RequestShown
from incidents.slack import parts

ESCALATE = "tocsin.escalate"
CONTAINED = "tocsin.contained"
RECOVERED = "tocsin.recovered"
BACK = "tocsin.back"
FORM = "tocsin.form."  # and the form's name: draws that form in the modal's place
ENTRIES_SHOWN = 8

FORMS = {
    "add": "Add responder…",
    "reassign": "Hand over…",
    "note": "Note…",
    "severity": "Severity…",
    "snooze": "Snooze…",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the modal is drawn from."""

    incident: IncidentDetail
    entries: Sequence[TimelineEntry]  # the newest ones, oldest first
    actor: Actor

    @property
    def may_act(self) -> bool:
        return bool(self.actor.roles & noting.ACTING_ROLES)

    @property
    def may_decide(self) -> bool:
        return governance.APPROVING_ROLE in self.actor.roles

    @property
    def is_over(self) -> bool:
        return self.incident.status in (Status.RESOLVED, Status.CLOSED)

    @property
    def pending(self) -> list[RequestShown]:
        return [each for each in self.incident.requests if each.state == "pending"]


def view(shown: Shown, *, sentence: str = "") -> Block:
    """`sentence`: what came of what was done last."""
    number = shown.incident.number
    blocks: list[Block] = [parts.said(sentence), {"type": "divider"}] if sentence else []
    blocks += [facts(shown), *_requests(shown)]
    if shown.may_act:
        blocks += parts.buttons("do", _verbs(shown)) + parts.buttons("forms", _forms(shown))
    else:
        blocks.append(parts.said("You may look but not act. Ask an administrator for the role of a responder."))
    blocks += _runbook(shown) + _timeline(shown)
    return parts.modal(f"Incident {number}", blocks, about={"number": number})


def facts(shown: Shown) -> Block:
    incident = shown.incident
    facts = [f"*{parts.quoted(f'{incident.incident_class.capitalize()} {incident.severity}', 80)}*"]
    facts += [parts.quoted(incident.service, 100)] if incident.service else []
    facts += [f"level {incident.level}"] if incident.level else []
    facts += [f"{incident.phase} phase"]
    lines = [f"*{parts.quoted(incident.title, 500)}*", " · ".join(facts), _state(incident)]
    if incident.classification.sentence:
        lines.append(f"*Why:* {parts.quoted(incident.classification.sentence, 500)}")
    if link := slack_parts.link(incident.url, f"Open incident {incident.number} in Tocsin"):
        lines.append(link)
    return slack_parts.section("\n".join(lines))


def _state(incident: IncidentDetail) -> str:
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        return parts.quoted(wording.acted("Resolved", incident.resolved_by, incident.resolved_at), 200)
    if incident.status == Status.ACKNOWLEDGED:
        who = incident.acknowledged_by.name if incident.acknowledged_by else ""
        said = wording.acted("Acknowledged", who, incident.acknowledged_at)
        return parts.quoted(
            said + (f". Quiet until {wording.moment(incident.snoozed_until)}" if incident.snoozed_until else ""), 300
        )
    return "Open, not acknowledged"


def _requests(shown: Shown) -> list[Block]:
    blocks: list[Block] = []
    for request in shown.pending:
        given = sum(each.decision == "approve" for each in request.decisions)
        what = request.action
        if request.change:
            what += " to " + " ".join(str(request.change.get(name, "")) for name in ("class", "severity")).strip()
        asked = f"*{parts.quoted(request.requested_by.name, 100)} asked to {parts.quoted(what, 80)}:* "
        asked += f"{parts.quoted(request.reason, 500)}\n{given} of 2 keepers have approved."
        blocks.append(slack_parts.section(asked))
    if shown.pending and shown.may_decide:
        number = str(shown.incident.number)
        blocks += parts.buttons("decide", slack_blocks.decisions(number))
    return blocks


def _verbs(shown: Shown) -> list[Block]:
    incident, number = shown.incident, str(shown.incident.number)
    if shown.is_over:
        return []
    found = []
    if incident.status == Status.OPEN:
        found.append(button("Acknowledge", slack_blocks.ACKNOWLEDGE, number) | {"style": "primary"})
    found.append(button("Resolve…", slack_blocks.RESOLVE, number))
    if incident.status == Status.OPEN:
        escalate = button("Escalate now", ESCALATE, number)
        means = "The next level is paged at once."
        found.append(parts.confirmed(escalate, f"Escalate {number} now?", means, "Escalate"))
    if incident.milestones.contained_at is None:
        found.append(button("Contained", CONTAINED, number))
    if incident.milestones.recovered_at is None:
        found.append(button("Recovered", RECOVERED, number))
    return found


def _forms(shown: Shown) -> list[Block]:
    number = str(shown.incident.number)
    names = ["note"] if shown.is_over else list(FORMS)
    if shown.incident.incident_class == "constitutional" and "snooze" in names:
        names.remove("snooze")  # never snoozed; a keeper may hold it
    return [button(FORMS[name], FORM + name, number) for name in names]


def _runbook(shown: Shown) -> list[Block]:
    book = shown.incident.runbook
    if book is None:
        return []
    done = sum(bool(step.done_by) for step in book.steps)
    named = slack_parts.link(book.url, book.title) or parts.quoted(book.title, 150)
    blocks = [slack_parts.section(f"*Runbook:* {named}, {done} of {len(book.steps)} steps done")]
    if shown.may_act and done < len(book.steps):
        blocks += parts.buttons("steps", [button("Steps…", FORM + "steps", str(shown.incident.number))])
    return blocks


def _timeline(shown: Shown) -> list[Block]:
    lines = [f"{each.occurred_at:%H:%M} {parts.quoted(each.text, 160)}" for each in shown.entries[-ENTRIES_SHOWN:]]
    return [slack_parts.section("*Last on the timeline*, in UTC\n" + "\n".join(lines))] if lines else []
