"""The forms that stand in a modal's place. A field's name is that of the verb's argument, so that what the verb
refuses is shown under it."""

from __future__ import annotations

from collections.abc import Sequence

from escalation.channels import slack_parts
from escalation.channels.slack_parts import Block
from incidents.severity import IncidentClass, Severity
from incidents.slack import hub, parts
from incidents.slack.hub import Shown
from incidents.slack.parts import Choice

SNOOZES: tuple[Choice, ...] = (
    ("1800", "30 minutes"),
    ("3600", "1 hour"),
    ("7200", "2 hours"),
    ("14400", "4 hours"),
    ("28800", "8 hours"),
    ("86400", "1 day"),
    ("259200", "3 days"),
    ("604800", "7 days"),
)
KEPT = "keep"  # severity or class stays as it is
STARRED = "starred"
STEP_TITLE_CHARACTERS_MAX = 70


def resolve(shown: Shown, *, by_itself: bool) -> Block:
    if shown.incident.incident_class == IncidentClass.CONSTITUTIONAL:
        means = "It is constitutional: this asks for the approval of two other keepers."
    else:
        means = "Paging stops for everybody, and the review begins."
    fields = [parts.said(means), parts.typed("reason", "What ended it?", lines=True)]
    return _form(shown, "resolve", "Resolve", fields, by_itself=by_itself)


def decide(shown: Shown, *, decision: str, by_itself: bool) -> Block:
    actions = [(each.action, each.action) for each in shown.pending]
    asked = [
        parts.said(f"{each.requested_by.name} asked to {each.action} {shown.incident.number}: {each.reason}")
        for each in shown.pending
    ]
    fields = [
        *asked,
        parts.chosen("action", "The request", actions, first=actions[0][0]),
        parts.chosen("decision", "Your decision", [("approve", "Approve"), ("decline", "Decline")], first=decision),
        parts.typed("reason", "Why", lines=True),
    ]
    return _form(shown, "decide", "Decide", fields, by_itself=by_itself)


def note(shown: Shown) -> Block:
    review = parts.ticked(STARRED, "Later", [("yes", "Talk about it in the review")], optional=True)
    return _form(shown, "note", "Note it", [parts.typed("text", "For the timeline", lines=True), *review])


def severity(shown: Shown) -> Block:
    ranks = [(KEPT, f"As it is: {shown.incident.severity}"), *((each.value, each.value) for each in Severity)]
    classes = [
        (KEPT, f"As it is: {shown.incident.incident_class}"),
        *((each.value, each.value) for each in IncidentClass),
    ]
    fields = [
        parts.chosen("severity", "Severity", ranks, first=KEPT),
        parts.chosen("class", "Class", classes, first=KEPT),
        parts.typed("reason", "Why", lines=True),
    ]
    return _form(shown, "severity", "Change", fields)


def snooze(shown: Shown) -> Block:
    means = "It is left alone for so long; then nobody has it, and people are paged."
    return _form(shown, "snooze", "Snooze", [parts.said(means), parts.chosen("until", "For how long", SNOOZES)])


def add(shown: Shown, people: Sequence[Choice]) -> Block:
    fields = [
        parts.said("They are paged; nobody gives anything up."),
        parts.chosen("responder", "Who", people),
        parts.typed("reason", "What for", lines=True, optional=True),
    ]
    return _form(shown, "add", "Page them", fields)


def reassign(shown: Shown, people: Sequence[Choice]) -> Block:
    fields = [
        parts.said("They are paged, and whoever has it gives it up. Name yourself to take it over."),
        parts.chosen("responder", "To whom", people),
        parts.typed("reason", "Why", lines=True, optional=True),
    ]
    return _form(shown, "reassign", "Hand over", fields)


def steps(shown: Shown) -> Block:
    book = shown.incident.runbook
    written = book.steps if book else ()
    done = [
        f"✓ {each.number}. {parts.quoted(each.title, 150)} ({parts.quoted(each.done_by, 60)})"
        for each in written
        if each.done_by
    ]
    todo = [
        (str(each.number), f"{each.number}. {each.title}"[:STEP_TITLE_CHARACTERS_MAX])
        for each in written
        if not each.done_by
    ]
    blocks = [parts.lines(done)] if done else []
    blocks += parts.ticked("steps", "Done now", todo) if todo else [parts.said("All steps are done.")]
    blocks.append(parts.typed("note", "Note", lines=True, optional=True))
    return _form(shown, "steps", "Tick", blocks)


def report(services: Sequence[Choice], *, service: str = "", title: str = "") -> Block:
    fields = [
        parts.chosen("service", "Service", services, first=service),
        parts.typed("title", "What is wrong?"),
        parts.chosen(
            "severity", "Severity", [(KEPT, "Let Tocsin judge"), *((s.value, s.value) for s in Severity)], first=KEPT
        ),
        parts.typed("description", "More", lines=True, optional=True),
    ]
    if title:
        fields[1]["element"]["initial_value"] = title[: parts.TYPED_CHARACTERS_MAX]
    return parts.modal("Open an incident", fields, form=hub.FORM + "open", submit="Open", about={})


def over(shown: Shown) -> Block:
    incident = shown.incident
    return plain(
        f"Incident {incident.number}", f"{incident.number} is {incident.status} already.", number=incident.number
    )


def plain(title: str, sentence: str, *, number: int | None = None) -> Block:
    """A sentence in a modal of its own."""
    return parts.modal(title, [parts.said(sentence)], about={} if number is None else {"number": number})


def _form(shown: Shown, name: str, submit: str, fields: Sequence[Block], *, by_itself: bool = False) -> Block:
    """`by_itself`: opened from a message, and closed when it is done; otherwise the hub comes back."""
    number = shown.incident.number
    title = slack_parts.section(f"*{number} {parts.quoted(shown.incident.title, 200)}*")
    back = [] if by_itself else parts.buttons("back", [slack_parts.button("Back", hub.BACK, str(number))])
    about = {"number": number, "alone": by_itself}
    return parts.modal(f"Incident {number}", [title, *fields, *back], form=hub.FORM + name, submit=submit, about=about)
